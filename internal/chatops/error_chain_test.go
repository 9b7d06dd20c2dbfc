package chatops_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// However an error is passed on, callers see the outermost Error and no text of
// what lies below it, and logs see all of it.
func TestErrorCode_IsThatOfTheOutermostErrorOfAnyChain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		err, code, message := io.EOF, chatops.CodeInternal, "internal error"
		for range rapid.IntRange(0, 6).Draw(t, "depth") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				err = fmt.Errorf("by the way: %w", err)
			case 1:
				err = errors.Join(io.ErrClosedPipe, err)
			case 2:
				code = rapid.SampledFrom(chatops.Codes()).Draw(t, "code")
				message = "read the lead"
				err = chatops.WrapError(code, err, message)
			case 3:
				code = rapid.SampledFrom(chatops.Codes()).Draw(t, "code")
				message = "try again: " + err.Error()
				err = chatops.Errorf(code, "try again: %w", err)
			}
			if got := chatops.ErrorCode(err); got != code {
				t.Fatalf("code of %q is %q, want %q", err, got, code)
			}
			if got := chatops.ErrorMessage(err); got != message {
				t.Fatalf("message of %q is %q, want %q", err, got, message)
			}
			if !errors.Is(err, io.EOF) {
				t.Fatalf("%q lost its cause", err)
			}
		}
	})
}

func TestWrapError_WithoutACause_IsItsMessage(t *testing.T) {
	t.Parallel()
	err := chatops.WrapError(chatops.CodeRefused, nil, "not confirmed")
	if err.Error() != "not confirmed" || err.Unwrap() != nil || chatops.ErrorCode(err) != chatops.CodeRefused {
		t.Errorf("error is %v", err)
	}
}

func TestSendError_OfOurOwnTroubleNeverTripsABreaker(t *testing.T) {
	t.Parallel()
	for _, kind := range []chatops.FailureKind{
		chatops.FailTransient, chatops.FailPermanent, chatops.FailRateLimited,
		chatops.FailAmbiguous, chatops.FailCancelled, chatops.FailMisconfigured,
	} {
		if err := (&chatops.SendError{Kind: kind, Ours: true, HTTPStatus: 503}); err.TripsBreaker() {
			t.Errorf("%s of our own making trips the breaker", kind)
		}
	}
	if (&chatops.SendError{Kind: chatops.FailCancelled}).TripsBreaker() {
		t.Error("a withdrawal of consent trips the breaker")
	}
}

func TestInstance_IsStaleOnlyAfterThreeMissedHeartbeats(t *testing.T) {
	t.Parallel()
	const last = 3 * chatops.HeartbeatEvery
	for age, want := range map[time.Duration]bool{-1: false, 0: false, last: false, last + 1: true} {
		i := chatops.Instance{Age: age}
		if got := i.Stale(); got != want {
			t.Errorf("an instance of age %s is stale: %v, want %v", age, got, want)
		}
	}
}
