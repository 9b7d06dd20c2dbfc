package sqlite

import (
	"context"
	"testing"
	"time"
)

func TestPatient_ACallThatReadsTheWholeQueueIsNotCutOffAsOthersAre(t *testing.T) {
	t.Parallel()
	s := &Store{timeout: 15 * time.Second}
	ctx, cancel := s.patient(t.Context())
	defer cancel()
	if until, ok := ctx.Deadline(); !ok || time.Until(until) < 4*time.Minute || time.Until(until) > 5*time.Minute {
		t.Errorf("it ends at %v, %v; want in five minutes", until, ok)
	}
	short, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	given, release := s.patient(short)
	defer release()
	if given != short {
		t.Error("a deadline of the caller is not kept")
	}
}
