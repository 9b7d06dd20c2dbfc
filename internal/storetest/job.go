package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

func jobCases() []testCase {
	return []testCase{
		{"ClaimJob_MakesANewJob_WhoseSlotIsAsGoodAsDone", jobNew},
		{"ClaimJob_ByManyHandlesAtOnce_IsGivenOncePerSlot", jobParallel},
		{"ClaimJob_AfterDowntime_RunsTheNewestSlotOnly", jobCatchUp},
		{"ClaimJob_OfASlotInTheFuture_IsRefused", jobFuture},
		{"ClaimJob_AfterTheLease_TakesTheRunOver", jobTakenOver},
		{"ClaimJob_WithoutNameInstanceOrLease_IsInvalid", jobInvalid},
		{"ExtendJob_KeepsTheRun_AndGivesItUpWithoutALease", jobExtended},
		{"FinishJob_KeepsTheResult_AndFreesTheJob", jobFinished},
		{"PauseJob_StopsTheJobUntilItIsResumed", jobPaused},
		{"RequestJob_RunsItOnce_AlsoPausedAndAfterTheSlot", jobRequested},
		{"Jobs_OfEachProcess_AreKnownAndNeverClaimed", jobEachProcess},
		{"Jobs_ThatNobodyKnows_AreNotFound", jobUnknown},
	}
}

// slots of the job's tests are an hour apart, the first an hour before the
// clock's start.
func (e *env) slot(n int) time.Time {
	return e.clock.Peek().Truncate(time.Hour).Add(time.Duration(n-1) * time.Hour)
}

func jobClaim(instance string, slot time.Time) chatops.JobClaim {
	return chatops.JobClaim{Name: "tidy", Instance: instance, Slot: slot, Next: slot.Add(time.Hour), Lease: lease}
}

// wantRun claims and ends the test unless a run is given, or is not.
func (e *env) wantRun(c chatops.JobClaim, given bool) *chatops.JobRun {
	e.t.Helper()
	r, err := e.store.ClaimJob(e.ctx, c)
	e.must(err)
	if (r != nil) != given {
		e.t.Fatalf("%s asks for slot %v and gets %+v, want a run: %v", c.Instance, c.Slot, r, given)
	}
	return r
}

// job returns the one job that the tests know.
func (e *env) job() chatops.JobState {
	e.t.Helper()
	list, err := e.store.Jobs(e.ctx)
	e.must(err)
	if len(list.Jobs) != 1 || list.Now.Location() != time.UTC || list.Now.Sub(e.clock.Peek()).Abs() > time.Second {
		e.t.Fatalf("jobs are %+v, want one, by the database's clock", list)
	}
	return list.Jobs[0]
}

// beginJob makes the job known, and claims its next slot for an instance.
func (e *env) beginJob(instance string) (*chatops.JobRun, chatops.JobClaim) {
	e.t.Helper()
	e.wantRun(jobClaim(instance, e.slot(1)), false)
	c := jobClaim(instance, e.slot(2))
	e.clock.Advance(time.Hour)
	return e.wantRun(c, true), c
}

func jobNew(e *env) {
	c := jobClaim("a", e.slot(1))
	e.wantRun(c, false)
	e.wantRun(c, false)
	want := chatops.JobState{Name: "tidy", Slot: c.Slot, NextRun: c.Next}
	if got := e.job(); got != want {
		e.t.Fatalf("the new job is\n%+v, want\n%+v", got, want)
	}
	c.Next = c.Slot.Add(20 * time.Minute)
	e.wantRun(c, false)
	if got := e.job(); !got.NextRun.Equal(c.Next) {
		e.t.Fatalf("next run is %v after a change of the schedule, want %v", got.NextRun, c.Next)
	}
}

