package server

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// Bounds of a page of leads.
const (
	standardPerPage = 50
	maxPerPage      = 1000
	maxPage         = 1_000_000
)

func queryParam(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
}

func filterParams() []*huma.Param {
	return []*huma.Param{
		queryParam("status", "One of "+wordList(chatops.LeadStatuses())),
		queryParam("start_date", "Created then or later: 2026-03-01 or an RFC 3339 time; UTC"),
		queryParam("end_date", "Created then or earlier; a day counts to its end"),
		queryParam("package", "The package that the visitor is interested in"),
		queryParam("sort_by", "One of "+wordList(chatops.LeadSorts())),
		queryParam("sort_order", "asc or desc (default)"),
	}
}

func pageParams() []*huma.Param {
	return []*huma.Param{
		queryParam("page", "From 1"),
		queryParam("per_page", "50 when left out; more than 1000 are cut to 1000"),
	}
}

// parseFilter reads the query of a list. An empty value counts as absent, for
// forms send those.
func parseFilter(query url.Values) (f chatops.LeadFilter, err error) {
	f.Status = chatops.LeadStatus(query.Get("status"))
	if f.Status != "" && !f.Status.Valid() {
		return f, badStatus()
	}
	if f.Since, err = parseMoment("start_date", query.Get("start_date"), false); err != nil {
		return f, err
	}
	if f.Until, err = parseMoment("end_date", query.Get("end_date"), true); err != nil {
		return f, err
	}
	f.Package = chatops.CleanText(query.Get("package"))
	f.Sort = chatops.LeadSort(query.Get("sort_by"))
	if f.Sort != "" && !slices.Contains(chatops.LeadSorts(), f.Sort) {
		return f, chatops.Errorf(chatops.CodeInvalid, "Invalid sort_by. Must be one of: %s", wordList(chatops.LeadSorts()))
	}
	switch strings.ToLower(query.Get("sort_order")) {
	case "", "desc":
	case "asc":
		f.Ascending = true
	default:
		return f, chatops.Errorf(chatops.CodeInvalid, "Invalid sort_order. Must be one of: asc, desc")
	}
	return f, nil
}

// parseMoment reads a day or a time; without a zone it is UTC. The end of a
// range is included: a day with all its hours, a time with its last digit.
func parseMoment(name, text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if at.Year() < 1 {
			break
		}
		switch {
		case end && layout == time.DateOnly:
			at = at.AddDate(0, 0, 1)
		case end:
			at = at.Add(time.Microsecond) // what the stores keep
		}
		return at.UTC(), nil
	}
	return time.Time{}, chatops.Errorf(chatops.CodeInvalid, "Invalid %s: must be a day such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z", name)
}

func parsePage(query url.Values) (page, perPage int, err error) {
	if page, err = parseCount("page", query.Get("page"), 1, maxPage); err != nil {
		return 0, 0, err
	}
	perPage, err = parseCount("per_page", query.Get("per_page"), standardPerPage, maxPage)
	return page, min(perPage, maxPerPage), err
}

func parseCount(name, text string, standard, most int) (int, error) {
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, chatops.Errorf(chatops.CodeInvalid, "Invalid %s: must be a whole number from 1 to %d", name, most)
	}
	return n, nil
}
