package chatops_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// carried is a running operation that r1 carries.
func carried() *chatops.Operation {
	return &chatops.Operation{
		ID: "op_1", Kind: chatops.OperationRetry, State: chatops.OperationRunning, CreatedAt: midday.Add(-time.Hour),
		Pace: &chatops.OperationPace{Rate: 50, Canary: 2, MaxFailures: 0.2}, Changed: 7,
		Run:    chatops.OperationRun{Rate: 25, Base: 3, Waits: "x", Integrations: []string{"slack"}},
		Holder: "r1", LeaseUntil: midday.Add(time.Second), Fence: 4,
	}
}

func TestOperation_PauseTakesItFromItsCarrier(t *testing.T) {
	t.Parallel()
	for _, to := range []chatops.OperationState{chatops.OperationPaused, chatops.OperationCancelled} {
		op := carried()
		changed, err := op.Change(&chatops.OperationChange{To: to, Actor: "ewa", Reason: "ticket 7"}, midday)
		if err != nil || !changed || op.State != to {
			t.Fatalf("to %s: changed %t, %v; it is %s", to, changed, err, op.State)
		}
		if op.Holder != "" || !op.LeaseUntil.IsZero() || op.Fence != 5 {
			t.Errorf("%s, it is still %s's until %v, fence %d", to, op.Holder, op.LeaseUntil, op.Fence)
		}
		if op.ChangedBy != "ewa" || !op.ChangedAt.Equal(midday) || op.Note != "ticket 7" {
			t.Errorf("%s, it was changed by %q at %v: %q", to, op.ChangedBy, op.ChangedAt, op.Note)
		}
		if op.DoneAt.IsZero() != (to == chatops.OperationPaused) {
			t.Errorf("%s, it ended at %v", to, op.DoneAt)
		}
		if err := op.Admit(&chatops.OperationRelease{Fence: 4, Lease: time.Second}, midday); chatops.ErrorCode(err) != chatops.CodeConflict {
			t.Errorf("%s, its former carrier is told %v", to, err)
		}
	}
}

func TestOperation_ResumeRepeatsTheCanaryOnlyAfterAHalt(t *testing.T) {
	t.Parallel()
	for from, want := range map[chatops.OperationState]chatops.OperationRun{
		chatops.OperationPaused: {Rate: 5, Base: 3, Integrations: []string{"slack"}},
		chatops.OperationHalted: {Rate: 0, Base: 7, Integrations: []string{"slack"}},
	} {
		op := carried()
		op.State = from
		if changed, err := op.Change(&chatops.OperationChange{To: chatops.OperationRunning, Actor: "ewa"}, midday); !changed || err != nil {
			t.Fatalf("%s cannot be resumed: %v", from, err)
		}
		if r := op.Run; r.Rate != want.Rate || r.Base != want.Base || r.Waits != "" || !slices.Equal(r.Integrations, want.Integrations) {
			t.Errorf("%s and resumed, it remembers %+v, want %+v", from, r, want)
		}
		if op.State != chatops.OperationRunning || op.Fence != 5 || !op.DoneAt.IsZero() {
			t.Errorf("%s and resumed, it is %+v", from, op)
		}
	}
}

func TestOperation_RestNeverMakesItFaster(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]float64{0: 0, 0.5: 0.5, 5: 5, 25: 5, 20_000: 5} {
		r := chatops.OperationRun{Rate: rate, Waits: "x"}
		if r.Rest(); r.Rate != want || r.Waits != "" {
			t.Errorf("from %v a second it rests at %v, %q; want %v", rate, r.Rate, r.Waits, want)
		}
	}
}

