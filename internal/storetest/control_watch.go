package storetest

import (
	"context"
	"time"
)

// watchControls starts a watcher of orders on a handle of its own.
func (e *env) watchControls(ctx context.Context) (<-chan struct{}, <-chan error) {
	wakes, ended := make(chan struct{}, 1), make(chan error, 1)
	watcher := e.open()
	go func() {
		ended <- watcher.WatchControls(ctx, func() {
			select {
			case wakes <- struct{}{}:
			default:
			}
		})
	}()
	return wakes, ended
}

func (e *env) nextWake(wakes <-chan struct{}, ended <-chan error) {
	e.t.Helper()
	select {
	case <-wakes:
	case err := <-ended:
		e.t.Fatalf("WatchControls ended by itself: %v", err)
	case <-time.After(patience):
		e.t.Fatal("the watcher was not woken")
	}
}

// controlWatch follows every order as a replica does: it is woken, and then it
// sees the order.
func controlWatch(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	wakes, ended := e.watchControls(ctx)
	replica := e.open()
	e.nextWake(wakes, ended)
	for _, order := range []func(){
		func() { e.trip("slack", 0) },
		func() { e.override("chat", "1 per minute", 0) },
		func() { e.block("203.0.113.7/32", 0) },
		func() {
			_, err := e.store.UnblockClient(e.ctx, "203.0.113.7/32")
			e.must(err)
		},
		func() {
			_, err := e.store.UnsetLimitOverride(e.ctx, "chat")
			e.must(err)
		},
	} {
		before := e.controls().Revision
		order()
		for seen := before; seen == before; {
			e.nextWake(wakes, ended)
			c, err := replica.Controls(e.ctx)
			e.must(err)
			seen = c.Revision
		}
	}
	cancel()
	e.wantEnd(ended)
	e.must(replica.WatchControls(ctx, func() {})) // its context has ended
}

func controlWatchPoll(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	wakes, ended := e.watchControls(ctx)
	start := time.Now()
	const polls = 3
	for range polls + 1 { // the first may come at once
		e.nextWake(wakes, ended)
	}
	if took := time.Since(start); took > 3*polls*time.Second {
		e.t.Fatalf("%d wakes took %v", polls, took)
	}
	cancel()
	e.wantEnd(ended)
}
