package chatops_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// TestJobState_RunsASlotOncePerLease draws what claimants, holders, operators
// and the clock may do, and checks what matters after each step: two runs never
// hold the job, a slot that was finished is not run again unless somebody asks,
// slots never go back, and fences grow.
func TestJobState_RunsASlotOncePerLease(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const minute = time.Minute
		now := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
		claim := func(instance string) *chatops.JobClaim {
			off := time.Duration(rapid.IntRange(-3, 3).Draw(t, "clock of the host, in minutes")) * minute
			slot := now.Add(off).Truncate(minute)
			return &chatops.JobClaim{Name: "tidy", Instance: instance, Slot: slot, Next: slot.Add(minute), Lease: 90 * time.Second}
		}
		s := chatops.NewJobState(claim("first"), now)
		done := map[time.Time]bool{s.Slot: true}
		var runs []*chatops.JobRun // all that ever were
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				before, c := s, claim(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "instance"))
				r, changed := s.Claim(c, now)
				if changed != (s != before) {
					t.Fatalf("changed is %v: %+v became %+v", changed, before, s)
				}
				if r == nil {
					return
				}
				switch {
				case before.Running(now):
					t.Fatalf("%+v was given away as %+v", before, r)
				case before.Paused && !r.Requested:
					t.Fatalf("a paused job was given away: %+v", r)
				case r.Slot.After(now) || r.Slot.Before(before.Slot):
					t.Fatalf("slot %v after slot %v, at %v", r.Slot, before.Slot, now)
				case done[r.Slot] && !r.Requested && before.Holder == "":
					t.Fatalf("slot %v is run again", r.Slot)
				case r.Fence <= before.Fence || r.TakenOver != before.Holder:
					t.Fatalf("run %+v follows %+v", r, before)
				}
				runs = append(runs, r)
			},
			"finish or extend": func(t *rapid.T) {
				if len(runs) == 0 {
					t.Skip("none yet")
				}
				r, before := rapid.SampledFrom(runs).Draw(t, "run"), s
				newest := r.Fence == before.Fence && before.Holder != ""
				if lease := rapid.IntRange(-1, 2).Draw(t, "minutes"); lease >= 0 {
					if got := s.Extend(r, time.Duration(lease)*minute, now); got != newest || s.Running(now) != (newest && lease > 0 || !newest && before.Running(now)) {
						t.Fatalf("extend for %d minutes: %v, %+v became %+v", lease, got, before, s)
					}
					return
				}
				if got := s.Finish(r, "ok", now); got != newest || !got && s != before || got && s.Holder != "" {
					t.Fatalf("finish: %v, %+v became %+v", got, before, s)
				} else if got {
					done[r.Slot] = true
				}
			},
			"an operator": func(t *rapid.T) {
				if rapid.Bool().Draw(t, "asks") {
					s.Requested = now
				} else {
					s.Pause(rapid.Bool().Draw(t, "paused"), "ola", "why")
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second)
			},
			"": func(t *rapid.T) {
				if (s.Holder == "") != s.LeaseUntil.IsZero() {
					t.Fatalf("holder and lease do not match: %+v", s)
				}
				if !slices.IsSortedFunc(runs, func(a, b *chatops.JobRun) int { return a.Slot.Compare(b.Slot) }) {
					t.Fatal("a slot lies before an earlier run's")
				}
			},
		})
	})
}

func TestNewJobState_IsAsGoodAsDone(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	slot := now.Truncate(time.Minute)
	c := &chatops.JobClaim{Name: "tidy", Instance: "a", Slot: slot, Next: slot.Add(time.Minute), Lease: time.Minute}
	if s := chatops.NewJobState(c, now); s != (chatops.JobState{Name: "tidy", Slot: slot, NextRun: c.Next}) {
		t.Errorf("state %+v", s)
	}
	ahead := *c
	ahead.Slot = now.Add(time.Hour)
	if s := chatops.NewJobState(&ahead, now); !s.Slot.Equal(now) {
		t.Errorf("slot %v of a host whose clock is ahead, want %v", s.Slot, now)
	}
	each := *c
	each.EachProcess = true
	if s := chatops.NewJobState(&each, now); s != (chatops.JobState{Name: "tidy", Slot: now, EachProcess: true}) {
		t.Errorf("state %+v", s)
	}
}

func TestJobState_MayBecomeAJobOfEachProcessAndBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	slot := now.Truncate(time.Minute)
	c := &chatops.JobClaim{Name: "tidy", Instance: "a", Slot: slot, Next: slot.Add(time.Minute), Lease: time.Minute}
	s := chatops.NewJobState(c, now.Add(-time.Hour))
	each := *c
	each.EachProcess = true
	if r, changed := s.Claim(&each, now); r != nil || !changed || !s.EachProcess {
		t.Errorf("%+v, %v, %+v", r, changed, s)
	}
	if r, changed := s.Claim(c, now); r == nil || !changed || s.EachProcess {
		t.Errorf("%+v, %v, %+v", r, changed, s)
	}
}