func jobParallel(e *env) {
	e.wantRun(jobClaim("first", e.slot(1)), false)
	slots := []time.Time{e.slot(2), e.slot(3)}
	stores := []chatops.Store{e.store, e.open(), e.open()}
	for n, slot := range slots {
		e.clock.Advance(time.Hour)
		var given atomic.Int32
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				s := stores[i%len(stores)]
				r, err := s.ClaimJob(e.ctx, jobClaim(string(rune('a'+i)), slot))
				if err == nil && r != nil {
					given.Add(1)
					if r.Fence != int64(n+1) || !r.Slot.Equal(slot) {
						e.t.Errorf("run %+v, want fence %d", r, n+1)
					}
					err = s.FinishJob(e.ctx, r, "ok: 1")
				}
				if err != nil {
					e.t.Errorf("claim or end: %v", err)
				}
			})
		}
		all.Wait()
		if given.Load() != 1 {
			e.t.Fatalf("slot %d ran %d times", n, given.Load())
		}
	}
}

func jobCatchUp(e *env) {
	e.wantRun(jobClaim("a", e.slot(1)), false)
	missed, newest := e.slot(4), e.slot(6)
	e.clock.Advance(5 * time.Hour)
	e.must(e.store.FinishJob(e.ctx, e.wantRun(jobClaim("a", newest), true), "ok: 1"))
	e.wantRun(jobClaim("b", missed), false) // a host whose clock is behind
	e.wantRun(jobClaim("b", newest), false)
}

func jobFuture(e *env) {
	present, c := e.slot(1), jobClaim("a", e.slot(3))
	e.wantRun(jobClaim("a", present), false)
	e.wantRun(c, false)
	if got := e.job(); !got.Slot.Equal(present) {
		e.t.Fatalf("the slot is %v, want %v", got.Slot, present)
	}
	e.must(e.store.RequestJob(e.ctx, "tidy"))
	if r := e.wantRun(c, true); !r.Slot.Equal(present) {
		e.t.Fatalf("a requested run has slot %v, want the present one, %v", r.Slot, present)
	}
}

func jobTakenOver(e *env) {
	r, c := e.beginJob("a")
	c.Instance = "b"
	e.clock.Advance(lease - time.Second)
	e.wantRun(c, false)
	e.clock.Advance(time.Second)
	over := e.wantRun(c, true)
	if over.TakenOver != "a" || over.Fence <= r.Fence || !over.Slot.Equal(r.Slot) || over.Instance != "b" || over.Requested {
		e.t.Fatalf("run %+v takes over from %+v", over, r)
	}
	e.wantCode(e.store.ExtendJob(e.ctx, r, lease), chatops.CodeConflict)
	e.wantCode(e.store.FinishJob(e.ctx, r, "ok: stale"), chatops.CodeConflict)
	if got := e.job(); got.LastResult != "" || got.Holder != "b" || got.LastInstance != "b" {
		e.t.Fatalf("the job is %+v, want b's", got)
	}
	e.must(e.store.FinishJob(e.ctx, over, "ok: 1"))
	e.wantCode(e.store.FinishJob(e.ctx, over, "ok: 2"), chatops.CodeConflict)
	e.wantRun(c, false)
}

func jobInvalid(e *env) {
	good := jobClaim("a", e.slot(1))
	for _, breakFunc := range []func(c *chatops.JobClaim){
		func(c *chatops.JobClaim) { c.Name = "" },
		func(c *chatops.JobClaim) { c.Instance = "" },
		func(c *chatops.JobClaim) { c.Lease = 0 },
	} {
		c := good
		breakFunc(&c)
		_, err := e.store.ClaimJob(e.ctx, c)
		e.wantCode(err, chatops.CodeInvalid)
	}
}

func jobExtended(e *env) {
	r, c := e.beginJob("a")
	c.Instance = "b"
	for range 3 {
		e.clock.Advance(lease - time.Second)
		e.must(e.store.ExtendJob(e.ctx, r, lease))
		e.wantRun(c, false)
	}
	e.must(e.store.ExtendJob(e.ctx, r, 0))
	if over := e.wantRun(c, true); over.TakenOver != "a" {
		e.t.Fatalf("run %+v, want it taken over from a", over)
	}
}

