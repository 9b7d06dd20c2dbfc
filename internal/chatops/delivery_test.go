package chatops_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"chatops/internal/chatops"
)

func TestSendErrorTripsBreaker_OnlyOnTheIntegrationsOwnTrouble(t *testing.T) {
	t.Parallel()
	cancelled := fmt.Errorf("slack: %w", context.Canceled)
	tests := []struct {
		name string
		err  chatops.SendError
		want bool
	}{
		{"transient", chatops.SendError{Kind: chatops.FailTransient}, true},
		{"timeout", chatops.SendError{Kind: chatops.FailTransient, Err: context.DeadlineExceeded}, true},
		{"ambiguous", chatops.SendError{Kind: chatops.FailAmbiguous}, true},
		{"our own cancellation", chatops.SendError{Kind: chatops.FailTransient, Err: cancelled}, false},
		{"permanent", chatops.SendError{Kind: chatops.FailPermanent}, false},
		{"rate limited", chatops.SendError{Kind: chatops.FailRateLimited}, false},
		{"misconfigured", chatops.SendError{Kind: chatops.FailMisconfigured}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.err.TripsBreaker(); got != tt.want {
				t.Errorf("TripsBreaker = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSendError_ShowsTheCauseAndFallsBackToItsKind(t *testing.T) {
	t.Parallel()
	cause := errors.New("slack: HTTP 500")
	err := error(&chatops.SendError{Kind: chatops.FailTransient, Err: cause})
	if err.Error() != "slack: HTTP 500" || !errors.Is(err, cause) {
		t.Errorf("error = %v, want the cause", err)
	}
	if got := (&chatops.SendError{Kind: chatops.FailPermanent}).Error(); got != "permanent" {
		t.Errorf("Error() without cause = %q, want its kind", got)
	}
}
