package storetest

import (
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func enqueueCases() []testCase {
	return []testCase{
		{"Enqueue_OfAKnownKey_AddsNothing", enqueueTwice},
		{"Enqueue_WithoutKey_AlwaysAdds", enqueueWithoutKey},
		{"Enqueue_OfTheSameKeyTwiceInOneCall_AddsOne", enqueueRepeated},
		{"Enqueue_ByManyAtOnce_AddsEachKeyOnce", enqueueParallel},
		{"Enqueue_SetsDueTimeAndDefaults", enqueueDefaults},
		{"Enqueue_OfNothing_IsFine", enqueueNothing},
	}
}

func enqueueTwice(e *env) {
	list := []chatops.NewAlert{newAlert(slackLane, "a"), newAlert(mondayLane, "b")}
	for _, want := range []int{2, 0} {
		n, err := e.store.Enqueue(e.ctx, list)
		e.must(err)
		if n != want {
			e.t.Fatalf("Enqueue added %d, want %d", n, want)
		}
	}
	n, err := e.store.Enqueue(e.ctx, append(list, newAlert(slackLane, "c")))
	e.must(err)
	if n != 1 || len(e.alerts(chatops.AlertFilter{})) != 3 {
		e.t.Fatalf("Enqueue of one new among three added %d", n)
	}
	e.settle(e.claim(request(slackLane, true, 10)), chatops.OutcomeDelivered)
	n, err = e.store.Enqueue(e.ctx, list)
	e.must(err)
	if n != 0 {
		e.t.Fatalf("the key of a delivered alert was queued again")
	}
}

func enqueueWithoutKey(e *env) {
	a := newAlert(slackLane, "")
	for range 2 {
		if n, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{a, a}); err != nil || n != 2 {
			e.t.Fatalf("Enqueue added %d (%v), want 2", n, err)
		}
	}
	if b := e.claim(request(slackLane, true, 10)); len(b.Alerts) != 4 {
		e.t.Fatalf("claimed %d, want 4", len(b.Alerts))
	}
}

func enqueueRepeated(e *env) {
	n, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{newAlert(slackLane, "x"), newAlert(slackLane, "x")})
	e.must(err)
	if n != 1 || len(e.alerts(chatops.AlertFilter{})) != 1 {
		e.t.Fatalf("Enqueue added %d", n)
	}
}

func enqueueParallel(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	added := make([]int, 8)
	for i := range added {
		wg.Go(func() {
			// Different orders of the same keys: a deadlock unless they are sorted.
			list := make([]chatops.NewAlert, 0, 20)
			for k := range 20 {
				list = append(list, newAlert(slackLane, fmt.Sprintf("key-%d", (k*(2*i+1))%20)))
			}
			n, err := stores[i%2].Enqueue(e.ctx, list)
			if err != nil {
				e.t.Errorf("enqueue: %v", err)
			}
			added[i] = n
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range added {
		sum += n
	}
	if stored := len(e.alerts(chatops.AlertFilter{})); sum != 20 || stored != 20 {
		e.t.Fatalf("%d added and %d stored, want 20", sum, stored)
	}
}

func enqueueDefaults(e *env) {
	a := newAlert(slackLane, "k")
	a.Delay = 90 * time.Second
	before := e.clock.Peek()
	_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{a})
	e.must(err)
	after := e.clock.Peek()
	got := e.alerts(chatops.AlertFilter{})[0]
	if got.CreatedAt.Before(before) || got.CreatedAt.After(after) || got.NextAttemptAt.Sub(got.CreatedAt) != a.Delay {
		e.t.Fatalf("created_at %v, next_attempt_at %v between %v and %v", got.CreatedAt, got.NextAttemptAt, before, after)
	}
	want := chatops.Alert{
		ID: got.ID, EventType: a.EventType, Target: a.Target, Status: chatops.AlertQueued, IdempotencyKey: "k",
		CreatedAt: got.CreatedAt, NextAttemptAt: got.NextAttemptAt, Payload: got.Payload,
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		e.t.Fatalf("queued as\n%+v, want\n%+v", got, want)
	}
}

func enqueueNothing(e *env) {
	n, err := e.store.Enqueue(e.ctx, nil)
	e.must(err)
	if n != 0 {
		e.t.Fatalf("Enqueue of nothing added %d", n)
	}
}