func jobFinished(e *env) {
	r, c := e.beginJob("a")
	got := e.job()
	if got.Holder != "a" || got.LeaseUntil.Sub(got.LastStarted) != lease || !got.Running(e.clock.Peek()) {
		e.t.Fatalf("the running job is %+v", got)
	}
	e.clock.Advance(5 * time.Second)
	e.must(e.store.FinishJob(e.ctx, r, "ok: zażółć\x00 1"))
	took := got.LastStarted
	got = e.job()
	want := chatops.JobState{
		Name: "tidy", Slot: c.Slot, NextRun: c.Next, Fence: r.Fence, LastStarted: took, LastFinished: got.LastFinished,
		LastResult: "ok: zażółć\ufffd 1", LastInstance: "a",
	}
	if want.LastResult = chatops.CleanText("ok: zażółć\x00 1"); got != want || got.LastFinished.Sub(took) < 5*time.Second {
		e.t.Fatalf("the job is\n%+v, want\n%+v", got, want)
	}
}

func jobPaused(e *env) {
	e.wantRun(jobClaim("a", e.slot(1)), false)
	e.must(e.store.PauseJob(e.ctx, "tidy", true, "ola", "disk is full"))
	if got := e.job(); !got.Paused || got.PausedBy != "ola" || got.PausedReason != "disk is full" {
		e.t.Fatalf("the job is %+v, want it paused by ola", got)
	}
	c := jobClaim("a", e.slot(2))
	e.clock.Advance(time.Hour)
	e.wantRun(c, false)
	e.must(e.store.PauseJob(e.ctx, "tidy", false, "jan", "more disk"))
	if got := e.job(); got.Paused || got.PausedBy != "" || got.PausedReason != "" {
		e.t.Fatalf("the job is %+v, want it resumed", got)
	}
	r := e.wantRun(c, true)
	e.must(e.store.PauseJob(e.ctx, "tidy", true, "ola", ""))
	e.must(e.store.ExtendJob(e.ctx, r, lease)) // what runs goes on
	e.clock.Advance(lease)
	c.Instance = "b"
	e.wantRun(c, false) // and is not taken over
}

func jobRequested(e *env) {
	r, c := e.beginJob("a")
	e.must(e.store.RequestJob(e.ctx, "tidy"))
	e.wantRun(c, false) // it runs: the request waits
	if e.job().Requested.IsZero() {
		e.t.Fatal("the request is forgotten")
	}
	e.must(e.store.FinishJob(e.ctx, r, "ok: 1"))
	e.must(e.store.PauseJob(e.ctx, "tidy", true, "ola", ""))
	r = e.wantRun(c, true)
	if !r.Requested || r.TakenOver != "" || !r.Slot.Equal(c.Slot) {
		e.t.Fatalf("run %+v, want a requested one of slot %v", r, c.Slot)
	}
	e.must(e.store.FinishJob(e.ctx, r, "ok: 2"))
	e.wantRun(c, false)
}

func jobEachProcess(e *env) {
	c := jobClaim("a", e.slot(1))
	c.EachProcess, c.Lease = true, 0
	e.wantRun(c, false)
	e.clock.Advance(3 * time.Hour)
	c.Slot = e.slot(1)
	e.wantRun(c, false)
	e.must(e.store.RequestJob(e.ctx, "tidy"))
	e.wantRun(c, false)
	got := e.job()
	if !got.EachProcess || got.Requested.IsZero() || got.Holder != "" || got.Fence != 0 || !got.NextRun.IsZero() {
		e.t.Fatalf("the job is %+v, want a request of each process", got)
	}
	e.must(e.store.PauseJob(e.ctx, "tidy", true, "ola", "why"))
	if !e.job().Paused {
		e.t.Fatal("the job is not paused")
	}
}

func jobUnknown(e *env) {
	e.wantCode(e.store.RequestJob(e.ctx, "nothing"), chatops.CodeNotFound)
	e.wantCode(e.store.PauseJob(e.ctx, "nothing", true, "ola", ""), chatops.CodeNotFound)
	r := &chatops.JobRun{Name: "nothing", Instance: "a", Fence: 1}
	e.wantCode(e.store.ExtendJob(e.ctx, r, lease), chatops.CodeNotFound)
	e.wantCode(e.store.FinishJob(e.ctx, r, "ok"), chatops.CodeNotFound)
	list, err := e.store.Jobs(e.ctx)
	e.must(err)
	if len(list.Jobs) != 0 || list.Now.IsZero() {
		e.t.Fatalf("jobs of a new database are %+v", list)
	}
}
