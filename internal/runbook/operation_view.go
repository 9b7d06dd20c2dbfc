package runbook

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// operationView is a bulk operation as it is shown.
type operationView struct {
	ID     string                 `json:"id"`
	Kind   chatops.OperationKind  `json:"kind"`
	State  chatops.OperationState `json:"state"`
	Filter string                 `json:"filter"`
	Actor  string                 `json:"actor"`
	Reason string                 `json:"reason"`
	Note   string                 `json:"note"` // why it is in its state

	Matched  int64 `json:"matched"`
	Released int64 `json:"released"` // requeued or discarded
	Skipped  int64 `json:"skipped"`
	Left     int64 `json:"left"` // as they were
	// What became of the released ones; null in a list.
	Delivered *int64 `json:"delivered"`
	Failed    *int64 `json:"failed"`
	Pending   *int64 `json:"pending"` // tried, and will be again
	Waiting   *int64 `json:"waiting"` // not tried yet
	Other     *int64 `json:"other"`   // discarded, cancelled, or taken by a later operation

	Paced       bool     `json:"paced"`
	Rate        *float64 `json:"rate"`         // alerts a second at most; null: no limit of its own
	CurrentRate *float64 `json:"current_rate"` // of the ramp; null during the canary
	Canary      int      `json:"canary"`
	MaxFailures *float64 `json:"max_failures_percent"`
	WaitsFor    string   `json:"waits_for"` // why nothing is released at present
	CarriedBy   string   `json:"carried_by"`
	ETASeconds  *float64 `json:"eta_seconds"`

	CreatedAt timestamp `json:"created_at"`
	ChangedAt timestamp `json:"changed_at"`
	ChangedBy string    `json:"changed_by"`
	DoneAt    timestamp `json:"done_at"`

	now time.Time
}

// viewOperation makes the view of an operation; progress may be nil.
func viewOperation(op *chatops.Operation, p *chatops.OperationProgress, now time.Time) operationView {
	v := operationView{
		ID: op.ID, Kind: op.Kind, State: op.State, Filter: describe(op.Filter), Actor: op.Actor, Reason: op.Reason, Note: op.Note,
		Matched: op.Matched, Released: op.Changed, Skipped: op.Skipped, Left: op.Left(),
		Paced: op.Pace != nil, CarriedBy: op.Holder,
		CreatedAt: timestamp(op.CreatedAt), ChangedAt: timestamp(op.ChangedAt), ChangedBy: op.ChangedBy, DoneAt: timestamp(op.DoneAt), now: now,
	}
	if op.State != chatops.OperationRunning {
		v.CarriedBy = ""
	}
	if p != nil {
		v.Delivered, v.Failed, v.Pending, v.Waiting, v.Other = &p.Delivered, &p.Failed, &p.Pending, &p.Waiting, &p.Other
	}
	if op.Pace != nil {
		v.pace(op)
	}
	return v
}

func (v *operationView) pace(op *chatops.Operation) {
	pace, percent := *op.Pace, op.Pace.MaxFailures*100
	v.Canary, v.MaxFailures = pace.Canary, &percent
	if pace.Rate > 0 {
		v.Rate = &pace.Rate
	}
	if !op.State.Live() {
		return
	}
	v.WaitsFor = op.Run.Waits
	if rate := op.Run.Rate; rate > 0 {
		if pace.Rate > 0 {
			rate = min(rate, pace.Rate) // a lower one holds at once
		}
		v.CurrentRate = &rate
	}
	if op.State == chatops.OperationRunning {
		eta := pace.ETA(op.Left(), op.Run.Rate, chatops.PaceWindow).Seconds()
		v.ETASeconds = &eta
	}
}

// ended reports that nothing of the operation is to come.
func (v *operationView) ended() bool {
	return !v.State.Live() && (v.Waiting == nil || *v.Waiting == 0)
}

// eta words when the operation has released everything.
func (v *operationView) eta() string {
	if v.ETASeconds == nil || v.WaitsFor != "" && v.CurrentRate == nil {
		return ""
	}
	return chatops.Span(time.Duration(*v.ETASeconds * float64(time.Second)).Round(time.Second))
}

