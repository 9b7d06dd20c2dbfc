package deadletter

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

const (
	// probeWait is how long an alert waits that met a half-open breaker whose
	// probe is out.
	probeWait = time.Second
	// digestWait is how long an escalation waits whose text could not be made.
	digestWait = 10 * time.Second
	// quietWait is how long one waits that is about a muted cause, until the next
	// look whether the cause has grown.
	quietWait = 10 * time.Minute
)

// errCutOff marks an attempt that was ended by our own stop.
var errCutOff = errors.New("cut off: the process was stopping")

// try makes the attempt of one alert. False: the batch must start no more.
func (r *run) try(i int) bool {
	a, l, e := &r.batch.Alerts[i], r.l, r.e
	start := e.now()
	if start.UnixNano() > r.leaseEnd.Load() {
		r.putBack(i, 0) // it may be somebody else's by now
		return false
	}
	if a.EventType == chatops.EventEscalation {
		mail, ok := r.writeEscalation(a)
		if !ok {
			return true
		}
		a = mail
	}
	permit, ok := l.breaker.Allow()
	if !ok {
		r.putBack(i, e.breakerHold(l))
		return false
	}
	if l.policy.Serial {
		l.lastStart.Store(start.UnixNano())
	}
	receipt, err := r.send(a)
	spent := e.now().Sub(start)
	if err != nil && r.lf.attempts.Err() != nil {
		err = &failure{SendError: chatops.SendError{Kind: chatops.FailAmbiguous, Err: errCutOff}, ours: true}
	}
	f := failureOf(err)
	e.answer(l, permit, f, spent)
	r.attempts[i] = chatops.Attempt{
		AlertID: a.ID, StartedAt: start, Duration: spent, Outcome: string(chatops.OutcomeDelivered), Replica: e.opts.Replica,
	}
	l.met.observe(f, spent)
	o := chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeDelivered, Attempt: &r.attempts[i], Receipt: receipt}
	var v verdict
	if f != nil {
		v = e.judge(l, &r.batch.Alerts[i], f, &o)
	} else if l.misconfigured.Load() {
		l.misconfigured.Store(false)
		e.log.Info("delivery: the integration accepts alerts again", "integration", l.integration)
	}
	r.settle(o, v, spent)
	if v.stop {
		r.stop.Store(true)
	}
	return !v.stop
}

// putBack leaves an alert untried and stops the batch.
func (r *run) putBack(i int, hold time.Duration) {
	r.stop.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.untried = append(r.untried, i)
	r.hold = max(r.hold, hold)
}

// breakerHold is how long alerts wait that the breaker has stopped. Those of an
// open one are due at once: another replica may have a closed one.
func (e *Engine) breakerHold(l *lane) time.Duration {
	if l.breaker.State() == breaker.HalfOpen {
		return probeWait
	}
	return 0
}

// failure is a SendError and whether it was our own doing, about which the
// integration's breaker must not hear.
type failure struct {
	chatops.SendError

	ours bool
}

// send hands the alert to its sender, within the policy's timeout, and turns a
// panic into a failure of this alert. The receipt is that of an alert that was
// delivered.
func (r *run) send(a *chatops.Alert) (receipt string, err error) {
	ctx := &deadline{Context: r.lf.attempts, at: time.Now().Add(r.l.policy.Timeout)}
	defer func() {
		if p := recover(); p != nil {
			r.e.met.panics.Inc()
			r.e.log.Error("delivery: a sender panicked", "integration", r.l.integration, "alert", a.ID,
				"panic", Redact(fmt.Sprint(p)), "stack", string(debug.Stack()))
			err = &failure{ours: true, SendError: chatops.SendError{
				Kind: chatops.FailAmbiguous, Code: "panic", Err: fmt.Errorf("the sender panicked: %v", p),
			}}
		}
		ctx.release()
	}()
	if s, ok := r.l.sender.(chatops.ReceiptSender); ok {
		if receipt, err = s.SendForReceipt(ctx, a); err != nil {
			return "", err
		}
		return receipt, nil
	}
	return "", r.l.sender.Send(ctx, a)
}

// Error is needed because both halves of the embedding have one.
func (f *failure) Error() string { return f.SendError.Error() }

// failureOf finds the SendError in an error; any other error is ambiguous.
func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	if se, ok := err.(*chatops.SendError); ok && se == nil { //nolint:errorlint // errors.As would call its methods
		err = errors.New("the sender failed without an error")
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if se, ok := errors.AsType[*chatops.SendError](err); ok {
		return &failure{SendError: *se}
	}
	return &failure{SendError: chatops.SendError{Kind: chatops.FailAmbiguous, Err: err}}
}

// answer tells the breaker how the attempt went and how long it took. A refusal
// is an answer too: the integration is up. What never reached it says nothing.
func (e *Engine) answer(l *lane, p breaker.Permit, f *failure, spent time.Duration) {
	switch {
	case f == nil:
		p.SuccessIn(spent)
	case f.ours:
		p.Cancel()
	case f.TripsBreaker():
		l.ramp.stumble(e.now())
		p.FailureBecause(l.causeOf(f).text)
	case f.HTTPStatus > 0:
		p.SuccessIn(spent)
	default:
		p.Cancel()
	}
}
