package chatops_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

func TestSleep_EndsWithTimeOrContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !chatops.Sleep(t.Context(), time.Minute) || time.Since(begun) != time.Minute {
			t.Errorf("slept %v, want a minute", time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if chatops.Sleep(ctx, time.Minute) || time.Since(begun) != time.Second {
			t.Errorf("slept %v although the context had ended", time.Since(begun))
		}
	})
}

func TestPattern_IsCompiledOnce(t *testing.T) {
	t.Parallel()
	p := chatops.Pattern(`^a+$`)
	first := p()
	if p() != first || !first.MatchString("aa") || first.MatchString("b") {
		t.Error("the pattern is another one each time, or does not match")
	}
	wrong := chatops.Pattern(`(`) // as long as nobody needs it
	defer func() {
		if recover() == nil {
			t.Error("a wrong expression goes unnoticed")
		}
	}()
	wrong()
}
