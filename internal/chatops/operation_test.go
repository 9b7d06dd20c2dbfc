package chatops_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// TestOperation_Rule plays operators and carriers against an operation: one that
// has ended never changes, the fence never falls, no release passes without the
// right fence, and one lease at a time is in force.
func TestOperation_Rule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
		op := &chatops.Operation{ID: "op_1", Kind: chatops.OperationRetry, State: chatops.OperationRunning, CreatedAt: now, Pace: &chatops.OperationPace{}}
		holders := map[string]int64{} // the fence that each thinks it has
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			before := *op
			who := rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "who")
			switch rapid.IntRange(0, 2).Draw(t, "event") {
			case 0:
				to := rapid.SampledFrom([]chatops.OperationState{"running", "paused", "cancelled", "halted", "done"}).Draw(t, "to")
				changed, err := op.Change(&chatops.OperationChange{To: to, Actor: "ola"}, now)
				if !before.State.Live() && (changed || err == nil && to != before.State) {
					t.Fatalf("a %s operation became %s", before.State, op.State)
				}
			case 1:
				if op.Claim(&chatops.OperationClaim{Holder: who, Lease: 10 * time.Second}, time.Time{}, now) {
					if now.Before(before.LeaseUntil) {
						t.Fatalf("%s took it from %s", who, before.Holder)
					}
					holders[who] = op.Fence
				}
			case 2:
				halt := ""
				if rapid.IntRange(0, 5).Draw(t, "halt") == 0 {
					halt = "too much failed"
				}
				r := &chatops.OperationRelease{Fence: holders[who], Lease: 10 * time.Second, Halt: halt}
				err := op.Admit(r, now)
				if err == nil && (before.State != chatops.OperationRunning || before.Holder != who || before.Fence != holders[who]) {
					t.Fatalf("%s released with fence %d an operation that is %s, %q's, fence %d", who, holders[who], before.State, before.Holder, before.Fence)
				}
			}
			if op.Fence < before.Fence || op.State != chatops.OperationRunning && op.Holder != "" {
				t.Fatalf("fence %d then %d; %s and held by %q", before.Fence, op.Fence, op.State, op.Holder)
			}
		}
	})
}

func TestOperation_ChangeSaysWhatCannotBe(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	rate := 7.0
	for _, c := range []struct {
		from   chatops.OperationState
		paced  bool
		change chatops.OperationChange
		want   string // "" for a change, "-" for none
	}{
		{"running", true, chatops.OperationChange{To: "paused"}, ""},
		{"paused", true, chatops.OperationChange{To: "paused"}, "-"},
		{"halted", true, chatops.OperationChange{To: "paused"}, "operation op_1 has halted by itself: it can be resumed or cancelled"},
		{"halted", true, chatops.OperationChange{To: "running"}, ""},
		{"cancelled", true, chatops.OperationChange{To: "running"}, "operation op_1 is cancelled: it cannot be resumed"},
		{"done", true, chatops.OperationChange{To: "cancelled"}, "operation op_1 is done: it cannot be cancelled"},
		{"running", true, chatops.OperationChange{Rate: &rate}, ""},
		{"running", false, chatops.OperationChange{Rate: &rate}, "operation op_1 has no pace: it was begun without --rate and --canary"},
		{"done", true, chatops.OperationChange{Rate: &rate}, "operation op_1 is done: it has no pace any more"},
		{"running", true, chatops.OperationChange{To: "done"}, `state "done": must be running, paused or cancelled`},
	} {
		op := &chatops.Operation{ID: "op_1", State: c.from}
		if c.paced {
			op.Pace = &chatops.OperationPace{Rate: 5}
		}
		changed, err := op.Change(&c.change, at)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case !changed:
			got = "-"
		}
		if got != c.want || changed != op.ChangedAt.Equal(at) {
			t.Errorf("%s, %+v: %q, want %q", c.from, c.change, got, c.want)
		}
	}
}

