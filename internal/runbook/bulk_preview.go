package runbook

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

const (
	// previewBound is how many alerts a dry run looks at, the newest: it takes a
	// second or two at any size of the queue.
	previewBound = 100_000
	// previewGroups is how many parts of a histogram are shown.
	previewGroups = 10
	// previewSamples is how many alerts are shown.
	previewSamples = 5
)

// previewView is what a dry run tells about the alerts that would be sent.
type previewView struct {
	Counted int64 `json:"counted"`
	Bounded bool  `json:"bounded"` // only the newest were counted

	Eligible         int64    `json:"eligible"`
	BreakerOpen      int64    `json:"breaker_open"` // of the eligible ones
	OpenBreakers     []string `json:"open_breakers"`
	Permanent        int64    `json:"permanent_error"` // of the eligible ones
	Withdrawn        int64    `json:"consent_withdrawn"`
	Elsewhere        int64    `json:"in_other_operation"`
	Delivered        int64    `json:"already_delivered"`
	DeliveredBounded bool     `json:"already_delivered_bounded"`

	Causes  []previewPart `json:"causes"`
	Types   []previewPart `json:"types"`
	Ages    []previewPart `json:"ages"`
	Samples []alertItem   `json:"samples"`

	ETASeconds *float64 `json:"eta_seconds"` // null: nothing is known that would slow it down
	ETABasis   string   `json:"eta_basis"`
}

// previewPart is a part of a histogram.
type previewPart struct {
	Name   string `json:"name"`
	Count  int64  `json:"count"`
	Sample string `json:"sample,omitempty"`
}

// tell makes the preview of a dry run.
func (r *bulkRun) tell(ctx context.Context, f chatops.AlertFilter) (*previewView, error) {
	op := &chatops.Operation{Kind: r.kind, Filter: f, Pace: r.pace}
	p, err := r.store.PreviewOperation(ctx, op, previewBound)
	if err != nil {
		return nil, err
	}
	v := &previewView{
		Counted: min(p.Counted, previewBound), Bounded: p.More, Eligible: p.Eligible(), OpenBreakers: []string{},
		Delivered: p.Delivered, DeliveredBounded: p.DeliveredMore,
		Permanent: p.Sum(func(g *chatops.PreviewRow) bool { return g.Permanent && !g.Elsewhere }),
		Withdrawn: p.Sum(func(g *chatops.PreviewRow) bool { return g.Withdrawn }),
		Elsewhere: p.Sum(func(g *chatops.PreviewRow) bool { return g.Elsewhere }),
	}
	if err := v.breakers(ctx, r, p); err != nil {
		return nil, err
	}
	if err := v.causes(ctx, r.store, p); err != nil {
		return nil, err
	}
	v.Types = parts(p, func(g *chatops.PreviewRow) string { return g.EventType })
	v.Ages = ages(p)
	f.Statuses = op.Selected()
	if v.Samples, err = samples(ctx, r.store, f, r.cfg.DLQRetries); err != nil {
		return nil, err
	}
	left := v.Eligible
	if v.Bounded {
		left += r.op.Matched - v.Counted
	}
	v.eta(r, p, left)
	return v, nil
}

// breakers counts what waits behind open circuit breakers.
func (v *previewView) breakers(ctx context.Context, r *bulkRun, p *chatops.Preview) error {
	f, err := r.env.look(ctx, r.store)
	if err != nil {
		return err
	}
	lanes, _ := p.Group(func(g *chatops.PreviewRow) string { return chatops.Integration(g.Lane) }, len(p.Rows))
	open := map[string]bool{}
	for _, g := range lanes {
		if state := f.Breaker(g.Name).State; state != stateClosed && state != chatops.StateUnknown {
			open[g.Name] = true
			v.OpenBreakers = append(v.OpenBreakers, g.Name)
		}
	}
	v.BreakerOpen = p.Sum(func(g *chatops.PreviewRow) bool {
		return open[chatops.Integration(g.Lane)] && !g.Elsewhere && !g.Withdrawn
	})
	return nil
}

// causes shows each cause with the newest text of it.
func (v *previewView) causes(ctx context.Context, store chatops.AlertStore, p *chatops.Preview) error {
	groups, others := p.Group(func(g *chatops.PreviewRow) string { return g.Fingerprint }, previewGroups)
	ids := make([]int64, len(groups))
	for i, g := range groups {
		ids[i] = g.Newest
	}
	texts := map[int64]string{}
	if len(ids) > 0 {
		list, _, err := store.Alerts(ctx, chatops.AlertFilter{IDs: ids}, chatops.AlertCursor{}, len(ids))
		if err != nil {
			return err
		}
		for i := range list {
			texts[list[i].ID] = list[i].ErrorMessage
		}
	}
	v.Causes = make([]previewPart, 0, len(groups))
	for _, g := range groups {
		name := g.Name
		if name == "" {
			name = "unknown"
		}
		v.Causes = append(v.Causes, previewPart{Name: name, Count: g.Count, Sample: texts[g.Newest]})
	}
	if others > 0 {
		v.Causes = append(v.Causes, previewPart{Name: "others", Count: others})
	}
	return nil
}