func TestOperation_PaceIsChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	number := func(n float64) *float64 { return &n }
	for _, c := range []struct {
		name    string
		change  chatops.OperationChange
		want    chatops.OperationPace
		changed bool
		says    string
	}{
		{"the rate", chatops.OperationChange{Rate: number(7)}, chatops.OperationPace{Rate: 7, Canary: 2, MaxFailures: 0.2}, true, ""},
		{"no rate any more", chatops.OperationChange{Rate: number(0)}, chatops.OperationPace{Canary: 2, MaxFailures: 0.2}, true, ""},
		{"the failures", chatops.OperationChange{MaxFailures: number(1)}, chatops.OperationPace{Rate: 50, Canary: 2, MaxFailures: 1}, true, ""},
		{"both", chatops.OperationChange{Rate: number(1), MaxFailures: number(0)}, chatops.OperationPace{Rate: 1, Canary: 2}, true, ""},
		{"to what it is", chatops.OperationChange{Rate: number(50), MaxFailures: number(0.2)}, chatops.OperationPace{Rate: 50, Canary: 2, MaxFailures: 0.2}, false, ""},
		{
			"a rate that is none", chatops.OperationChange{Rate: number(-1)}, chatops.OperationPace{Rate: 50, Canary: 2, MaxFailures: 0.2}, false,
			"rate -1: must be 0.01 to 20000 alerts a second",
		},
		{
			"too many failures", chatops.OperationChange{MaxFailures: number(1.01)}, chatops.OperationPace{Rate: 50, Canary: 2, MaxFailures: 0.2}, false,
			"max failures 101: must be 0 to 100 %",
		},
	} {
		op := carried()
		op.Note = "as before"
		before := op.Pace
		kept := *before
		c.change.Actor = "ewa"
		changed, err := op.Change(&c.change, midday)
		if got := chatops.ErrorMessage(err); changed != c.changed || got != c.says || *op.Pace != c.want {
			t.Errorf("%s: changed %t, %q, the pace is %+v", c.name, changed, got, *op.Pace)
		}
		if *before != kept {
			t.Errorf("%s: the pace that others hold has changed too", c.name)
		}
		if op.Holder != "r1" || op.Fence != 4 || op.Note != "as before" || (op.ChangedBy == "ewa") != c.changed {
			t.Errorf("%s: it is %+v", c.name, op)
		}
	}
}

func TestOperation_AChangeThatIsRefusedChangesNoState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		op := carried()
		op.State = rapid.SampledFrom(chatops.OperationStates()).Draw(t, "state")
		op.Kind = rapid.SampledFrom([]chatops.OperationKind{chatops.OperationRetry, chatops.OperationDiscard}).Draw(t, "kind")
		before := *op
		to := rapid.SampledFrom(append(chatops.OperationStates(), "", "exploded")).Draw(t, "to")
		changed, err := op.Change(&chatops.OperationChange{To: to, Actor: "ewa", Reason: "r"}, midday)
		if err != nil && changed {
			t.Fatalf("it has changed and says %v", err)
		}
		if !changed && (op.State != before.State || op.Fence != before.Fence || op.Holder != before.Holder || op.ChangedBy != before.ChangedBy || op.Note != before.Note) {
			t.Fatalf("it has not changed from %+v and is %+v", before, op)
		}
		if changed && op.State != to {
			t.Fatalf("it is %s, want %s", op.State, to)
		}
	})
}

func TestOperation_ClaimGivesWhatNobodyCarries(t *testing.T) {
	t.Parallel()
	free := func(change func(o *chatops.Operation, c *chatops.OperationClaim, stepped *time.Time)) (*chatops.Operation, *chatops.OperationClaim, time.Time) {
		op, c, stepped := carried(), &chatops.OperationClaim{Holder: "r2", Lease: 10 * time.Second, Idle: time.Minute}, time.Time{}
		op.LeaseUntil = midday
		change(op, c, &stepped)
		return op, c, stepped
	}
	for _, tt := range []struct {
		name   string
		change func(o *chatops.Operation, c *chatops.OperationClaim, stepped *time.Time)
		want   bool
	}{
		{"its lease has just ended", func(*chatops.Operation, *chatops.OperationClaim, *time.Time) {}, true},
		{"its lease ends in a moment", func(o *chatops.Operation, _ *chatops.OperationClaim, _ *time.Time) { o.LeaseUntil = midday.Add(1) }, false},
		{"it is paused", func(o *chatops.Operation, _ *chatops.OperationClaim, _ *time.Time) { o.State = chatops.OperationPaused }, false},
		{"it has halted", func(o *chatops.Operation, _ *chatops.OperationClaim, _ *time.Time) { o.State = chatops.OperationHalted }, false},
		{"it is the one", func(_ *chatops.Operation, c *chatops.OperationClaim, _ *time.Time) { c.Only = "op_1" }, true},
		{"another one is wanted", func(_ *chatops.Operation, c *chatops.OperationClaim, _ *time.Time) { c.Only = "op_2" }, false},
		{"its command line is gone", func(o *chatops.Operation, _ *chatops.OperationClaim, s *time.Time) {
			o.Pace, *s = nil, midday.Add(-time.Minute)
		}, true},
		{"its command line lives", func(o *chatops.Operation, _ *chatops.OperationClaim, s *time.Time) {
			o.Pace, *s = nil, midday.Add(-time.Minute+1)
		}, false},
		{"never stepped, just created", func(o *chatops.Operation, _ *chatops.OperationClaim, _ *time.Time) { o.Pace, o.CreatedAt = nil, midday }, false},
		{"never stepped, created before", func(o *chatops.Operation, _ *chatops.OperationClaim, _ *time.Time) { o.Pace = nil }, true},
		{"paced, and just stepped", func(_ *chatops.Operation, _ *chatops.OperationClaim, s *time.Time) { *s = midday }, true},
	} {
		op, c, stepped := free(tt.change)
		before := *op
		got := op.Claim(c, stepped, midday)
		switch {
		case got != tt.want:
			t.Errorf("%s: claimed %t", tt.name, got)
		case got && (op.Holder != "r2" || op.Fence != 5 || !op.LeaseUntil.Equal(midday.Add(10*time.Second))):
			t.Errorf("%s: it is %s's until %v, fence %d", tt.name, op.Holder, op.LeaseUntil, op.Fence)
		case !got && (op.Holder != before.Holder || op.Fence != before.Fence):
			t.Errorf("%s: not claimed, it is %s's, fence %d", tt.name, op.Holder, op.Fence)
		}
	}
}

