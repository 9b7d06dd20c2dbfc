package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// begin begins a follow-up that must be possible.
func (e *env) beginFollowup(alert int64) int64 {
	e.t.Helper()
	fence, err := e.store.BeginFollowup(e.ctx, alert)
	e.must(err)
	if fence == 0 {
		e.t.Fatalf("follow-up of alert %d was sent before", alert)
	}
	return fence
}

func (e *env) wantFollowup(c *chatops.Conversation, number int, want chatops.FollowupStatus) {
	e.t.Helper()
	if f := e.followup(c, number); f.Status != want {
		e.t.Fatalf("follow-up %d is %s, want %s", number, f.Status, want)
	}
}

func followupStates(e *env) {
	c := e.silence("states", anna, 25*hour)
	id := e.plan(c, 1)
	fence := e.beginFollowup(id)
	e.wantFollowup(c, 1, chatops.FollowupSending)
	calls := 0
	e.must(e.store.SendFollowup(e.ctx, id, fence, func() error { calls++; return nil }))
	refused := errors.New("451")
	if err := e.store.SendFollowup(e.ctx, id, fence, func() error { calls++; return refused }); !errors.Is(err, refused) || calls != 2 {
		e.t.Fatalf("data gave %v after %d calls", err, calls)
	}
	e.must(e.store.EndFollowup(e.ctx, id, fence, chatops.FollowupQueued))
	e.wantFollowup(c, 1, chatops.FollowupQueued)
	e.wantCode(e.store.EndFollowup(e.ctx, id, fence, chatops.FollowupSent), chatops.CodeConflict)

	again := e.beginFollowup(id)
	if again <= fence {
		e.t.Fatalf("fence %d after %d", again, fence)
	}
	for _, stale := range []int64{0, fence, again + 1} {
		err := e.store.SendFollowup(e.ctx, id, stale, func() error { calls++; return nil })
		e.wantCode(err, chatops.CodeConflict)
		e.wantCode(e.store.EndFollowup(e.ctx, id, stale, chatops.FollowupSent), chatops.CodeConflict)
	}
	e.must(e.store.EndFollowup(e.ctx, id, again, chatops.FollowupFailed))
	planned := e.followup(c, 1).SentAt
	again = e.beginFollowup(id) // a refused one may be tried again
	e.must(e.store.EndFollowup(e.ctx, id, again, chatops.FollowupSent))
	if f := e.followup(c, 1); f.Status != chatops.FollowupSent || !f.SentAt.After(planned) {
		e.t.Fatalf("sent: %+v, planned at %v", f, planned)
	}
	if fence, err := e.store.BeginFollowup(e.ctx, id); fence != 0 || err != nil {
		e.t.Fatalf("one that was sent gives fence %d, %v", fence, err)
	}
	for _, status := range []chatops.FollowupStatus{"", "x", chatops.FollowupSending, chatops.FollowupCancelled} {
		e.wantCode(e.store.EndFollowup(e.ctx, id, again, status), chatops.CodeInvalid)
	}
	_, err := e.store.BeginFollowup(e.ctx, 4711)
	e.wantCode(err, chatops.CodeRefused)
	e.wantCode(e.store.SendFollowup(e.ctx, 4711, 1, func() error { calls++; return nil }), chatops.CodeConflict)
	if calls != 2 {
		e.t.Fatalf("data was called %d times", calls)
	}
}

func followupUncertain(e *env) {
	c := e.silence("uncertain", anna, 25*hour)
	id := e.plan(c, 1)
	fence := e.beginFollowup(id)
	_, err := e.store.BeginFollowup(e.ctx, id) // the first has died, as far as anybody knows
	e.wantCode(err, chatops.CodeConflict)
	e.wantFollowup(c, 1, chatops.FollowupUncertain)
	err = e.store.SendFollowup(e.ctx, id, fence, func() error {
		e.t.Errorf("data of a follow-up that was given up")
		return nil
	})
	e.wantCode(err, chatops.CodeConflict)
	_, err = e.store.BeginFollowup(e.ctx, id)
	e.wantCode(err, chatops.CodeConflict)
	e.wantCode(e.store.EndFollowup(e.ctx, id, fence, chatops.FollowupQueued), chatops.CodeConflict)
	// It lives after all, and knows.
	e.must(e.store.EndFollowup(e.ctx, id, fence, chatops.FollowupSent))
	e.wantFollowup(c, 1, chatops.FollowupSent)
}

