package postgres_test

import (
	"context"
	"testing"
	"time"

	"chatops/internal/postgres"
)

const patience = time.Minute

// watch starts a watcher that reports the time of each wake.
func watch(t *testing.T, watchFunc func(ctx context.Context, wake func()) error) <-chan time.Time {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	wakes, ended := make(chan time.Time, 1000), make(chan error, 1)
	go func() { ended <- watchFunc(ctx, func() { wakes <- time.Now() }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watch ended with %v", err)
		}
	})
	return wakes
}

func nextWake(t *testing.T, wakes <-chan time.Time) time.Time {
	t.Helper()
	select {
	case at := <-wakes:
		return at
	case <-time.After(patience):
		t.Fatal("no wake")
		return time.Time{}
	}
}

func TestAnnounce_WakesAnotherProcessLongBeforeThePoll(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	wakes := watch(t, open(t, url, postgres.Options{PollEvery: time.Hour, Log: testLog(t)}).Watch)
	nextWake(t, wakes) // listening
	for range 5 {
		sender := open(t, url, postgres.Options{}) // a process of its own: nothing is throttled
		if err := sender.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		nextWake(t, wakes)
	}
}

func TestAnnounce_IsThrottled(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	wakes := watch(t, open(t, url, postgres.Options{PollEvery: time.Hour, Log: testLog(t)}).Watch)
	nextWake(t, wakes)
	sender := open(t, url, postgres.Options{})
	start := time.Now()
	for range 500 {
		if err := sender.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	most := int(time.Since(start)/(50*time.Millisecond)) + 1
	nextWake(t, wakes)
	if n := len(wakes) + 1; n > most {
		t.Errorf("%d wakes after 500 announcements, want at most %d", n, most)
	}
}