// wordRate words the pace.
func (v *operationView) wordRate() string {
	switch {
	case !v.Paced:
		return "at once"
	case v.CurrentRate == nil && v.Canary > 0 && v.State.Live():
		return "canary of " + strconv.Itoa(v.Canary)
	case v.CurrentRate == nil || !v.State.Live():
		return "up to " + wordPerSecond(v.Rate)
	}
	return fmt.Sprintf("%s of %s", number(*v.CurrentRate), wordPerSecond(v.Rate))
}

func wordPerSecond(rate *float64) string {
	if rate == nil {
		return "no limit"
	}
	return number(*rate) + "/s"
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// why is the reason of the state in one line.
func (v *operationView) why() string {
	if v.WaitsFor != "" {
		return "waits: " + v.WaitsFor
	}
	if v.Note != "" {
		return v.Note
	}
	return v.Reason
}

func operationColor(state string) string {
	switch chatops.OperationState(state) {
	case chatops.OperationRunning:
		return "cyan"
	case chatops.OperationDone:
		return "green"
	case chatops.OperationHalted:
		return "red"
	case chatops.OperationPaused, chatops.OperationCancelled:
	}
	return "yellow"
}

// sections shows one operation in full.
func (v *operationView) sections(bool) []section {
	pairs := []string{
		"operation", v.ID, "kind", string(v.Kind), "state", string(v.State), "why", v.Note, "waits_for", v.WaitsFor, "filter", v.Filter,
		"actor", v.Actor, "reason", v.Reason,
		"matched", strconv.FormatInt(v.Matched, 10), "released", strconv.FormatInt(v.Released, 10),
	}
	for _, c := range []struct {
		name string
		n    *int64
	}{{"delivered", v.Delivered}, {"failed", v.Failed}, {"pending", v.Pending}, {"waiting", v.Waiting}, {"other", v.Other}, {"skipped", &v.Skipped}, {"left", &v.Left}} {
		if c.n != nil {
			pairs = append(pairs, c.name, strconv.FormatInt(*c.n, 10))
		}
	}
	pairs = append(pairs, "rate", v.wordRate())
	if v.MaxFailures != nil {
		pairs = append(pairs, "max_failures", number(*v.MaxFailures)+" %")
	}
	return []section{fields(append(pairs, "eta", v.eta(), "carried_by", v.CarriedBy, "created", v.CreatedAt.short(),
		"changed", v.ChangedAt.short(), "changed_by", v.ChangedBy, "done", v.DoneAt.short())...)}
}

// operationList is the result of `dlq operations list` and of the changes.
type operationList struct {
	Operations []operationView `json:"operations"`
	DryRun     *bool           `json:"dry_run,omitempty"`
}

func (l *operationList) elements() []any { return pointers(l.Operations) }

func (l *operationList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "operation", whole: true}, {name: "kind"}, {name: "state", whole: true, colorFunc: operationColor}, {name: "matched", right: true},
		{name: "released", right: true}, {name: "skipped", right: true}, {name: "left", right: true}, {name: "rate"}, {name: "eta"},
		{name: "actor", flex: true}, {name: "why", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "created"}, column{name: "changed"}, column{name: "changed_by"}, column{name: "done"}, column{name: "filter"})
	}
	for i := range l.Operations {
		v := &l.Operations[i]
		row := []string{
			v.ID, string(v.Kind), string(v.State), strconv.FormatInt(v.Matched, 10), strconv.FormatInt(v.Released, 10),
			strconv.FormatInt(v.Skipped, 10), strconv.FormatInt(v.Left, 10), v.wordRate(), v.eta(), v.Actor, v.why(),
		}
		if wide {
			row = append(row, v.CreatedAt.short(), v.ChangedAt.short(), v.ChangedBy, v.DoneAt.short(), v.Filter)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}

// lookAtOperation reads an operation and what became of its alerts.
func (e *Env) lookAtOperation(ctx context.Context, store chatops.Store, id string) (*operationView, error) {
	op, err := findOperation(ctx, store, id)
	if err != nil {
		return nil, err
	}
	p, err := store.OperationProgress(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	v := viewOperation(op, p, e.NowFunc())
	return &v, nil
}

// findOperation reads an operation that somebody has named.
func findOperation(ctx context.Context, store interface {
	Operation(ctx context.Context, id string) (*chatops.Operation, error)
}, id string) (*chatops.Operation, error) {
	op, err := store.Operation(ctx, id)
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return nil, hint(chatops.Errorf(chatops.CodeNotFound, "operation %q: not found", id), "see what there is: chatops dlq operations list")
	}
	return op, err
}