func sendReadsConsent(e *env) {
	for i, change := range []func(email string, c *chatops.Conversation){
		func(email string, _ *chatops.Conversation) { e.withdraw(chatops.ActionUnsubscribe, email) },
		func(email string, _ *chatops.Conversation) { e.withdraw(chatops.ActionRevoke, email) },
		func(_ string, c *chatops.Conversation) { e.setSession(c.SessionID, false) },
		func(email string, _ *chatops.Conversation) {
			e.exec(fmt.Sprintf(`INSERT INTO suppression (email_key, scope) VALUES ('%s', 'marketing')`, consent.LooseKey(email)))
		},
		func(email string, _ *chatops.Conversation) {
			l := lead("")
			l.Email, l.Status = email, chatops.LeadContacted
			e.create(l)
		},
		func(_ string, c *chatops.Conversation) {
			e.exec(fmt.Sprintf(`UPDATE chat_conversations SET email = 'other@x.pl' WHERE id = %d`, c.ID))
		},
	} {
		email := fmt.Sprintf("jan+%d@x%d.pl", i, i)
		c := e.silence(fmt.Sprintf("send-%d", i), email, 25*hour)
		id := e.plan(c, 1)
		fence := e.beginFollowup(id)
		change(email, c)
		err := e.store.SendFollowup(e.ctx, id, fence, func() error {
			e.t.Errorf("change %d: data was called", i)
			return nil
		})
		e.wantCode(err, chatops.CodeRefused)
		e.wantFollowup(c, 1, chatops.FollowupCancelled)
		_, err = e.store.BeginFollowup(e.ctx, id)
		e.wantCode(err, chatops.CodeRefused)
	}
	c := e.silence("discarded", anna, 25*hour)
	id := e.plan(c, 1)
	fence := e.beginFollowup(id)
	e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET status = 'discarded' WHERE id = %d`, id))
	e.wantCode(e.store.SendFollowup(e.ctx, id, fence, func() error {
		e.t.Errorf("data of a discarded alert")
		return nil
	}), chatops.CodeConflict)
}

// sendAgainstWithdrawal: while data runs, a withdrawal from another process does
// not end; when it has ended first, data does not run.
func sendAgainstWithdrawal(e *env) {
	c := e.silence("race", anna, 25*hour)
	id := e.plan(c, 1)
	fence := e.beginFollowup(id)
	other := e.open()
	var withdrawn atomic.Bool
	done := make(chan error, 1)
	e.must(e.store.SendFollowup(e.ctx, id, fence, func() error {
		go func() {
			_, err := other.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: anna})
			withdrawn.Store(true)
			done <- err
		}()
		// Reads do not wait; when several have come and gone the withdrawal has
		// had its time.
		for range 20 {
			if _, err := other.ConsentStatus(e.ctx, anna); err != nil {
				return err
			}
		}
		if withdrawn.Load() {
			return errors.New("consent was withdrawn between the check and DATA")
		}
		return nil
	}))
	e.must(<-done)
	e.must(e.store.EndFollowup(e.ctx, id, fence, chatops.FollowupQueued))
	fence = e.beginFollowup(id)
	e.wantCode(e.store.SendFollowup(e.ctx, id, fence, func() error { return nil }), chatops.CodeRefused)
}

func retryUncertain(e *env) {
	c := e.silence("named", anna, 25*hour)
	id := e.plan(c, 1)
	b := e.claim(request(chatops.TargetFollowups, true, 10))
	e.beginFollowup(id)
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeFailed, id), Done: true})
	_, err := e.store.BeginFollowup(e.ctx, id)
	e.wantCode(err, chatops.CodeConflict)

	op := e.finish(e.operate(chatops.OperationRetry, chatops.AlertFilter{}).ID, 10)
	if op.Changed != 0 || op.Skipped != 1 {
		e.t.Fatalf("retry of all: %+v", *op)
	}
	e.wantStatus(id, chatops.AlertFailed, 0)
	op = e.finish(e.operate(chatops.OperationRetry, chatops.AlertFilter{IDs: []int64{id}}).ID, 10)
	if op.Changed != 1 || op.Skipped != 0 {
		e.t.Fatalf("retry by id: %+v", *op)
	}
	e.wantStatus(id, chatops.AlertPending, 0)
	e.wantFollowup(c, 1, chatops.FollowupQueued)
	e.beginFollowup(id)
}
