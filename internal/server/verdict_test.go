package server

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestVerdict_IsKeptUntilItIsTooOld(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	looks := 0
	v := newVerdict(func() time.Time { return now }, time.Second, func(context.Context) int {
		looks++
		return looks
	})
	for _, step := range []struct {
		pass time.Duration
		want int
	}{
		{0, 1}, {0, 1}, {999 * time.Millisecond, 1}, {time.Millisecond, 2}, {999 * time.Millisecond, 2}, {time.Hour, 3},
	} {
		now = now.Add(step.pass)
		if got := v.get(t.Context()); got != step.want {
			t.Errorf("after %s more: look %d, want %d", step.pass, got, step.want)
		}
	}
}

func TestVerdict_OneLookServesEverybodyWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		release := make(chan struct{})
		v := newVerdict(time.Now, time.Second, func(context.Context) string {
			looks.Add(1)
			<-release
			return "seen"
		})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := v.get(t.Context()); got != "seen" {
					t.Errorf("got %q", got)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if n := looks.Load(); n != 1 {
			t.Errorf("%d looks for 20 requests", n)
		}
	})
}

func TestVerdict_OutlivesTheRequestThatBeganIt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := newVerdict(time.Now, time.Minute, func(ctx context.Context) error { return ctx.Err() })
	if err := v.get(ctx); err != nil {
		t.Errorf("the look was cancelled with its first asker: %v", err)
	}
}

func TestVerdict_EndsALookThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newVerdict(time.Now, time.Minute, func(ctx context.Context) time.Duration {
			began := time.Now()
			<-ctx.Done()
			return time.Since(began)
		})
		if took := v.get(t.Context()); took != checkTimeout {
			t.Errorf("a look took %s", took)
		}
	})
}