func TestOperation_AdmitKeepsWhatTheCarrierReports(t *testing.T) {
	t.Parallel()
	op := carried()
	run := chatops.OperationRun{Rate: 100, Base: 1, Waits: "w"}
	if err := op.Admit(&chatops.OperationRelease{Fence: 4, Lease: time.Minute, Run: run}, midday); err != nil {
		t.Fatal(err)
	}
	if op.Run.Rate != 100 || op.Run.Waits != "w" || !op.LeaseUntil.Equal(midday.Add(time.Minute)) || op.Fence != 4 || op.State != chatops.OperationRunning {
		t.Errorf("after a step it is %+v", op)
	}
	if err := op.Admit(&chatops.OperationRelease{Fence: 4, Lease: time.Minute, Halt: "9 of 10 failed"}, midday); err != nil {
		t.Fatal(err)
	}
	if op.State != chatops.OperationHalted || op.Note != "9 of 10 failed" || op.ChangedBy != "r1" || op.Holder != "" || op.Fence != 5 || !op.DoneAt.IsZero() {
		t.Errorf("after a halt it is %+v", op)
	}
	err := op.Admit(&chatops.OperationRelease{Fence: 5}, midday)
	if chatops.ErrorCode(err) != chatops.CodeConflict || err.Error() != "operation op_1 is halted and carried by somebody else, or by nobody" {
		t.Errorf("a step after the halt is told %v", err)
	}
	for _, fence := range []int64{3, 5} {
		if err := carried().Admit(&chatops.OperationRelease{Fence: fence}, midday); chatops.ErrorCode(err) != chatops.CodeConflict {
			t.Errorf("fence %d of 4 is told %v", fence, err)
		}
	}
}

func TestOperation_ValidateNamesTheReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op   chatops.Operation
		want string
	}{
		{chatops.Operation{}, `operation kind "": must be retry or discard`},
		{chatops.Operation{Kind: "Retry"}, `operation kind "Retry": must be retry or discard`},
		{chatops.Operation{Kind: "discard", Pace: &chatops.OperationPace{}}, `operation kind "discard": only a retry has a pace`},
		{chatops.Operation{Kind: "retry", Pace: &chatops.OperationPace{Canary: 1001}}, "canary 1001: must be 0 to 1000 alerts"},
		{chatops.Operation{Kind: "retry", Pace: &chatops.OperationPace{Rate: 20_001}}, "rate 20001: must be 0.01 to 20000 alerts a second"},
		{chatops.Operation{Kind: "retry", Pace: &chatops.OperationPace{Rate: 0.009}}, "rate 0.009: must be 0.01 to 20000 alerts a second"},
		{chatops.Operation{Kind: "retry", Pace: &chatops.OperationPace{MaxFailures: -0.5}}, "max failures -50: must be 0 to 100 %"},
		{chatops.Operation{Kind: "retry", Pace: &chatops.OperationPace{Rate: 0.01, Canary: 1000, MaxFailures: 1}}, ""},
		{chatops.Operation{Kind: "discard"}, ""},
	} {
		if got := chatops.ErrorMessage(c.op.Validate()); got != c.want {
			t.Errorf("%+v: %q, want %q", c.op, got, c.want)
		}
	}
}
