package sender

import (
	"context"
	"errors"
	"io"
	"time"

	"chatops/internal/chatops"
)

// Followups guards the sending of follow-ups, each of which goes out at most
// once and never after consent was withdrawn. See chatops.FollowupStore.
type Followups interface {
	BeginFollowup(ctx context.Context, alertID int64) (fence int64, err error)
	SendFollowup(ctx context.Context, alertID, fence int64, data func() error) error
	EndFollowup(ctx context.Context, alertID, fence int64, status chatops.FollowupStatus) error
}

const (
	// holdFor is how long withdrawals wait for a mail server's answer to DATA.
	// The command has left by then.
	holdFor = time.Second
	// endWithin bounds the note of what became of a mail, also when the attempt
	// has run out of time.
	endWithin = 5 * time.Second
)

// onceMail is one attempt to send a follow-up.
type onceMail struct {
	followups Followups
	alert     int64
	fence     int64 // 0: not begun
}

// heldError is why DATA was not begun. A nil failure: the mail was sent before.
type heldError struct{ failure *chatops.SendError }

func (*heldError) Error() string { return "DATA was not begun" }

// sendOnce delivers a follow-up and records what became of it.
func (e *email) sendOnce(ctx context.Context, alert *chatops.Alert, to string, message []byte) error {
	if e.followups == nil {
		return failure(chatops.FailMisconfigured, "unguarded", "email: follow-ups cannot be sent from here")
	}
	once := &onceMail{followups: e.followups, alert: alert.ID}
	if f := e.deliver(ctx, to, message, once); f != nil {
		return once.settle(ctx, f)
	}
	return once.settle(ctx, nil)
}

// pass begins the follow-up and calls data under the person's lock. Its error is
// a *heldError when data was not called.
func (o *onceMail) pass(ctx context.Context, data func() error) error {
	fence, err := o.followups.BeginFollowup(ctx, o.alert)
	if err == nil && fence == 0 {
		return &heldError{}
	}
	if err != nil {
		return held(err)
	}
	o.fence = fence
	called := false
	err = o.followups.SendFollowup(ctx, o.alert, fence, func() error {
		called = true
		return data()
	})
	if err != nil && !called {
		return held(err)
	}
	return err
}

// held turns the store's refusal into a failure of the attempt. Its text is the
// store's: it names the alert only.
func held(err error) *heldError {
	text := chatops.ErrorMessage(err)
	switch chatops.ErrorCode(err) { //nolint:exhaustive // every other code is trouble of our own
	case chatops.CodeRefused:
		return &heldError{failure(chatops.FailCancelled, "withdrawn", "%s", text)}
	case chatops.CodeConflict:
		return &heldError{failure(chatops.FailPermanent, "uncertain", "%s", text)}
	}
	f := failure(chatops.FailTransient, "consent_unknown", "email: consent could not be read: %s", text)
	f.Ours = true
	return &heldError{f}
}

// open begins DATA. Withdrawals wait until the server has answered, but not for
// a server that takes its time.
func (o *onceMail) open(r *smtpRun) (io.WriteCloser, error) {
	var writer io.WriteCloser
	answer := make(chan error, 1)
	err := o.pass(r.ctx, func() error {
		r.begin("DATA", r.email.times.command)
		go func() {
			w, err := r.client.Data()
			writer = w
			answer <- err
		}()
		return waitFor(answer, holdFor)
	})
	if err != nil {
		return nil, err
	}
	if err := <-answer; err != nil {
		return nil, err
	}
	return writer, nil
}

// waitFor waits for an answer, for so long at most, and leaves it there.
func waitFor(answer chan error, d time.Duration) error {
	patience := time.NewTimer(d)
	defer patience.Stop()
	select {
	case err := <-answer:
		answer <- err
	case <-patience.C:
	}
	return nil
}

// settle records what became of the attempt and returns its failure, nil when
// the mail is delivered.
func (o *onceMail) settle(ctx context.Context, err error) error {
	if h, ok := errors.AsType[*heldError](err); ok {
		err = nil
		if h.failure != nil {
			err = h.failure
		}
	}
	if err == nil && o.fence == 0 {
		return nil // sent before
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	f, _ := errors.AsType[*chatops.SendError](err)
	status := chatops.FollowupSent
	switch {
	case err == nil:
	case f == nil, f.Kind == chatops.FailAmbiguous:
		status = chatops.FollowupUncertain
		f = onlyOnce(f)
	case f.Kind == chatops.FailCancelled, f.Code == "uncertain":
		return f // the store knows
	case f.Kind == chatops.FailPermanent:
		status = chatops.FollowupFailed
		o.beginLate(ctx)
	default:
		status = chatops.FollowupQueued
	}
	if o.fence != 0 {
		// Where this fails the follow-up stays "sending", and whoever tries again
		// finds it uncertain.
		_ = o.followups.EndFollowup(ctx, o.alert, o.fence, status)
	}
	if f == nil {
		return nil
	}
	return f
}

// beginLate begins a follow-up whose recipient was refused, so that this can be
// recorded.
func (o *onceMail) beginLate(ctx context.Context) {
	if o.fence == 0 {
		if fence, err := o.followups.BeginFollowup(ctx, o.alert); err == nil {
			o.fence = fence
		}
	}
}

// onlyOnce marks a failure as one that must not be repeated by itself.
func onlyOnce(f *chatops.SendError) *chatops.SendError {
	if f == nil {
		f = failure(chatops.FailAmbiguous, "unknown", "email: the attempt ended without a result")
	}
	f.Once = true
	return f
}