func TestOperation_SettleMakesAnOlderProgramsEndAnEnd(t *testing.T) {
	t.Parallel()
	for state, want := range map[chatops.OperationState]chatops.OperationState{
		"running": "done", "paused": "done", "cancelled": "cancelled", "done": "done",
	} {
		op := &chatops.Operation{State: state, DoneAt: time.Unix(1, 0)}
		if op.Settle(); op.State != want {
			t.Errorf("%s with an end is %s, want %s", state, op.State, want)
		}
	}
	if op := (&chatops.Operation{State: "running"}); true {
		if op.Settle(); op.State != "running" {
			t.Errorf("running without an end is %s", op.State)
		}
	}
}

func TestOperation_SelectedLeavesWhatItMayChange(t *testing.T) {
	t.Parallel()
	paced := &chatops.Operation{Kind: chatops.OperationRetry, Pace: &chatops.OperationPace{}}
	if got := paced.Selected(); !slices.Equal(got, []chatops.AlertStatus{"pending", "failed"}) {
		t.Errorf("a paced retry selects %v", got)
	}
	paced.Filter.Statuses = []chatops.AlertStatus{"failed", "delivered"}
	if got := paced.Selected(); !slices.Equal(got, []chatops.AlertStatus{"failed"}) {
		t.Errorf("of failed and delivered it selects %v", got)
	}
	if got := (&chatops.Operation{Kind: chatops.OperationDiscard}).Selected(); len(got) != 3 {
		t.Errorf("a discard selects %v", got)
	}
	if live := slices.DeleteFunc(chatops.OperationStates(), func(s chatops.OperationState) bool { return !s.Live() }); len(live) != 3 {
		t.Errorf("live are %v", live)
	}
}

func TestOperationOutcomes_TellFailuresFromWhatWaits(t *testing.T) {
	t.Parallel()
	o := chatops.OperationOutcomes{Released: 100}
	for _, c := range []chatops.OperationOutcome{
		{Lane: "slack:alerts", Status: chatops.AlertFailed, Count: 3},
		{Lane: "slack:alerts", Status: chatops.AlertPending, Retried: true, Count: 4},
		{Lane: "webhook:crm", Status: chatops.AlertPending, Count: 5},
		{Lane: "slack:alerts", Status: chatops.AlertQueued, Count: 6},
		{Lane: "webhook:crm", Status: chatops.AlertQueued, Count: 1},
		{Lane: "mailto", Status: chatops.AlertDelivered, Count: 50},
		{Lane: "mailto", Status: chatops.AlertDiscarded, Count: 1},
		{Lane: "mailto", Status: chatops.AlertCancelled, Count: 1},
	} {
		o.Add(&c)
	}
	if o.Failed != 7 || o.Waiting != 12 || o.Tried() != 88 || !slices.Equal(o.Lanes, []string{"slack:alerts", "webhook:crm"}) {
		t.Errorf("outcomes are %+v, tried %d", o, o.Tried())
	}
	if early := (chatops.OperationOutcomes{Released: 1, Waiting: 3}); early.Tried() != 0 {
		t.Errorf("tried %d before it was released", early.Tried())
	}
}

func TestOperation_ValidateAndClaimSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, op := range []*chatops.Operation{
		{Kind: "explode"}, {Kind: chatops.OperationDiscard, Pace: &chatops.OperationPace{}},
		{Kind: chatops.OperationRetry, Pace: &chatops.OperationPace{Rate: -1}},
	} {
		if err := op.Validate(); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%+v: %v", *op, err)
		}
	}
	for _, op := range []*chatops.Operation{
		{Kind: chatops.OperationRetry}, {Kind: chatops.OperationDiscard}, {Kind: chatops.OperationRetry, Pace: &chatops.OperationPace{Canary: 1}},
	} {
		if err := op.Validate(); err != nil {
			t.Errorf("%+v: %v", *op, err)
		}
	}
	for _, c := range []chatops.OperationClaim{{}, {Holder: "r1"}, {Lease: time.Second}, {Holder: "r1", Lease: time.Second, Idle: -1}} {
		if err := c.Validate(); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := (&chatops.OperationClaim{Holder: "r1", Lease: time.Second}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestOperation_LeftIsNeverNegative(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ matched, changed, skipped, want int64 }{{10, 3, 2, 5}, {10, 10, 0, 0}, {1, 3, 0, 0}} {
		op := &chatops.Operation{Matched: c.matched, Changed: c.changed, Skipped: c.skipped}
		if got := op.Left(); got != c.want {
			t.Errorf("%+v has %d left", c, got)
		}
	}
}