func parts(p *chatops.Preview, name func(*chatops.PreviewRow) string) []previewPart {
	groups, others := p.Group(name, previewGroups)
	list := make([]previewPart, 0, len(groups))
	for _, g := range groups {
		list = append(list, previewPart{Name: g.Name, Count: g.Count})
	}
	if others > 0 {
		list = append(list, previewPart{Name: "others", Count: others})
	}
	return list
}

// ages are in their order, not in that of their size.
func ages(p *chatops.Preview) []previewPart {
	list := []previewPart{}
	for age := range len(chatops.PreviewAges()) + 1 {
		a := chatops.PreviewAge(age)
		if n := p.Sum(func(g *chatops.PreviewRow) bool { return g.Age == a }); n > 0 {
			list = append(list, previewPart{Name: a.String(), Count: n})
		}
	}
	return list
}

func samples(ctx context.Context, store chatops.AlertStore, f chatops.AlertFilter, retries int) ([]alertItem, error) {
	list := []alertItem{}
	if len(f.Statuses) == 0 {
		return list, nil
	}
	alerts, _, err := store.Alerts(ctx, f, chatops.AlertCursor{}, previewSamples)
	for i := range alerts {
		list = append(list, viewAlert(&alerts[i], retries))
	}
	return list, err
}

// eta estimates how long the alerts take: at the pace that was asked for, or by
// what Slack takes, which is the one receiver whose limit is a setting.
func (v *previewView) eta(r *bulkRun, p *chatops.Preview, left int64) {
	set := func(d time.Duration, basis string) {
		seconds := d.Round(time.Second).Seconds()
		v.ETASeconds, v.ETABasis = &seconds, basis
	}
	if r.pace != nil {
		set(r.pace.ETA(left, 0, chatops.PaceWindow), "the pace, if all goes well")
		return
	}
	lanes, _ := p.Group(func(g *chatops.PreviewRow) string { return g.Lane }, len(p.Rows))
	for _, g := range lanes { // the largest first
		if chatops.Integration(g.Name) == "slack" {
			n := float64(g.Count)
			if p.More {
				n *= float64(r.op.Matched) / float64(p.Counted)
			}
			set(time.Duration(n/r.cfg.SlackRate*float64(time.Second)), "Slack takes "+number(r.cfg.SlackRate)+" a second and channel")
			return
		}
	}
	v.ETABasis = "as fast as the receivers answer; --rate sets a limit"
}

// bounded marks a count that is not the whole.
func bounded(n int64, more bool) string {
	if more {
		return strconv.FormatInt(n, 10) + " or more"
	}
	return strconv.FormatInt(n, 10)
}

func (v *previewView) sections() []section {
	open := strconv.FormatInt(v.BreakerOpen, 10)
	if len(v.OpenBreakers) > 0 {
		open += " (" + strings.Join(v.OpenBreakers, ", ") + ")"
	}
	counted := strconv.FormatInt(v.Counted, 10)
	if v.Bounded {
		counted = fmt.Sprintf("the newest %d; what follows is about those", v.Counted)
	}
	eta := v.ETABasis
	if v.ETASeconds != nil {
		eta = chatops.Span(time.Duration(*v.ETASeconds*float64(time.Second))) + " (" + v.ETABasis + ")"
	}
	list := []section{fields("counted", counted, "eligible", strconv.FormatInt(v.Eligible, 10), "breaker_open", open,
		"permanent_error", strconv.FormatInt(v.Permanent, 10), "consent_withdrawn", strconv.FormatInt(v.Withdrawn, 10),
		"in_other_operation", strconv.FormatInt(v.Elsewhere, 10), "already_delivered", bounded(v.Delivered, v.DeliveredBounded), "takes", eta)}
	for _, h := range []struct {
		title string
		parts []previewPart
	}{{"cause", v.Causes}, {"type", v.Types}, {"age", v.Ages}} {
		s := section{columns: []column{{name: h.title, whole: true}, {name: "alerts", right: true}}}
		if h.title == "cause" {
			s.columns = append(s.columns, column{name: "sample", flex: true})
		}
		for _, p := range h.parts {
			row := []string{p.Name, strconv.FormatInt(p.Count, 10)}
			if h.title == "cause" {
				row = append(row, p.Sample)
			}
			s.rows = append(s.rows, row)
		}
		list = append(list, s)
	}
	page := &alertPage{Items: v.Samples}
	return append(list, page.sections(false)...)
}
