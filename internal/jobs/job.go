package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"chatops/internal/chatops"
)

// DefaultLease is how long a fleet job belongs to a replica without a sign of
// life.
const DefaultLease = 30 * time.Second

// Job is one thing to do again and again.
type Job struct {
	Name     string
	Schedule Schedule
	// RunFunc does it and says in a few words what came of it, without personal
	// data. It must end soon after its context, and bear being begun anew after
	// it was interrupted at any point.
	RunFunc func(ctx context.Context) (result string, err error)
	// EachProcess: every replica runs it by a timer of its own, also where the
	// scheduler is off. Otherwise one replica runs it for the fleet.
	EachProcess bool
	// Lease is how soon another replica takes a run over when its own is gone;
	// 0: DefaultLease.
	Lease time.Duration
}

func (j *Job) validate() error {
	switch {
	case j.Name == "":
		return chatops.Errorf(chatops.CodeInvalid, "make scheduler: a job has no name")
	case j.RunFunc == nil:
		return chatops.Errorf(chatops.CodeInvalid, "make scheduler: job %s does nothing", j.Name)
	case !j.Schedule.valid():
		return chatops.Errorf(chatops.CodeInvalid, "make scheduler: job %s is never due (%s)", j.Name, j.Schedule)
	case j.EachProcess && j.Schedule.daily:
		return chatops.Errorf(chatops.CodeInvalid, "make scheduler: job %s of each process cannot be daily", j.Name)
	case j.Lease < 0:
		return chatops.Errorf(chatops.CodeInvalid, "make scheduler: job %s has a lease of %s", j.Name, j.Lease)
	}
	return nil
}

// call runs the job once. A panic is an error.
func (j *Job) call(ctx context.Context, log *slog.Logger) (result string, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("%T", p) // a value may hold anything, also a person's data
		if e, ok := p.(runtime.Error); ok {
			what = e.Error()
		}
		log.Error("a job panicked", "job", j.Name, "panic", what, "stack", string(debug.Stack()))
		err = chatops.Errorf(chatops.CodeInternal, "the job panicked")
	}()
	return j.RunFunc(ctx)
}

// word is what is kept of a run.
func word(result string, err error) string {
	const longest = 400
	text := "ok"
	switch {
	case err != nil:
		text = "failed: " + chatops.ErrorMessage(err)
	case result != "":
		text = "ok: " + result
	}
	if r := []rune(text); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return text
}
