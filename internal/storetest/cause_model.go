package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// toldAlert is a row as the model of causes knows it.
type toldAlert struct {
	id          int64
	target      string
	status      chatops.AlertStatus
	fingerprint string
	text        string
	at          time.Time
}

// causesFollowTheModel draws a queue and filters and compares what the store
// tells with what can be counted by hand.
func causesFollowTheModel(e *env) {
	now := e.clock.Peek().Truncate(time.Second)
	var rows []toldAlert
	rapid.Check(e.tb, func(t *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(t, "new rows") {
			rows = append(rows, e.drawAlert(t, now, int64(len(rows)+1)))
		}
		f := drawCauseFilter(t, now)
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		got, err := e.store.Causes(e.ctx, f, limit)
		if err != nil {
			t.Fatal(err)
		}
		if told, want := wordCauses(got), wordCauses(modelCauses(rows, f, limit, got.Now)); told != want {
			t.Fatalf("causes of %+v, at most %d\n%s\nwant\n%s", f, limit, told, want)
		}
	})
}

// drawAlert stores a row and returns what the model remembers of it.
func (e *env) drawAlert(t *rapid.T, now time.Time, id int64) toldAlert {
	a := toldAlert{
		id:     id,
		target: rapid.SampledFrom([]string{slackLane, mondayLane}).Draw(t, "target"),
		status: rapid.SampledFrom(chatops.AlertStatuses()).Draw(t, "status"),
		text:   rapid.SampledFrom([]string{"", "100% wrong", "Timeout"}).Draw(t, "text"),
		// Far from the hours' ends, which move while the model runs.
		at: now.Add(-time.Duration(rapid.SampledFrom([]int{1, 30, 80, 100, 600}).Draw(t, "minutes ago")) * time.Minute),
	}
	a.fingerprint = rapid.SampledFrom([]string{"", "aaa", "bbb", "ccc"}).Draw(t, "cause")
	e.exec(fmt.Sprintf(`INSERT INTO dead_letter_queue (id, event_type, target, payload, error_message, status, created_at, fingerprint)
		VALUES (%d, '%s', '%s', '{}', '%s', '%s', '%s', nullif('%s', ''))`,
		id, eventType(a.target), a.target, a.text, a.status, a.at.Format(sqlTime), a.fingerprint))
	return a
}

func drawCauseFilter(t *rapid.T, now time.Time) chatops.AlertFilter {
	f := chatops.AlertFilter{
		Statuses:    rapid.SliceOfNDistinct(rapid.SampledFrom(chatops.AlertStatuses()), 0, 3, rapid.ID).Draw(t, "statuses"),
		Targets:     rapid.SliceOfNDistinct(rapid.SampledFrom([]string{slackLane, mondayLane, "webhook:none"}), 0, 2, rapid.ID).Draw(t, "targets"),
		Error:       rapid.SampledFrom([]string{"", "", "time", "100%"}).Draw(t, "error"),
		Fingerprint: rapid.SampledFrom([]string{"", "", "", "bbb"}).Draw(t, "fingerprint"),
	}
	if rapid.Bool().Draw(t, "since") {
		f.Since = now.Add(-90 * time.Minute)
	}
	return f
}

func (a *toldAlert) in(f chatops.AlertFilter) bool {
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, a.status)) &&
		(len(f.Targets) == 0 || slices.Contains(f.Targets, a.target)) &&
		(f.Fingerprint == "" || f.Fingerprint == a.fingerprint) &&
		strings.Contains(strings.ToLower(a.text), f.Error) && (f.Since.IsZero() || !a.at.Before(f.Since))
}

// modelCauses is chatops.CauseStore.Causes, counted by hand.
func modelCauses(rows []toldAlert, f chatops.AlertFilter, limit int, now time.Time) *chatops.CauseList {
	groups := map[string]*chatops.Cause{}
	failed := map[string]bool{}
	list := &chatops.CauseList{Now: now}
	for i := range rows {
		a := &rows[i]
		if !a.in(f) {
			continue
		}
		list.Alerts++
		g := groups[a.fingerprint]
		if g == nil {
			g = &chatops.Cause{Counts: map[chatops.AlertStatus]int64{}, First: a.at, Last: a.at}
			g.Fingerprint, groups[a.fingerprint] = a.fingerprint, g
		}
		g.Counts[a.status]++
		if a.at.Before(g.First) {
			g.First = a.at
		}
		if a.at.After(g.Last) {
			g.Last = a.at
		}
		switch age := now.Sub(a.at); {
		case age < time.Hour:
			g.LastHour++
		case age < 2*time.Hour:
			g.HourBefore++
		}
		if fails := a.status == chatops.AlertFailed; fails || !failed[a.fingerprint] {
			failed[a.fingerprint] = fails
			g.SampleID, g.EventType, g.Target, g.Sample = a.id, eventType(a.target), a.target, a.text
		}
	}
	for _, g := range groups {
		list.Causes = append(list.Causes, *g)
	}
	list.Groups = int64(len(groups))
	// Of equal ones, that without a name is last.
	slices.SortFunc(list.Causes, func(a, b chatops.Cause) int {
		return cmp.Or(cmp.Compare(b.Total(), a.Total()), b.Last.Compare(a.Last),
			cmp.Compare(cmp.Or(a.Fingerprint, "~"), cmp.Or(b.Fingerprint, "~")))
	})
	list.Causes = list.Causes[:min(limit, len(list.Causes))]
	if len(list.Causes) == 0 {
		list.Groups, list.Alerts = 0, 0 // nothing was asked for, so nothing is told
	}
	return list
}

func wordCauses(list *chatops.CauseList) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d groups of %d alerts\n", list.Groups, list.Alerts)
	for i := range list.Causes {
		c := &list.Causes[i]
		fmt.Fprintf(&b, "%q %v, %d in the last hour, %d before, %s to %s, alert %d: %s %s %q\n", c.Fingerprint, c.Counts,
			c.LastHour, c.HourBefore, c.First.Format(sqlTime), c.Last.Format(sqlTime), c.SampleID, c.EventType, c.Target, c.Sample)
	}
	return b.String()
}
