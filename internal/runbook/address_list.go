package runbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// badLine is a line of a list that holds no address. The line itself is not
// repeated: it may hold somebody's data.
type badLine struct {
	Line    int    `json:"line"`
	Problem string `json:"problem"`
}

// addressList is what a file of addresses holds.
type addressList struct {
	keys       []string // different ones, in the order of the file
	duplicates int
	bad        []badLine
}

// emailHeaders are the names of the column, in small letters.
var emailHeaders = []string{"email", "e-mail", "mail", "email address", "e-mail address", "email_address", "adres email", "adres e-mail"} //nolint:misspell // Polish

// readAddresses reads a CSV file with a column of addresses, or one address in
// a line. CodeInvalid: the file as a whole cannot be read, and nothing of it
// should be used.
func readAddresses(raw []byte) (*addressList, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return nil, chatops.Errorf(chatops.CodeInvalid, "the list is in UTF-16: save it as CSV in UTF-8")
	}
	list := &addressList{bad: []badLine{}}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = delimiter(raw), -1, true
	seen := map[string]bool{}
	column, first := 0, true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			if err := list.unreadable(err); err != nil {
				return nil, err
			}
			continue
		}
		line, _ := r.FieldPos(0)
		if first {
			first = false
			if at := headerColumn(record); at >= 0 {
				column = at
				continue
			}
			if len(record) > 1 {
				return nil, hint(chatops.Errorf(chatops.CodeInvalid, "line %d has %d columns and none is called email: nothing was imported", line, len(record)),
					"name the columns in the first line, or leave only the addresses")
			}
		}
		list.add(line, record, column, seen)
	}
}

// unreadable takes down a line that is no CSV. An error: a quote was not closed,
// so that it is not known where the line ends.
func (l *addressList) unreadable(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrBareQuote) {
		l.bad = append(l.bad, badLine{parse.StartLine, "a quote within a cell"})
		return nil
	}
	if parse != nil {
		return chatops.Errorf(chatops.CodeInvalid, "line %d: a quote is not closed, or followed by something: nothing was imported", parse.StartLine)
	}
	return chatops.WrapError(chatops.CodeInvalid, err, "the list cannot be read: nothing was imported")
}

// add takes the address of a record.
func (l *addressList) add(line int, record []string, column int, seen map[string]bool) {
	if column >= len(record) {
		l.bad = append(l.bad, badLine{line, "has fewer columns than the first line"})
		return
	}
	cell := strings.TrimSpace(record[column])
	if bare := strings.TrimPrefix(cell, "'"); defuse(bare) != bare {
		cell = bare // a spreadsheet, or our own export, made it harmless
	}
	a, ok := consent.ParseEmail(cell)
	switch {
	case cell == "":
		l.bad = append(l.bad, badLine{line, "the address is empty"})
	case !utf8.ValidString(cell):
		l.bad = append(l.bad, badLine{line, "is not in UTF-8"})
	case !ok:
		l.bad = append(l.bad, badLine{line, "not an e-mail address"})
	case seen[a.Key]:
		l.duplicates++
	default:
		seen[a.Key] = true
		l.keys = append(l.keys, a.Key)
	}
}

// headerColumn is the column of addresses that a first line names; -1 when it
// names none.
func headerColumn(record []string) int {
	return slices.IndexFunc(record, func(cell string) bool {
		return slices.Contains(emailHeaders, strings.ToLower(strings.TrimSpace(cell)))
	})
}

// delimiter is what separates the cells of the first line: the commonest of
// comma, semicolon and tab.
func delimiter(raw []byte) rune {
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	best, most := ',', 0
	for _, r := range ",;\t" {
		if n := bytes.Count(line, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}
