package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// stepSize is how many alerts one transaction of a bulk change touches: large
// enough to be quick, small enough that claiming goes on beside it.
const stepSize = 5000

// bulk is a change of many alerts: what `dlq retry` and `dlq discard` share.
type bulk struct {
	selection
	kind      chatops.OperationKind
	eligible  []chatops.AlertStatus // what the kind of operation can change
	doing     string                // "retry", for people
	done      string                // "requeued"
	all       bool
	limit     int
	operation string
	dryRun    bool
	now       bool
	// limitedFunc reports that --limit was given.
	limitedFunc func() bool
	pace        *chatops.OperationPace // of a paced retry; nil: as fast as it can be stepped
}

// registerBulk adds the flags of a bulk change.
func (b *bulk) registerBulk(cmd *cobra.Command) {
	b.register(cmd, "pending,failed")
	f := cmd.Flags()
	f.BoolVar(&b.all, "all", false, "every pending and failed alert that the filters leave")
	f.IntVar(&b.limit, "limit", 0, "only the newest so many, 1 to 1000 (default no limit)")
	f.StringVar(&b.operation, "operation", "", "go on with an interrupted operation")
	b.limitedFunc = func() bool { return f.Changed("limit") }
	dryRunFlag(cmd, &b.dryRun)
}

// bulkResult is the outcome of a bulk change.
type bulkResult struct {
	OperationID *string `json:"operation_id"`
	Matched     int64   `json:"matched"`
	Requeued    *int64  `json:"requeued,omitempty"`
	Discarded   *int64  `json:"discarded,omitempty"`
	Skipped     int64   `json:"skipped"`
	DryRun      bool    `json:"dry_run"`
	Delivered   *int64  `json:"delivered,omitempty"` // these three only when it waited
	Failed      *int64  `json:"failed,omitempty"`
	Pending     *int64  `json:"pending,omitempty"`

	Preview *previewView `json:"preview,omitempty"` // of a dry run of a retry
}

// plan is a checked command line.
type plan struct {
	filter chatops.AlertFilter
	ids    []int64
}

// plan checks the command line: exactly one way of choosing alerts.
func (b *bulk) plan(words []string, now time.Time) (*plan, error) {
	if err := b.checkEmpty(); err != nil {
		return nil, err
	}
	words = append(words, b.ids...)
	b.ids = nil
	limited := b.limit != 0 || b.limitedFunc != nil && b.limitedFunc()
	chosen := b.given() || b.all || limited
	switch {
	case b.operation != "" && (chosen || len(words) > 0):
		return nil, chatops.Errorf(chatops.CodeUsage, "--operation goes on with a choice made before: give no ids and no filters")
	case b.operation != "":
		return &plan{}, nil
	case len(words) > 0 && chosen:
		return nil, chatops.Errorf(chatops.CodeUsage, "give alert ids or filters, not both")
	case len(words) == 0 && !chosen:
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "nothing chosen: give alert ids, filters or --all"), "see what there is: chatops dlq list")
	case limited:
		if err := checkLimit(b.limit); err != nil {
			return nil, err
		}
	}
	ids, err := parseIDs(words)
	if err != nil || len(ids) > 0 {
		return &plan{filter: chatops.AlertFilter{IDs: ids}, ids: ids}, err
	}
	byDefault := unhappy
	if b.all && b.kind == chatops.OperationRetry {
		byDefault = b.eligible // what waits unsent because no server runs is meant too
	}
	filter, err := b.filter(now, byDefault)
	if err != nil {
		return nil, err
	}
	filter.Statuses, err = b.eligibleOf(filter.Statuses)
	return &plan{filter: filter}, err
}

// eligibleOf restricts statuses to those that the operation can change; naming
// another one is a mistake.
func (b *bulk) eligibleOf(statuses []chatops.AlertStatus) ([]chatops.AlertStatus, error) {
	if statuses == nil { // all
		return b.eligible, nil
	}
	for _, s := range statuses {
		if !b.can(s) {
			return nil, chatops.Errorf(chatops.CodeUsage, "--status %s: %s changes only %s alerts", s, b.doing, joinStatuses(b.eligible))
		}
	}
	return statuses, nil
}

func (b *bulk) can(status chatops.AlertStatus) bool {
	return slices.Contains(b.eligible, status)
}

