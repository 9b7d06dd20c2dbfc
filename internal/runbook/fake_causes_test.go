package runbook

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// fakeCauses are what was said about causes.
type fakeCauses map[string]chatops.CauseMark

func (f *fakeStore) Causes(_ context.Context, q chatops.AlertFilter, limit int) (*chatops.CauseList, error) {
	list := &chatops.CauseList{Now: noon}
	for i := range f.alerts {
		a := &f.alerts[i]
		if !f.matches(a, q) {
			continue
		}
		at := slices.IndexFunc(list.Causes, func(c chatops.Cause) bool { return c.Fingerprint == a.Fingerprint })
		if at < 0 {
			c := chatops.Cause{CauseMark: f.causes[a.Fingerprint], Counts: map[chatops.AlertStatus]int64{}, Last: a.CreatedAt, SampleID: a.ID, EventType: a.EventType, Target: a.Target, Sample: a.ErrorMessage}
			c.Fingerprint = a.Fingerprint
			at, list.Causes = len(list.Causes), append(list.Causes, c)
		}
		c := &list.Causes[at]
		c.Counts[a.Status]++
		c.First = a.CreatedAt
		switch age := noon.Sub(a.CreatedAt); {
		case age < time.Hour:
			c.LastHour++
		case age < 2*time.Hour:
			c.HourBefore++
		}
		list.Alerts++
	}
	list.Groups = int64(len(list.Causes))
	slices.SortStableFunc(list.Causes, func(a, b chatops.Cause) int { return cmp.Compare(b.Total(), a.Total()) })
	list.Causes = list.Causes[:min(limit, len(list.Causes))]
	return list, f.err
}

func (f *fakeStore) sizeOf(fingerprint string) (size int64) {
	for i := range f.alerts {
		if a := &f.alerts[i]; a.Fingerprint == fingerprint && slices.Contains(unhappy, a.Status) {
			size++
		}
	}
	return size
}

func (f *fakeStore) CauseState(_ context.Context, fingerprint string) (*chatops.CauseState, error) {
	s := &chatops.CauseState{CauseMark: f.causes[fingerprint], Size: f.sizeOf(fingerprint), Now: noon}
	s.Fingerprint = fingerprint
	return s, f.err
}

func (f *fakeStore) MarkCause(_ context.Context, o chatops.CauseOrder) (*chatops.CauseMark, error) {
	if f.causes == nil {
		f.causes = fakeCauses{}
	}
	m := f.causes[o.Fingerprint]
	m.Fingerprint = o.Fingerprint
	switch o.Verb {
	case chatops.CauseNote:
		m.Note, m.NoteBy, m.NoteAt = o.Text, o.Actor, noon
	case chatops.CauseAck:
		m.AckBy, m.AckAt, m.SeenAt, m.SeenSize = o.Actor, noon, noon, f.sizeOf(o.Fingerprint)
	case chatops.CauseMute:
		m.MutedBy, m.MutedReason, m.MutedAt, m.MutedUntil = o.Actor, o.Text, noon, noon.Add(o.For)
		m.SeenAt, m.SeenSize = noon, f.sizeOf(o.Fingerprint)
	case chatops.CauseUnmute:
		m.MutedBy, m.MutedReason, m.MutedAt, m.MutedUntil = "", "", time.Time{}, time.Time{}
	}
	f.causes[o.Fingerprint] = m
	return &m, f.err
}

func (f *fakeStore) AlertGroups(ctx context.Context, limit, _ int) (*chatops.AlertGroups, error) {
	list, err := f.Causes(ctx, chatops.AlertFilter{Statuses: unhappy}, limit)
	var groups []chatops.AlertGroup
	for _, c := range list.Causes {
		groups = append(groups, chatops.AlertGroup{Fingerprint: c.Fingerprint, Sample: c.Sample})
	}
	return &chatops.AlertGroups{Groups: groups, Causes: len(groups)}, err
}
