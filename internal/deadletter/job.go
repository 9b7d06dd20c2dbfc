package deadletter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// The names of the engine's regular jobs.
const (
	JobRetry   = "dlq_retry"   // makes alerts claimable again that a crash or an UPDATE left behind
	JobCleanup = "dlq_cleanup" // deletes finished alerts of CleanupAge
)

// announceJob says when a job will run for the first time.
func (e *Engine) announceJob(name string, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs[name] = chatops.JobReport{Name: name, NextRun: e.now().Add(wait)}
}

// noteJob keeps the result of a run.
func (e *Engine) noteJob(name string, alerts int, err error, wait time.Duration) {
	now := e.now()
	result := fmt.Sprintf("ok: %d alerts", alerts)
	if err != nil {
		result = "error: " + Redact(err.Error())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs[name] = chatops.JobReport{Name: name, LastRun: now, LastResult: result, NextRun: now.Add(wait)}
}

// jobReports returns the jobs by name. The lock is held.
func (e *Engine) jobReports() []chatops.JobReport {
	all := make([]chatops.JobReport, 0, len(e.jobs))
	for _, j := range e.jobs {
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b chatops.JobReport) int { return strings.Compare(a.Name, b.Name) })
	return all
}
