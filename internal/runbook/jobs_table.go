package runbook

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

func (l *jobList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "job", whole: true}, {name: "state", whole: true, colorFunc: jobColor}, {name: "last_run"}, {name: "took"},
		{name: "next_run"}, {name: "result", flex: true}, {name: "replica", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "scope"}, column{name: "last_run_at"}, column{name: "next_run_at"})
	}
	for i := range l.Jobs {
		s.rows = append(s.rows, l.Jobs[i].row(wide))
	}
	if !wide && !l.named {
		return []section{s}
	}
	replicas := section{title: "replicas", columns: []column{
		{name: "job", whole: true}, {name: "replica", flex: true}, {name: "last_run"}, {name: "next_run"}, {name: "result", flex: true},
	}}
	for i := range l.Jobs {
		replicas.rows = append(replicas.rows, l.Jobs[i].replicaRows()...)
	}
	if len(replicas.rows) == 0 {
		return []section{s}
	}
	return []section{s, replicas}
}

// row is the job as one line.
func (v *jobView) row(wide bool) []string {
	row := []string{
		v.Name, v.State, ago(time.Time(v.LastRun), v.now), wordSeconds(v.Duration), v.wordNext(), v.wordResult(), v.wordReplica(),
	}
	if wide {
		row = append(row, v.Scope, v.LastRun.short(), v.NextRun.short())
	}
	return row
}

// wordNext words when the job runs next.
func (v *jobView) wordNext() string {
	if v.State == jobPaused {
		return "when resumed"
	}
	return ahead(time.Time(v.NextRun), v.now)
}

// wordResult words what came of the last run, and why there is no next one.
func (v *jobView) wordResult() string {
	if v.State == jobPaused {
		return "paused " + wordPause(v.PausedBy, v.PausedReason)
	}
	return v.LastResult
}

// wordReplica words who runs the job, or has run it.
func (v *jobView) wordReplica() string {
	switch {
	case v.Scope == "fleet" && v.Holder != "":
		return v.Holder
	case v.Scope == "fleet":
		return v.LastInstance
	}
	fresh := 0
	for i := range v.Replicas {
		if !v.Replicas[i].Stale {
			fresh++
		}
	}
	return fmt.Sprintf("each of %d", fresh)
}

// replicaRows is a line for each replica.
func (v *jobView) replicaRows() [][]string {
	rows := make([][]string, len(v.Replicas))
	for i := range v.Replicas {
		r := &v.Replicas[i]
		next := ahead(time.Time(r.NextRun), v.now)
		if r.Stale {
			next = "stale"
		}
		rows[i] = []string{v.Name, r.Instance, ago(time.Time(r.LastRun), v.now), next, r.LastResult}
	}
	return rows
}

// wordSeconds words a length of time, "" where there is none.
func wordSeconds(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return chatops.Span(time.Duration(*seconds * float64(time.Second)))
}

// jobColor is the colour of a state on a terminal.
func jobColor(state string) string {
	switch state {
	case jobIdle, runOK:
		return "green"
	case jobLate, jobInterrupted, runFailed:
		return "red"
	}
	return "yellow"
}
