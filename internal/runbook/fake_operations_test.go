package runbook

import (
	"context"
	"slices"

	"chatops/internal/chatops"
)

// Operations returns the newest first: ids are numbered.
func (f *fakeStore) Operations(_ context.Context, live bool, limit int) ([]chatops.Operation, error) {
	var list []chatops.Operation
	for _, op := range f.ops {
		if !live || op.State.Live() {
			list = append(list, *op)
		}
	}
	slices.SortFunc(list, func(a, b chatops.Operation) int { return -compareText(a.ID, b.ID) })
	return list[:min(limit, len(list))], f.err
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (f *fakeStore) ChangeOperation(ctx context.Context, c chatops.OperationChange) (*chatops.Operation, error) {
	if _, err := f.Operation(ctx, c.ID); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	op := f.ops[c.ID]
	if _, err := op.Change(&c, noon); err != nil {
		return nil, err
	}
	stands := *op
	return &stands, f.err
}

// paced stores an operation in a state.
func (f *fakeStore) paced(id string, state chatops.OperationState, rate float64) *chatops.Operation {
	op := &chatops.Operation{
		ID: id, Kind: chatops.OperationRetry, State: state, Actor: "ola", Reason: "CRM is back", CreatedAt: noon.Add(-60e9),
		Matched: 100, Changed: 10, Filter: chatops.AlertFilter{Targets: []string{"slack:alerts"}},
		Pace: &chatops.OperationPace{Rate: rate, Canary: 1, MaxFailures: 0.2}, Run: chatops.OperationRun{Rate: 5},
	}
	if !state.Live() {
		op.DoneAt = noon
	}
	f.ops[id] = op
	return op
}

// OperationOutcomes follows what a test says became of the alerts.
func (f *fakeStore) OperationOutcomes(ctx context.Context, id string) (*chatops.OperationOutcomes, error) {
	op, err := f.Operation(ctx, id)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchFunc != nil {
		f.watchFunc(f.ops[id])
		*op = *f.ops[id]
	}
	p := f.progress
	if p == nil {
		p = &chatops.OperationProgress{Waiting: op.Changed}
	}
	return &chatops.OperationOutcomes{Released: op.Changed, Failed: p.Failed + p.Pending, Waiting: p.Waiting}, f.err
}

// PreviewOperation counts what matches, each alert as a row of its own; what an
// operation has taken is elsewhere, and texts say what is permanent.
func (f *fakeStore) PreviewOperation(_ context.Context, op *chatops.Operation, countTo int) (*chatops.Preview, error) {
	if f.previewErr != nil {
		return nil, f.previewErr
	}
	p := &chatops.Preview{}
	for i := range f.alerts {
		a := f.alerts[i]
		status := a.Status
		if a.Status == chatops.AlertDelivered && (len(op.Filter.Statuses) == 0 || !slices.Contains(op.Filter.Statuses, a.Status)) {
			a.Status = op.Selected()[0]
		}
		if !f.matches(&a, op.Filter) {
			continue
		}
		if status == chatops.AlertDelivered {
			p.Delivered++
			continue
		}
		if len(p.Rows) > countTo {
			continue
		}
		p.Rows = append(p.Rows, chatops.PreviewRow{
			Fingerprint: a.Fingerprint, EventType: a.EventType, Lane: a.Lane(), Count: 1, Newest: a.ID,
			Permanent: a.ErrorMessage == "refused", Withdrawn: a.ErrorMessage == "withdrawn", Elsewhere: a.OperationID != "",
			Age: chatops.PreviewAge(min(i, 4)),
		})
	}
	p.Bound(countTo)
	return p, f.err
}
