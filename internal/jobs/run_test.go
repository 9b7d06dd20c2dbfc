package jobs

import (
	"context"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// hourly is a job whose first slot comes within the hour, under a short lease.
func hourly(w *work) Job {
	return Job{Schedule: Every(time.Hour), RunFunc: w.runFunc, Lease: 20 * time.Second}
}

// untilSlot lets time pass until a second after the next full hour.
func untilSlot() {
	pass(time.Until(Every(time.Hour).Next(time.Now())) + 2*time.Second)
}

func TestRun_KeepsItsLeaseWhileItRuns(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 10 * time.Minute}
		start(t, b, "a", hourly(w))
		start(t, b, "b", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		pass(9 * time.Minute)
		if j := b.job(); w.count() != 1 || j.Holder == "" || !j.Running(b.now()) {
			t.Fatalf("%d runs, job %+v, want it running", w.count(), j)
		}
		pass(2 * time.Minute)
		if got := b.results(); len(got) != 1 || got[0].result != "ok: run 1" || w.cutOff() != 0 {
			t.Fatalf("results %+v, %d runs cut off", got, w.cutOff())
		}
	})
}

// TestRun_OfADeadHolder_IsTakenOverWithinTheLease: a holder that was killed never
// speaks again.
func TestRun_OfADeadHolder_IsTakenOverWithinTheLease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		claim := func() *chatops.JobRun {
			hour := Every(time.Hour)
			r, err := b.ClaimJob(t.Context(), chatops.JobClaim{
				Name: "tidy", Instance: "a", Slot: hour.Slot(b.now()), Next: hour.Next(b.now()), Lease: 20 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		claim()
		pass(time.Hour)
		slot := claim().Slot
		r := start(t, b, "b", hourly(w))
		pass(19 * time.Second)
		if w.count() != 0 {
			t.Fatal("it was taken over before its lease had passed")
		}
		pass(3 * time.Second)
		got := b.results()
		if len(got) != 1 || got[0].instance != "b" || !got[0].slot.Equal(slot) || !strings.Contains(r.logs.String(), "from=a") {
			t.Fatalf("results %+v, want the slot run by b\n%s", got, r.logs)
		}
		pass(time.Minute)
		if w.count() != 1 {
			t.Fatalf("%d runs of the slot", w.count())
		}
	})
}

func TestRun_ThatWasTakenOver_IsStopped(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 10 * time.Minute}
		r := start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		b.set(func() {
			j := b.jobs["tidy"]
			j.Holder, j.Fence = "b", j.Fence+1
			j.LeaseUntil = b.now().Add(time.Hour)
			b.jobs["tidy"] = j
		})
		pass(6 * time.Second)
		if w.cutOff() != 1 || len(b.results()) != 0 || !strings.Contains(r.logs.String(), "lost its lease") {
			t.Fatalf("%d runs cut off, results %v\n%s", w.cutOff(), b.results(), r.logs)
		}
	})
}

// TestRun_WithoutTheDatabase_StopsBeforeItsLeaseHasPassed: nobody can tell it
// that it was taken over.
func TestRun_WithoutTheDatabase_StopsBeforeItsLeaseHasPassed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 10 * time.Minute}
		start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		b.set(func() { b.err = errAway })
		lease := b.job().LeaseUntil.Sub(b.now())
		pass(lease - time.Second)
		if w.cutOff() != 1 {
			t.Fatalf("the run goes on a second before its lease of %v has passed", lease)
		}
		b.set(func() { b.err = nil })
		w.set(func() { w.takes = 0 })
		pass(5 * time.Second)
		if got := b.results(); len(got) != 1 || w.count() != 2 {
			t.Fatalf("results %+v of %d runs, want the slot begun anew once", got, w.count())
		}
	})
}

func TestRun_OutlivesAShortOutage(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: time.Minute}
		start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		for range 4 {
			b.set(func() { b.err = errAway })
			pass(6 * time.Second)
			b.set(func() { b.err = nil })
			pass(6 * time.Second)
		}
		pass(30 * time.Second)
		if got := b.results(); len(got) != 1 || w.count() != 1 || w.cutOff() != 0 {
			t.Fatalf("results %+v of %d runs, %d cut off", got, w.count(), w.cutOff())
		}
	})
}

func TestRun_StoresItsResultAsSoonAsItCan(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		b.failFunc = func(call string) error {
			if call == "finish" {
				return errAway
			}
			return nil
		}
		start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		pass(time.Minute)
		b.set(func() { b.failFunc = nil })
		pass(3 * time.Second)
		if got := b.results(); len(got) != 1 || w.count() != 1 {
			t.Fatalf("results %+v of %d runs", got, w.count())
		}
	})
}

// TestRun_OfAReplicaThatStops_IsBegunAnewAtOnce: the other one does not wait for
// the lease.
func TestRun_OfAReplicaThatStops_IsBegunAnewAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{takes: 10 * time.Minute}
		a := start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		start(t, b, "b", hourly(w))
		w.set(func() { w.takes = 0 })
		a.stop()
		pass(2 * time.Second)
		if got := b.results(); len(got) != 1 || got[0].instance != "b" || w.cutOff() != 1 {
			t.Fatalf("results %+v, %d runs cut off, want b's", got, w.cutOff())
		}
	})
}

func TestRun_ThatEndsWhileItsReplicaStops_IsDone(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{}
		job := hourly(w)
		quick := job.RunFunc
		begun, goOn := make(chan struct{}), make(chan struct{})
		job.RunFunc = func(ctx context.Context) (string, error) {
			close(begun)
			<-goOn // it does not look at its context
			return quick(ctx)
		}
		a := start(t, b, "a", job)
		pass(2 * time.Second)
		untilSlot()
		<-begun
		time.AfterFunc(time.Second, func() { close(goOn) })
		a.stop()
		if got := b.results(); len(got) != 1 || got[0].result != "ok: run 1" {
			t.Fatalf("results %+v", got)
		}
	})
}

func TestRun_ThatFailsOrPanics_IsAFailedRunAndNothingElse(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		b, w := newTable(), &work{err: errAway}
		r := start(t, b, "a", hourly(w))
		pass(2 * time.Second)
		untilSlot()
		w.set(func() { w.err, w.panics = nil, "jan@example.pl" })
		untilSlot()
		var nothing *Job
		w.set(func() { w.panics = func() { panic(nothing.Name) } })
		untilSlot()
		var got []string
		for _, e := range b.results() {
			got = append(got, e.result)
		}
		want := "failed: the database does not answer; failed: the job panicked; failed: the job panicked"
		if strings.Join(got, "; ") != want {
			t.Fatalf("results %q, want %q", got, want)
		}
		logs := r.logs.String()
		if strings.Contains(logs, "jan@") || !strings.Contains(logs, "panic=string") || !strings.Contains(logs, "nil pointer") {
			t.Errorf("panics are logged as\n%s", logs)
		}
	})
}

func TestLocal_ThatPanics_RunsAgain(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		w := &work{panics: 7}
		r := start(t, newTable(), "a", Job{Schedule: Every(time.Minute), RunFunc: w.runFunc, EachProcess: true})
		pass(3*time.Minute + time.Second)
		if got := r.Report()[0]; w.count() != 3 || got.LastResult != "failed: the job panicked" {
			t.Fatalf("%d runs, report %+v", w.count(), got)
		}
	})
}
