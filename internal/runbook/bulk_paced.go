package runbook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// wordPace words a pace for the question before a change.
func wordPace(p *chatops.OperationPace, count int64) string {
	if p == nil {
		return ""
	}
	text := ", as fast as the receiver takes them"
	if p.Rate > 0 {
		text = ", at most " + number(p.Rate) + " a second"
	}
	if p.Canary > 0 {
		text += fmt.Sprintf(" after a canary of %d", p.Canary)
	}
	text += fmt.Sprintf("; halts when more than %s %% fail", number(p.MaxFailures*100))
	return text + "; takes about " + chatops.Span(p.ETA(count, 0, chatops.PaceWindow).Round(time.Second)) + " if all goes well"
}

// hand leaves a paced operation to the replicas, and with --now watches them. It
// returns the result for the record.
func (r *bulkRun) hand(ctx context.Context) (string, error) {
	if r.now {
		return r.watchPaced(ctx)
	}
	r.env.notef("the replicas carry it; watch it with: chatops dlq operations show %s --watch", r.op.ID)
	if err := r.env.tellCarriers(ctx, r.store, r.op.ID); err != nil {
		r.env.notef("warning: whether a replica is running is not known: %s", chatops.ErrorMessage(err))
	}
	return fmt.Sprintf("operation %s: %d matched, left to the replicas", r.op.ID, r.op.Matched), nil
}

// watchPaced watches a paced operation until it ends, and carries it in this
// process when no replica lives.
func (r *bulkRun) watchPaced(ctx context.Context) (string, error) {
	watching, stop := r.env.timeout(ctx, 0)
	w := &pacedWatch{bulkRun: r, ended: make(chan error, 1)}
	err := w.run(watching)
	expired := watching.Err() != nil && ctx.Err() == nil
	stop()
	if w.carrying {
		if errCarry := <-w.ended; err == nil && errCarry != nil && !errors.Is(errCarry, context.Canceled) {
			err = errCarry
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if op, errLast := r.store.Operation(last, r.op.ID); errLast == nil {
		r.op = op
		r.progress, _ = r.store.OperationProgress(last, r.op.ID)
	}
	result := fmt.Sprintf("operation %s: %s, released %d of %d", r.op.ID, r.op.State, r.op.Changed, r.op.Matched)
	switch {
	case ctx.Err() != nil || expired:
		code, what := chatops.CodeInterrupted, "interrupted: "
		if expired {
			code, what = chatops.CodePartial, "the time is over: "
		}
		return "", hint(chatops.Errorf(code, "%s%s", what, result), "%s", w.farewell())
	case err != nil:
		return "", err
	}
	return result, r.endOfPaced()
}

// endOfPaced is the verdict on a paced operation that goes on no more.
func (r *bulkRun) endOfPaced() error {
	switch r.op.State {
	case chatops.OperationHalted:
		err := chatops.Errorf(chatops.CodePartial, "operation %s has halted: %s; released %d of %d", r.op.ID, r.op.Note, r.op.Changed, r.op.Matched)
		return hint(err, "see what failed: chatops dlq operations failures %s, then resume or cancel it", r.op.ID)
	case chatops.OperationCancelled:
		return r.stopped()
	case chatops.OperationRunning, chatops.OperationPaused, chatops.OperationDone:
	}
	if r.progress == nil {
		return nil
	}
	return r.verdict()
}

// pacedWatch is one look after another at a paced operation.
type pacedWatch struct {
	*bulkRun

	carrying bool
	ended    chan error // of what carries it here
	asked    time.Time  // when it last asked who lives
	told     time.Time  // when it last printed a line
	line     string
	state    chatops.OperationState
}

func (w *pacedWatch) run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	defer w.clear()
	moved, seen := time.Now(), chatops.OperationOutcomes{}
	for {
		if err := w.stepIn(ctx); err != nil {
			return err
		}
		out, err := w.look(ctx)
		if err != nil {
			return unlessOver(ctx, err)
		}
		op := w.op
		w.tell(op, out)
		if out.Released != seen.Released || out.Waiting != seen.Waiting || op.State.Live() {
			moved, seen = time.Now(), *out
		}
		switch {
		case op.State == chatops.OperationHalted:
			return nil
		case !op.State.Live() && (out.Waiting == 0 || time.Since(moved) >= stallTimeout):
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.ended:
			w.carrying = false
			return err
		case <-tick.C:
		}
	}
}

// look reads how the operation stands.
func (w *pacedWatch) look(ctx context.Context) (*chatops.OperationOutcomes, error) {
	op, err := w.store.Operation(ctx, w.op.ID)
	if err != nil {
		return nil, err
	}
	w.op = op
	return w.store.OperationOutcomes(ctx, op.ID)
}

// unlessOver drops errors that the end of the watch has caused.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// stepIn carries the operation here when no replica lives that could.
func (w *pacedWatch) stepIn(ctx context.Context) error {
	if w.carrying || time.Since(w.asked) < chatops.StaleAfter {
		return nil
	}
	w.asked = time.Now()
	replicas, err := w.store.Instances(ctx)
	if err != nil {
		return unlessOver(ctx, err)
	}
	if len(chatops.Live(replicas)) > 0 {
		return nil
	}
	w.clear()
	w.env.notef("no replica is running: this process carries the operation, until Ctrl-C")
	w.carrying = true
	id := w.op.ID // every look replaces w.op
	go func() { w.ended <- w.env.CarryFunc(ctx, w.cfg, w.env.logger(), w.store, id) }()
	return nil
}

// tell shows the progress: one line that is drawn over on a terminal, elsewhere a
// line now and then, and whenever the state changes.
func (w *pacedWatch) tell(op *chatops.Operation, out *chatops.OperationOutcomes) {
	v := viewOperation(op, nil, w.env.NowFunc())
	line := fmt.Sprintf("%s: released %d of %d, delivered %d, failed %d, waiting %d, %s", op.State, op.Changed, op.Matched,
		max(0, out.Tried()-out.Failed), out.Failed, out.Waiting, v.wordRate())
	if eta := v.eta(); eta != "" && op.Left() > 0 {
		line += ", about " + eta + " left"
	}
	if v.WaitsFor != "" {
		line += ", waits: " + v.WaitsFor
	}
	if op.State == chatops.OperationPaused && op.ChangedBy != "" {
		line += " (by " + op.ChangedBy + ")"
	}
	changed := op.State != w.state
	w.state = op.State
	switch {
	case w.bar():
		if line != w.line {
			w.env.sayf("\r%s"+clearLine, truncate(chatops.Harmless(line), max(w.env.Width-1, 20)))
		}
	case changed || time.Since(w.told) >= lineEvery:
		w.told = time.Now()
		w.env.notef("%s", line)
	}
	w.line = line
}

func (w *pacedWatch) bar() bool { return w.env.ErrTTY && w.env.getenv("TERM") != "dumb" }

func (w *pacedWatch) clear() {
	if w.bar() && w.line != "" {
		w.env.sayf("\r" + clearLine)
	}
}

// farewell says what becomes of the operation when nobody watches any more.
func (w *pacedWatch) farewell() string {
	if w.carrying {
		return "nobody carries it now; go on with: chatops dlq retry --operation " + w.op.ID + " --now"
	}
	return fmt.Sprintf("the replicas go on with it; watch it with: chatops dlq operations show %[1]s --watch, stop it with: chatops dlq operations pause %[1]s", w.op.ID)
}
