package storetest

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// patience bounds waits in real time; a correct store needs a fraction of it.
const patience = 15 * time.Second

func watchCases() []testCase {
	return []testCase{
		{"Watch_WakesWhenAnotherProcessQueuesAnAlert", watchEnqueue},
		{"Watch_WakesWhenAnotherProcessStoresALead", watchLead},
		{"Watch_EndsWithItsContext", watchEnds},
	}
}

// watch starts a watcher and returns its wakes and its end.
func (e *env) watch(ctx context.Context) (<-chan struct{}, <-chan error) {
	wakes := make(chan struct{}, 1)
	ended := make(chan error, 1)
	watcher := e.open()
	go func() {
		ended <- watcher.Watch(ctx, func() {
			select {
			case wakes <- struct{}{}:
			default:
			}
		})
	}()
	return wakes, ended
}

// wantWake repeats what should wake the watcher until it does.
func (e *env) wantWake(cause func()) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(e.ctx)
	wakes, ended := e.watch(ctx)
	deadline := time.After(patience)
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for woken := false; !woken; {
		cause()
		select {
		case <-wakes:
			woken = true
		case err := <-ended:
			e.t.Fatalf("Watch ended by itself: %v", err)
		case <-deadline:
			e.t.Fatal("the watcher was not woken")
		case <-again.C:
		}
	}
	cancel()
	e.wantEnd(ended)
}

func (e *env) wantEnd(ended <-chan error) {
	e.t.Helper()
	select {
	case err := <-ended:
		e.must(err)
	case <-time.After(patience):
		e.t.Fatal("Watch did not end with its context")
	}
}

func watchEnqueue(e *env) {
	e.wantWake(func() {
		_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{newAlert(slackLane, "")})
		e.must(err)
		e.must(e.store.Announce(e.ctx))
	})
}

func watchLead(e *env) {
	sessions := 0
	e.wantWake(func() {
		sessions++
		e.save(leadTurn("watch-" + string(rune('a'+sessions))))
		e.must(e.store.Announce(e.ctx))
	})
}

func watchEnds(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	_, ended := e.watch(ctx)
	e.wantEnd(ended)
}
