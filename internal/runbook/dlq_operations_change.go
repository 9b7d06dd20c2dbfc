package runbook

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// operationChange is `dlq operations pause`, `resume`, `cancel` or `rate`.
type operationChange struct {
	verb, done string // "pause", "paused"
	to         chatops.OperationState
	rate, most *float64
	dryRun     bool
	noteFunc   func(op *chatops.Operation) string // a line to read before answering the question, or ""
}

func (c *operationChange) command(env *Env, cmd *cobra.Command) *cobra.Command {
	dryRunFlag(cmd, &c.dryRun)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	if cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) }
	}
	return cmd
}

// newOperationsPause makes `dlq operations pause`.
func newOperationsPause(env *Env) *cobra.Command {
	c := &operationChange{verb: "pause", done: "paused", to: chatops.OperationPaused}
	return c.command(env, &cobra.Command{
		Use: "pause ID...", Short: "Keep operations from releasing more alerts",
		Long: "Keep operations from changing more alerts until they are resumed. What they have\n" +
			"released is on its way: to stop deliveries, trip the breaker.",
		Example: "  chatops dlq operations pause op_20260310120000000000_k3x9q --reason 'CRM asks for a break'",
	})
}

// newOperationsResume makes `dlq operations resume`.
func newOperationsResume(env *Env) *cobra.Command {
	c := &operationChange{verb: "resume", done: "resumed", to: chatops.OperationRunning}
	c.noteFunc = func(op *chatops.Operation) string {
		if op.State == chatops.OperationHalted {
			return fmt.Sprintf("note: %s halted by itself: %s; it begins again with its canary", op.ID, op.Note)
		}
		return ""
	}
	return c.command(env, &cobra.Command{
		Use: "resume ID...", Short: "Let operations go on",
		Long: "Let operations go on that were paused, that halted by themselves, or whose command line\n" +
			"is gone. The replicas carry them. One that has halted begins again with its canary, one\n" +
			"that was paused with the slow end of its ramp.",
		Example: "  chatops dlq operations resume op_20260310120000000000_k3x9q",
	})
}

// newOperationsCancel makes `dlq operations cancel`.
func newOperationsCancel(env *Env) *cobra.Command {
	c := &operationChange{verb: "cancel", done: "cancelled", to: chatops.OperationCancelled}
	return c.command(env, &cobra.Command{
		Use: "cancel ID...", Short: "End operations; what they have not released stays as it is",
		Long: "End operations for good. Alerts that they have not released stay exactly as they are,\n" +
			"and may be selected again. What they have released is on its way.",
		Example: "  chatops dlq operations cancel op_20260310120000000000_k3x9q --reason 'wrong filter'",
	})
}

func (c *operationChange) run(ctx context.Context, env *Env, words []string) error {
	if len(words) == 0 {
		return hint(chatops.Errorf(chatops.CodeUsage, "name the operations to %s", c.verb), "see what there is: chatops dlq operations list")
	}
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	r := &operationChangeRun{operationChange: c, env: env, cfg: cfg, store: store, res: &operationList{Operations: []operationView{}}}
	if c.dryRun {
		r.res.DryRun = &c.dryRun
	}
	if err := r.choose(ctx, words); err != nil {
		return unreachable(cfg, err)
	}
	if err = r.carryOut(ctx); err != nil && len(r.res.Operations) == 0 {
		return unreachable(cfg, err)
	}
	if errRender := env.render(r.res); errRender != nil && err == nil {
		return errRender
	}
	return unreachable(cfg, err)
}

// operationChangeRun is one run of such a command.
type operationChangeRun struct {
	*operationChange

	env   *Env
	cfg   *config.Config
	store chatops.Store
	ops   []*chatops.Operation // that need the change
	res   *operationList
}

func (r *operationChangeRun) change(id string) chatops.OperationChange {
	return chatops.OperationChange{ID: id, To: r.to, Rate: r.rate, MaxFailures: r.most, Actor: r.env.Actor, Reason: r.env.opts.reason}
}

// choose finds the operations. Nothing is changed when one of them cannot be.
func (r *operationChangeRun) choose(ctx context.Context, words []string) error {
	ctx, cancel := r.env.timeout(ctx, readTimeout)
	defer cancel()
	seen := map[string]bool{}
	for _, id := range words {
		if seen[id] {
			continue
		}
		seen[id] = true
		op, err := findOperation(ctx, r.store, id)
		if err != nil {
			return err
		}
		trial, change := *op, r.change(id)
		changed, err := trial.Change(&change, r.env.NowFunc())
		switch {
		case err != nil:
			return hint(err, "see: chatops dlq operations show %s", id)
		case !changed && r.rate == nil:
			r.env.notef("operation %s is %s already", id, op.State)
		case !changed:
			r.env.notef("operation %s has that pace already", id)
		default:
			if r.noteFunc != nil {
				if note := r.noteFunc(op); note != "" {
					r.env.notef("%s", note)
				}
			}
			r.ops = append(r.ops, op)
			continue
		}
		r.res.Operations = append(r.res.Operations, viewOperation(op, nil, r.env.NowFunc()))
	}
	return nil
}

// carryOut asks and makes the change.
func (r *operationChangeRun) carryOut(ctx context.Context) error {
	if len(r.ops) == 0 {
		return nil
	}
	var words, ids []string
	for _, op := range r.ops {
		words = append(words, fmt.Sprintf("%s (%s: %d of %d released, %d left)", op.ID, op.Kind, op.Changed, op.Matched, op.Left()))
		ids = append(ids, op.ID)
	}
	if r.dryRun {
		for _, op := range r.ops {
			change := r.change(op.ID)
			if _, err := op.Change(&change, r.env.NowFunc()); err != nil {
				return err
			}
			r.res.Operations = append(r.res.Operations, viewOperation(op, nil, r.env.NowFunc()))
		}
		return nil
	}
	what := r.verb + " operation "
	if r.rate != nil || r.most != nil {
		what = r.verb + " of operation "
	}
	if err := r.env.confirm(ctx, r.cfg, what+strings.Join(words, ", ")); err != nil {
		return err
	}
	return r.env.record(ctx, r.store, map[string]any{"operations": ids}, func() (string, error) {
		for _, op := range r.ops {
			if err := r.one(ctx, op.ID); err != nil {
				return "", err
			}
		}
		return r.done + " " + strings.Join(ids, ", "), nil
	})
}

func (r *operationChangeRun) one(ctx context.Context, id string) error {
	ctx, cancel := r.env.timeout(ctx, readTimeout)
	defer cancel()
	op, err := r.store.ChangeOperation(ctx, r.change(id))
	if err != nil {
		return err
	}
	p, err := r.store.OperationProgress(ctx, id)
	if err != nil {
		return err
	}
	r.res.Operations = append(r.res.Operations, viewOperation(op, p, r.env.NowFunc()))
	if op.State == chatops.OperationRunning {
		return r.env.tellCarriers(ctx, r.store, id)
	}
	return nil
}
