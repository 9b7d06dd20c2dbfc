package deadletter

import (
	"context"
	"errors"
	"testing"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// What must not be repeated by itself is not, also after a day; an operator is
// told. What was cancelled is nobody's trouble.
func TestOnce_IsNotRepeatedAndCancelledIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		err    *chatops.SendError
		status chatops.AlertStatus
		told   bool // by an escalation
		opens  bool // counts for the breaker
	}{
		{"the reply was lost", &chatops.SendError{Kind: chatops.FailAmbiguous, Once: true, Err: errors.New("email: final dot: closed")}, chatops.AlertFailed, true, true},
		{"consent was withdrawn", &chatops.SendError{Kind: chatops.FailCancelled, Err: errors.New("consent was withdrawn")}, chatops.AlertCancelled, false, false},
		{"an earlier attempt may have sent it", &chatops.SendError{Kind: chatops.FailPermanent, Code: "uncertain", Err: errors.New("may have been sent")}, chatops.AlertFailed, true, false},
		{"our own trouble", &chatops.SendError{Kind: chatops.FailTransient, Ours: true, Err: errors.New("no database")}, chatops.AlertPending, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				q, s := newFakeQueue(), &fakeSender{name: "email"}
				s.do(func(context.Context, *chatops.Alert) error { return tt.err })
				breakers := breaker.NewSet(breaker.Options{FailMax: 1})
				id := q.add(1, chatops.EventFollowup, chatops.TargetFollowups)[0]
				r := start(t, q, Options{Breakers: breakers, EscalationEmail: "ola@firma.example", Retry: Retry{Delay: 48 * time.Hour, Cap: 48 * time.Hour}, RandFunc: half}, s)
				r.settle()
				a := r.wantStatus(id, tt.status)
				if a.ErrorMessage == "" || a.RetryCount != 0 {
					t.Errorf("alert %+v", a)
				}
				if opened := breakers.Get("email").State() != breaker.Closed; opened != tt.opens {
					t.Errorf("the breaker is open: %v", opened)
				}
				pass(20 * time.Hour)
				if n := attemptsOf(s, chatops.EventFollowup); n != 1 {
					t.Errorf("%d attempts", n)
				}
				if told := len(q.find(chatops.EventEscalation)) > 0; told != tt.told {
					t.Errorf("an operator was told: %v", told)
				}
			})
		})
	}
}

// attemptsOf counts the attempts at alerts of a type.
func attemptsOf(s *fakeSender, eventType string) int {
	n := 0
	for _, a := range s.alerts() {
		if a.EventType == eventType {
			n++
		}
	}
	return n
}
