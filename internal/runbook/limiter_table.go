package runbook

import (
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

func (v *limiterView) sections(wide bool) []section {
	limits := section{columns: []column{
		{name: "limit", whole: true}, {name: "value", whole: true}, {name: "source", flex: true},
		{name: "allowed/min", right: true}, {name: "denied/min", right: true}, {name: "replicas"},
	}}
	denied := section{title: "refused most", columns: []column{{name: "limit", whole: true}, {name: "client", whole: true}, {name: "denied/min", right: true}}}
	for i := range v.Limits {
		l := &v.Limits[i]
		limits.rows = append(limits.rows, l.row(v.now))
		for _, d := range l.TopDenied {
			denied.rows = append(denied.rows, []string{l.Name, d.Client, strconv.FormatInt(d.Count, 10)})
		}
	}
	list := []section{limits}
	for _, s := range []section{denied, v.blockSection(), v.replicaSection(), v.limitSection(wide)} {
		if len(s.rows) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// row is the limit as one line.
func (v *limitView) row(now time.Time) []string {
	value, replicas := "unknown", "none"
	if v.Value != nil {
		value = *v.Value
	}
	if fresh, same := v.agreeing(); fresh > 0 {
		replicas = fmt.Sprintf("%d of %d", same, fresh)
	}
	return []string{v.Name, value, v.wordSource(now), strconv.FormatInt(v.Allowed, 10), strconv.FormatInt(v.Denied, 10), replicas}
}

// wordSource words where the value comes from.
func (v *limitView) wordSource(now time.Time) string {
	o := v.Override
	switch {
	case o != nil && v.Source != nil && *v.Source == "override" && *v.Value == o.Value:
		return "override " + wordBy(o.Actor, time.Time(o.Until), o.Reason, now)
	case o != nil && v.Source != nil:
		return *v.Source + "; not obeyed yet: " + o.Value + " " + wordBy(o.Actor, time.Time(o.Until), o.Reason, now)
	case v.Source != nil:
		return *v.Source
	}
	return ""
}

func (v *limiterView) blockSection() section {
	s := section{title: "blocked", columns: []column{{name: "network", whole: true}, {name: "left"}, {name: "since"}, {name: "by"}, {name: "reason", flex: true}}}
	for _, b := range v.Blocks {
		left := "until unblocked"
		if until := time.Time(b.Until); !until.IsZero() {
			left = chatops.Span(until.Sub(v.now))
		}
		s.rows = append(s.rows, []string{b.Network, left, ago(time.Time(b.CreatedAt), v.now), b.Actor, b.Reason})
	}
	return s
}

func (v *limiterView) replicaSection() section {
	s := section{title: "replicas", columns: []column{
		{name: "replica", flex: true}, {name: "backend", whole: true, colorFunc: backendColor}, {name: "limits"}, {name: "blocked/min", right: true}, {name: "heartbeat"},
	}}
	for _, r := range v.Replicas {
		backend, limits := r.Backend, "on"
		if !r.Enabled {
			limits = "off"
		}
		if r.Stale {
			backend = "stale, was " + backend
		}
		s.rows = append(s.rows, []string{r.Instance, backend, limits, strconv.FormatInt(r.Blocked, 10), age(r.age)})
	}
	return s
}

// limitSection is a line for each limit and replica, in the wide form.
func (v *limiterView) limitSection(wide bool) section {
	s := section{title: "limits by replica", columns: []column{
		{name: "limit", whole: true}, {name: "replica", flex: true}, {name: "value", whole: true}, {name: "source"},
		{name: "allowed/min", right: true}, {name: "denied/min", right: true},
	}}
	for i := range v.Limits {
		for _, r := range v.Limits[i].Replicas {
			if wide {
				source := r.Source
				if r.Stale {
					source = "stale, was " + source
				}
				s.rows = append(s.rows, []string{v.Limits[i].Name, r.Instance, r.Value, source, strconv.FormatInt(r.Allowed, 10), strconv.FormatInt(r.Denied, 10)})
			}
		}
	}
	return s
}

// backendColor is the colour of where a replica counts.
func backendColor(backend string) string {
	if backend == "redis" {
		return "green"
	}
	return "yellow"
}