// run makes the change.
func (b *bulk) run(ctx context.Context, env *Env, words []string) error {
	p, err := b.plan(words, env.NowFunc())
	if err != nil {
		return err
	}
	if _, err := env.settingsForChange(b.dryRun); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	r := &bulkRun{bulk: b, env: env, cfg: cfg, store: store, changes: store}
	if b.dryRun {
		r.changes = dryRun{store}
	}
	err = r.run(ctx, p)
	if err != nil && r.op == nil {
		return unreachable(cfg, err)
	}
	if errRender := env.render(r.result()); errRender != nil && err == nil {
		return errRender
	}
	return err
}

// result is the outcome so far.
func (r *bulkRun) result() *bulkResult {
	changed := r.op.Changed + r.flights.retried()
	skipped := max(0, r.op.Skipped-r.flights.retried()) + r.ineligible
	res := &bulkResult{Matched: r.op.Matched + r.ineligible, Skipped: skipped, DryRun: r.dryRun, Preview: r.preview}
	if r.op.ID != "" {
		res.OperationID = &r.op.ID
	}
	if r.kind == chatops.OperationRetry {
		res.Requeued = &changed
	} else {
		res.Discarded = &changed
	}
	if p := r.progress; p != nil {
		pending := p.Pending + p.Waiting
		res.Delivered, res.Failed, res.Pending = &p.Delivered, &p.Failed, &pending
	}
	return res
}

func (r *bulkResult) sections(bool) []section {
	operation := ""
	if r.OperationID != nil {
		operation = *r.OperationID
	}
	pairs := []string{"operation", operation, "matched", fmt.Sprint(r.Matched)}
	for _, o := range []struct {
		name  string
		count *int64
	}{{"requeued", r.Requeued}, {"discarded", r.Discarded}, {"skipped", &r.Skipped}, {"delivered", r.Delivered}, {"failed", r.Failed}, {"pending", r.Pending}} {
		if o.count != nil {
			pairs = append(pairs, o.name, fmt.Sprint(*o.count))
		}
	}
	list := []section{fields(append(pairs, "dry_run", fmt.Sprint(r.DryRun))...)}
	if r.Preview != nil {
		list = append(list, r.Preview.sections()...)
	}
	return list
}

// describe words a filter for the question before a change.
func describe(f chatops.AlertFilter) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	add("status", joinStatuses(f.Statuses))
	add("type", strings.Join(f.Types, ", "))
	add("target", strings.Join(f.Targets, ", "))
	if f.Error != "" {
		add("error", fmt.Sprintf("%q", f.Error))
	}
	add("fingerprint", f.Fingerprint)
	add("since", timestamp(f.Since).short())
	add("until", timestamp(f.Until).short())
	if f.MinAttempts > 0 {
		add("retries at least", fmt.Sprint(f.MinAttempts))
	}
	if n := len(f.IDs); n > 0 && n <= 10 {
		add("id", strings.Trim(strings.ReplaceAll(fmt.Sprint(f.IDs), " ", ", "), "[]"))
	} else if n > 0 {
		add("id", fmt.Sprintf("%d, ... (%d ids)", f.IDs[0], n))
	}
	return strings.Join(parts, "; ")
}

// alertChanger is what a bulk change needs to change.
type alertChanger interface {
	actionLog
	CreateOperation(ctx context.Context, op *chatops.Operation) error
	StepOperation(ctx context.Context, id string, limit int) (*chatops.Operation, error)
	Announce(ctx context.Context) error
}

// dryRun stands in for a store in a dry run: it counts and changes nothing.
type dryRun struct{ store chatops.AlertStore }

// BeginAction writes nothing down.
func (dryRun) BeginAction(context.Context, *chatops.OperatorAction) error { return nil }

// FinishAction writes nothing down.
func (dryRun) FinishAction(context.Context, int64, string) error { return nil }

// Announce wakes nobody.
func (dryRun) Announce(context.Context) error { return nil }

// CreateOperation counts what the operation would select.
func (d dryRun) CreateOperation(ctx context.Context, op *chatops.Operation) error {
	n, err := d.store.CountAlerts(ctx, op.Filter)
	op.ID, op.Matched, op.DoneAt = "", n, time.Unix(0, 0)
	return err
}

// StepOperation reports the operation as it stands.
func (d dryRun) StepOperation(ctx context.Context, id string, _ int) (*chatops.Operation, error) {
	op, err := d.store.Operation(ctx, id)
	if err == nil {
		op.DoneAt = time.Unix(0, 0)
	}
	return op, err
}
