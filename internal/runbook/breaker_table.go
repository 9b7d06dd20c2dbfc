package runbook

import (
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

func (l *breakerList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "breaker", whole: true}, {name: "state", whole: true, colorFunc: breakerColor}, {name: "failures", right: true},
		{name: "since"}, {name: "next_probe"}, {name: "replicas"}, {name: "reason", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "open_time"}, column{name: "opened_at"}, column{name: "retry_at"})
	}
	for i := range l.Breakers {
		s.rows = append(s.rows, l.Breakers[i].row(wide))
	}
	if !wide && !l.named {
		return []section{s}
	}
	replicas := section{title: "replicas", columns: []column{
		{name: "breaker", whole: true}, {name: "replica", flex: true}, {name: "state", whole: true, colorFunc: breakerColor},
		{name: "failures", right: true}, {name: "since"}, {name: "next_probe"}, {name: "heartbeat"}, {name: "reason", flex: true},
	}}
	for i := range l.Breakers {
		replicas.rows = append(replicas.rows, l.Breakers[i].replicaRows()...)
	}
	if len(replicas.rows) == 0 {
		return []section{s}
	}
	return []section{s, replicas}
}

// row is the breaker as one line.
func (v *breakerView) row(wide bool) []string {
	failures, opening := "", ""
	if v.FailCount != nil {
		failures = strconv.Itoa(*v.FailCount) + "/" + strconv.Itoa(*v.FailMax)
		opening = chatops.Span(time.Duration(*v.ResetTimeout * float64(time.Second)))
	}
	row := []string{v.Name, v.State, failures, ago(time.Time(v.OpenedAt), v.now), v.nextProbe(v.State, v.RetryAt), v.wordReplicas(), v.wordReason()}
	if wide {
		row = append(row, opening, v.OpenedAt.short(), v.RetryAt.short())
	}
	return row
}

// wordReason words why a breaker is not closed.
func (v *breakerView) wordReason() string {
	if o := v.Order; o != nil && o.Mode == chatops.BreakerTripped {
		return "tripped " + wordBy(o.Actor, time.Time(o.Until), o.Reason, v.now)
	}
	return v.Reason
}

// nextProbe words when a breaker will be tried again.
func (v *breakerView) nextProbe(state string, retryAt timestamp) string {
	if state == stateForced && time.Time(retryAt).IsZero() {
		return "when told"
	}
	return ahead(time.Time(retryAt), v.now)
}

// wordReplicas words in how many replicas the breaker is in its state.
func (v *breakerView) wordReplicas() string {
	fresh, same, gone := v.reporting()
	text := "none"
	if fresh > 0 {
		text = fmt.Sprintf("%d of %d", same, fresh)
	}
	if gone > 0 {
		text += fmt.Sprintf(", %d stale", gone)
	}
	return text
}

// replicaRows is a line for each replica.
func (v *breakerView) replicaRows() [][]string {
	rows := make([][]string, len(v.Replicas))
	for i := range v.Replicas {
		r := &v.Replicas[i]
		state, since, probe := r.State, ago(time.Time(r.OpenedAt), v.now), v.nextProbe(r.State, r.RetryAt)
		if r.Stale { // what it said last is no news of today
			state, since, probe = "stale, was "+r.State, "", ""
		}
		rows[i] = []string{
			v.Name, r.Instance, state, fmt.Sprint(r.FailCount), since, probe, age(r.age), r.Reason,
		}
	}
	return rows
}

// breakerColor is the colour of a state on a terminal.
func breakerColor(state string) string {
	switch state {
	case stateClosed:
		return "green"
	case stateOpen, stateForced:
		return "red"
	}
	return "yellow"
}
