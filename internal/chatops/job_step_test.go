package chatops_test

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

var jobNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func jobClaim(instance string, slot time.Time) *chatops.JobClaim {
	return &chatops.JobClaim{Name: "tidy", Instance: instance, Slot: slot, Next: slot.Add(time.Hour), Lease: time.Minute}
}

func TestJobClaim_NamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		claim chatops.JobClaim
		want  string // empty: valid
	}{
		{chatops.JobClaim{Name: "tidy", Instance: "a", Lease: 1}, ""},
		{chatops.JobClaim{Name: "tidy", Instance: "a", EachProcess: true}, ""},
		{chatops.JobClaim{Instance: "a", Lease: 1}, "name is missing"},
		{chatops.JobClaim{Name: "tidy", Lease: 1}, "job tidy: the instance is missing"},
		{chatops.JobClaim{Name: "tidy", EachProcess: true}, "job tidy: the instance is missing"},
		{chatops.JobClaim{Name: "tidy", Instance: "a"}, "job tidy: a lease of 0s"},
		{chatops.JobClaim{Name: "tidy", Instance: "a", Lease: -time.Second}, "job tidy: a lease of -1s"},
	} {
		err := tt.claim.Validate()
		if tt.want == "" && err != nil {
			t.Errorf("%+v: %v", tt.claim, err)
		}
		if tt.want != "" && (chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %s", tt.claim, err, tt.want)
		}
	}
}

func TestJobState_IsTakenOverWhenTheLeaseEndsAndNotBefore(t *testing.T) {
	t.Parallel()
	s := chatops.NewJobState(jobClaim("a", jobNoon.Add(-time.Hour)), jobNoon.Add(-time.Hour))
	first, _ := s.Claim(jobClaim("a", jobNoon), jobNoon)
	if first == nil || first.TakenOver != "" {
		t.Fatalf("first run %+v", first)
	}
	end := jobNoon.Add(time.Minute)
	if r, _ := s.Claim(jobClaim("b", jobNoon), end.Add(-1)); r != nil {
		t.Errorf("%+v was given while the lease lasted", r)
	}
	second, _ := s.Claim(jobClaim("b", jobNoon), end)
	if second == nil || second.TakenOver != "a" || second.Fence != first.Fence+1 || !second.Slot.Equal(jobNoon) {
		t.Fatalf("the run that took over is %+v", second)
	}
	if s.Extend(first, time.Hour, end) || s.Finish(first, "ok", end) || s.Holder != "b" {
		t.Errorf("the run that was lost still decides: %+v", s)
	}
	err := chatops.TakenOverError(first)
	if chatops.ErrorCode(err) != chatops.CodeConflict || err.Error() != "job tidy: run 1 was taken over" {
		t.Errorf("error is %v", err)
	}
	if !s.Finish(second, "ok", end) || s.Finish(second, "twice", end) || s.LastResult != "ok" {
		t.Errorf("after the end: %+v", s)
	}
}

func TestJobState_RunsWhilePausedOnlyOnRequestAndOnceForIt(t *testing.T) {
	t.Parallel()
	s := chatops.NewJobState(jobClaim("a", jobNoon), jobNoon)
	s.Pause(true, "ola", "maintenance")
	later := jobNoon.Add(2 * time.Hour)
	if r, _ := s.Claim(jobClaim("a", later), later); r != nil {
		t.Errorf("a paused job was given away: %+v", r)
	}
	s.Requested = later
	r, _ := s.Claim(jobClaim("a", later), later)
	if r == nil || !r.Requested || !s.Requested.IsZero() {
		t.Fatalf("run %+v of %+v", r, s)
	}
	s.Finish(r, "ok", later)
	if again, _ := s.Claim(jobClaim("a", later), later); again != nil {
		t.Errorf("one request made a second run: %+v", again)
	}
	s.Pause(false, "ola", "done")
	if s.Paused || s.PausedBy != "" || s.PausedReason != "" {
		t.Errorf("a resumed job still tells of its pause: %+v", s)
	}
}

func TestJobState_ShowsTheNextRunOfAChangedSchedule(t *testing.T) {
	t.Parallel()
	s := chatops.NewJobState(jobClaim("a", jobNoon), jobNoon)
	c := jobClaim("a", jobNoon)
	c.Next = jobNoon.Add(5 * time.Minute)
	if r, changed := s.Claim(c, jobNoon); r != nil || !changed || !s.NextRun.Equal(c.Next) {
		t.Errorf("%+v, %v, next run %v; want %v and no run", r, changed, s.NextRun, c.Next)
	}
	if _, changed := s.Claim(c, jobNoon); changed {
		t.Error("the same schedule is a change again")
	}
}

func TestUnknownJobError_NamesTheJob(t *testing.T) {
	t.Parallel()
	err := chatops.UnknownJobError("ti dy")
	if chatops.ErrorCode(err) != chatops.CodeNotFound || err.Error() != `job "ti dy": not found` {
		t.Errorf("error is %v", err)
	}
}
