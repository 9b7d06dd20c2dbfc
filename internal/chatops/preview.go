package chatops

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// PreviewRow counts alerts that are alike, of those that an operation would
// select.
type PreviewRow struct {
	Fingerprint string
	EventType   string
	Lane        string
	Age         PreviewAge
	Permanent   bool // its receiver has refused it for good
	Withdrawn   bool // a follow-up to somebody who has withdrawn consent since, or is suppressed
	Elsewhere   bool // it belongs to another operation
	Count       int64
	Newest      int64 // the highest id among them
}

// PreviewAge is how old alerts are, as an index into PreviewAges.
type PreviewAge int

// PreviewAges are the bounds of the ages; what is older is len(PreviewAges).
func PreviewAges() []time.Duration {
	return []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
}

// String words the age.
func (a PreviewAge) String() string {
	ages := PreviewAges()
	switch {
	case a < 0 || int(a) >= len(ages):
		return "older than " + Span(ages[len(ages)-1])
	case a == 0:
		return "up to " + Span(ages[0])
	}
	return Span(ages[a-1]) + " to " + Span(ages[a])
}

// Preview is what an operation would select, counted up to a bound.
type Preview struct {
	Rows    []PreviewRow
	Counted int64
	// More: there are more than Counted, which are the newest.
	More bool
	// Delivered are alerts that match the filter but for their status, because
	// they were delivered; up to the bound too.
	Delivered     int64
	DeliveredMore bool
}

// Bound finishes what a store has read with one row more than the bound allows.
func (p *Preview) Bound(countTo int) {
	p.Counted = 0
	for i := range p.Rows {
		p.Counted += p.Rows[i].Count
	}
	p.More = p.Counted > int64(countTo)
	p.DeliveredMore = p.Delivered > int64(countTo)
	p.Delivered = min(p.Delivered, int64(countTo))
}

// Sum counts the rows that a condition holds for.
func (p *Preview) Sum(is func(*PreviewRow) bool) (n int64) {
	for i := range p.Rows {
		if is(&p.Rows[i]) {
			n += p.Rows[i].Count
		}
	}
	return n
}

// PreviewMail is a follow-up among the alerts of a row.
type PreviewMail struct {
	Row     int // its index
	AlertID int64
	Barred  bool // its person is on the list of those who must not be written to
}

// Withdraw parts rows: a follow-up to somebody who is barred is one whose consent
// was withdrawn. mails are all follow-ups of the rows that have any.
func (p *Preview) Withdraw(mails []PreviewMail) {
	type part struct{ count, newest int64 }
	parts := map[int]*[2]part{} // of a row: who may be written to, and who is barred
	for _, m := range mails {
		if p.Rows[m.Row].Withdrawn {
			continue
		}
		if parts[m.Row] == nil {
			parts[m.Row] = &[2]part{}
		}
		half := &parts[m.Row][0]
		if m.Barred {
			half = &parts[m.Row][1]
		}
		half.count++
		half.newest = max(half.newest, m.AlertID)
	}
	rows := make([]PreviewRow, 0, len(p.Rows))
	for i, r := range p.Rows {
		if parts[i] == nil {
			rows = append(rows, r)
			continue
		}
		for barred, half := range parts[i] {
			if half.count > 0 {
				r.Withdrawn, r.Count, r.Newest = barred == 1, half.count, half.newest
				rows = append(rows, r)
			}
		}
	}
	p.Rows = rows
}

// Eligible is how many would be sent: those that no other operation has and whose
// person has not withdrawn.
func (p *Preview) Eligible() int64 {
	return p.Sum(func(r *PreviewRow) bool { return !r.Elsewhere && !r.Withdrawn })
}

// PreviewGroup is a part of a histogram.
type PreviewGroup struct {
	Name   string
	Count  int64
	Newest int64
}

// Group makes a histogram by a name: the largest groups first, at most limit of
// them, and how many alerts the others have.
func (p *Preview) Group(name func(*PreviewRow) string, limit int) (groups []PreviewGroup, others int64) {
	at := map[string]int{}
	for i := range p.Rows {
		r := &p.Rows[i]
		k := name(r)
		g, ok := at[k]
		if !ok {
			g = len(groups)
			at[k] = g
			groups = append(groups, PreviewGroup{Name: k})
		}
		groups[g].Count += r.Count
		groups[g].Newest = max(groups[g].Newest, r.Newest)
	}
	slices.SortFunc(groups, func(a, b PreviewGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	for _, g := range groups[min(limit, len(groups)):] {
		others += g.Count
	}
	return groups[:min(limit, len(groups))], others
}

// PreviewStore tells what an operation would do.
type PreviewStore interface {
	// PreviewOperation counts what an operation with this kind, filter and pace
	// would select if it were created now: the newest countTo alerts at most. It
	// changes nothing. CodeInvalid as CreateOperation.
	PreviewOperation(ctx context.Context, op *Operation, countTo int) (*Preview, error)
}
