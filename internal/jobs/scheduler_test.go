package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

var errAway = chatops.Errorf(chatops.CodeUnavailable, "the database does not answer")

func TestScheduler_RunsEachSlotOnceAmongMany(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 3 * time.Second}
		for i := range 5 {
			start(t, b, fmt.Sprint("replica-", i), Job{Schedule: Every(time.Minute), RunFunc: w.runFunc})
		}
		pass(10*time.Minute + 10*time.Second)
		got := b.results()
		if len(got) != 10 || w.count() != 10 || w.mostAtOnce() != 1 {
			t.Fatalf("%d results of %d runs in ten minutes, %d at once: %v", len(got), w.count(), w.mostAtOnce(), got)
		}
		for i := 1; i < len(got); i++ {
			if got[i].slot.Sub(got[i-1].slot) != time.Minute {
				t.Errorf("slot %v follows %v", got[i].slot, got[i-1].slot)
			}
		}
	})
}

func TestScheduler_OfANewInstallation_WaitsForTheFirstSlot(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		r := start(t, b, "a", Job{Schedule: Daily(3, 30), RunFunc: w.runFunc})
		pass(time.Minute)
		if w.count() != 0 {
			t.Fatal("it ran at once")
		}
		next := Daily(3, 30).Next(time.Now())
		if got := r.Report(); len(got) != 1 || got[0].Name != "tidy" || !got[0].NextRun.Equal(next) || !got[0].LastRun.IsZero() {
			t.Fatalf("report %+v, want the next run at %v", got, next)
		}
		pass(time.Until(next) + 5*time.Second)
		got := r.Report()[0]
		if w.count() != 1 || got.LastResult != "ok: run 1" || got.LastRun.Sub(next) > 2*time.Second || got.NextRun.Sub(next) != 24*time.Hour {
			t.Fatalf("%d runs, report %+v", w.count(), got)
		}
	})
}

func TestScheduler_AfterDowntime_CatchesUpOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		job := Job{Schedule: Every(time.Minute), RunFunc: w.runFunc}
		start(t, b, "a", job).stop()
		pass(7 * time.Hour)
		start(t, b, "a", job)
		pass(2 * time.Second)
		if w.count() != 1 {
			t.Fatalf("%d runs after seven hours of downtime, want one", w.count())
		}
	})
}

func TestScheduler_WhenTheDatabaseComesBack_CatchesUpOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		r := start(t, b, "a", Job{Schedule: Every(time.Minute), RunFunc: w.runFunc})
		pass(30 * time.Second)
		b.set(func() { b.err = errAway })
		pass(time.Hour)
		b.set(func() { b.err = nil })
		pass(5 * time.Second)
		if w.count() != 1 {
			t.Errorf("%d runs after an hour's outage, want one", w.count())
		}
		logs := r.logs.String()
		if strings.Count(logs, "does not say what is due") != 1 || strings.Count(logs, "says again") != 1 {
			t.Errorf("the outage is logged as\n%s", logs)
		}
	})
}

// TestScheduler_TheClockOfTheDatabaseJumps: each slot once, no burst, whichever
// way; the clock of the host is not asked.
func TestScheduler_TheClockOfTheDatabaseJumps(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		for i := range 3 {
			start(t, b, fmt.Sprint("replica-", i), Job{Schedule: Every(10 * time.Minute), RunFunc: w.runFunc})
		}
		pass(10*time.Minute + 5*time.Second) // one run
		b.set(func() { b.shift = 5 * time.Hour })
		pass(2 * time.Minute)
		if w.count() != 2 {
			t.Fatalf("%d runs after a jump forward, want one more", w.count())
		}
		b.set(func() { b.shift = 4 * time.Hour })
		pass(59 * time.Minute)
		if w.count() != 2 {
			t.Fatalf("%d runs in the hour that was run before", w.count())
		}
		pass(12 * time.Minute)
		if w.count() != 3 && w.count() != 4 {
			t.Fatalf("%d runs when new slots come, want them run", w.count())
		}
		slots := map[time.Time]int{}
		for _, e := range b.results() {
			if slots[e.slot]++; slots[e.slot] > 1 {
				t.Errorf("slot %v ran %d times", e.slot, slots[e.slot])
			}
		}
	})
}

func TestScheduler_Paused_RunsNothingUntilItIsResumed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		r := start(t, b, "a", Job{Schedule: Every(time.Minute), RunFunc: w.runFunc})
		pass(2 * time.Second)
		if err := b.PauseJob(t.Context(), "tidy", true, "ola", "why"); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Minute)
		if got := r.Report()[0]; w.count() != 0 || !got.Paused {
			t.Fatalf("%d runs while it was paused; report %+v", w.count(), got)
		}
		if err := b.RequestJob(t.Context(), "tidy"); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if w.count() != 1 {
			t.Fatalf("%d runs of a paused job that was asked for", w.count())
		}
		if err := b.PauseJob(t.Context(), "tidy", false, "ola", ""); err != nil {
			t.Fatal(err)
		}
		pass(61 * time.Second)
		if n := w.count(); n != 2 {
			t.Fatalf("%d runs after it was resumed", n)
		}
	})
}

func TestScheduler_RunNow_DoesNotReplaceTheNextSlot(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 5 * time.Second}
		start(t, b, "a", Job{Schedule: Every(time.Hour), RunFunc: w.runFunc})
		start(t, b, "b", Job{Schedule: Every(time.Hour), RunFunc: w.runFunc})
		pass(2 * time.Second)
		for range 3 { // before it runs, and while it does
			_ = b.RequestJob(t.Context(), "tidy")
		}
		pass(8 * time.Second)
		if w.count() != 1 || w.mostAtOnce() != 1 {
			t.Fatalf("%d runs, %d at once, of a job that was asked for", w.count(), w.mostAtOnce())
		}
		pass(time.Hour)
		if w.count() != 2 {
			t.Fatalf("%d runs after the next slot", w.count())
		}
	})
}

func TestScheduler_SwitchedOff_LeavesFleetJobsToOthers(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w, own := newTable(), &work{}, &work{}
		r := start(t, b, "a", Job{Schedule: Every(time.Minute), RunFunc: w.runFunc}, func(o *Options) {
			o.Fleet = false
			o.Jobs = append(o.Jobs, Job{Name: "own", Schedule: Every(time.Minute), RunFunc: own.runFunc, EachProcess: true})
		})
		pass(10*time.Minute + time.Second)
		if w.count() != 0 || own.count() != 10 {
			t.Errorf("%d runs of the fleet's job and %d of its own, want 0 and 10", w.count(), own.count())
		}
		if got := r.Report(); len(got) != 1 || got[0].Name != "own" {
			t.Errorf("report %+v, want its own job", got)
		}
	})
}

func TestScheduler_EachProcess_RunsByItsOwnTimer(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, works := newTable(), []*work{{}, {}}
		var all []*replica
		for i, w := range works {
			all = append(all, start(t, b, fmt.Sprint("replica-", i), Job{Schedule: Every(10 * time.Minute), RunFunc: w.runFunc, EachProcess: true}))
		}
		counts := func() [2]int { return [2]int{works[0].count(), works[1].count()} }
		want := func(n int, what string) {
			t.Helper()
			if got := counts(); got != [2]int{n, n} {
				t.Fatalf("%s: %v runs, want %d each", what, got, n)
			}
		}
		b.set(func() { b.err = errAway }) // it needs no database
		pass(10*time.Minute + time.Second)
		want(1, "after the interval")
		b.set(func() { b.err = nil })
		pass(2 * time.Second)
		_ = b.RequestJob(t.Context(), "tidy")
		pass(2 * time.Second)
		want(2, "asked for")
		_ = b.PauseJob(t.Context(), "tidy", true, "ola", "")
		pass(time.Hour)
		want(2, "paused")
		if got := all[0].Report()[0]; !got.Paused || got.LastResult != "ok: run 2" || got.LastRun.IsZero() || !got.NextRun.After(time.Now()) {
			t.Errorf("report %+v", got)
		}
		_ = b.RequestJob(t.Context(), "tidy")
		pass(2 * time.Second)
		want(3, "asked for while it is paused")
		late := &work{}
		start(t, b, "late", Job{Schedule: Every(10 * time.Minute), RunFunc: late.runFunc, EachProcess: true})
		pass(time.Minute)
		if late.count() != 0 {
			t.Errorf("a request from before it started ran %d times", late.count())
		}
	})
}

func TestNew_RefusesJobsThatCannotWork(t *testing.T) {
	t.Parallel()
	good := Job{Name: "tidy", Schedule: Every(time.Minute), RunFunc: (&work{}).runFunc}
	if _, err := New(Options{Store: newTable(), Instance: "a", Jobs: []Job{good}}); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(o *Options){
		"no store":            func(o *Options) { o.Store = nil },
		"no name of the inst": func(o *Options) { o.Instance = "" },
		"two jobs tidy":       func(o *Options) { o.Jobs = append(o.Jobs, good) },
		"has no name":         func(o *Options) { o.Jobs[0].Name = "" },
		"does nothing":        func(o *Options) { o.Jobs[0].RunFunc = nil },
		"never due (every 0s": func(o *Options) { o.Jobs[0].Schedule = Schedule{} },
		"daily at 24:00":      func(o *Options) { o.Jobs[0].Schedule = Daily(24, 0) },
		"daily at 03:60":      func(o *Options) { o.Jobs[0].Schedule = Daily(3, 60) },
		"cannot be daily":     func(o *Options) { o.Jobs[0].Schedule, o.Jobs[0].EachProcess = Daily(3, 0), true },
		"lease of -1s":        func(o *Options) { o.Jobs[0].Lease = -time.Second },
	} {
		o := Options{Store: newTable(), Instance: "a", Jobs: []Job{good}}
		change(&o)
		if _, err := New(o); chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want CodeInvalid and %q", err, want)
		}
	}
}

func TestJitter_StaysWithinATenth(t *testing.T) {
	t.Parallel()
	for draw, want := range map[int64]time.Duration{0: 900 * time.Millisecond, int64(100e6): time.Second, int64(200e6): 1100 * time.Millisecond} {
		s, err := New(Options{Store: newTable(), Instance: "a", RandFunc: func(n int64) int64 {
			if n != int64(200e6)+1 {
				t.Errorf("drawn from %d", n)
			}
			return draw
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.jitter(time.Second); got != want {
			t.Errorf("draw %d: %v, want %v", draw, got, want)
		}
	}
}

func TestWord_KeepsResultsShortAndInOurOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		result string
		err    error
		want   string
	}{
		{"", nil, "ok"},
		{"3 deleted", nil, "ok: 3 deleted"},
		{"3 deleted", errAway, "failed: the database does not answer"},
		{"", errors.New("jan@example.pl is no number"), "failed: internal error"},
		{"", context.DeadlineExceeded, "failed: internal error"},
		{strings.Repeat("ł", 500), nil, "ok: " + strings.Repeat("ł", 395) + "…"},
	} {
		if got := word(c.result, c.err); got != c.want {
			t.Errorf("word(%.20q, %v) = %q, want %q", c.result, c.err, got, c.want)
		}
	}
}
