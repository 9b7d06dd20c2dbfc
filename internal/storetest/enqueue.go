package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
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
		{"Enqueue_OfHundredsAtOnce_KeepsThemAsTheyAre", enqueueMany},
		{"Enqueue_OfHundredsAtOnce_AddsOnlyWhatIsNew", enqueueManyKnown},
		{"Enqueue_OfHundredsByManyAtOnce_AddsEachKeyOnce", enqueueManyParallel},
	}
}

// many makes alerts that a store may want to load in bulk.
func many(from, to int) []chatops.NewAlert {
	list := make([]chatops.NewAlert, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, newAlert(slackLane, fmt.Sprintf("many-%d", i)))
	}
	return list
}

func enqueueMany(e *env) {
	list := many(0, 300)
	for i, text := range []string{"tab\tand\nlines\r", `back\slash`, `\N`, `\.`, "NUL \x00", "half \xff", "Łódź 'q' \"d\"", ""} {
		list[i].Payload, _ = json.Marshal(map[string]string{"text": text})
		list[i].Target, list[i].IdempotencyKey = "webhook:"+text, "key "+text
	}
	list[8].IdempotencyKey, list[9].IdempotencyKey = "", ""
	list[10].Target, list[10].EventType = "mailto:jan@example.pl", chatops.EventEmailAlert
	before := e.clock.Peek()
	n, err := e.store.Enqueue(e.ctx, list)
	e.must(err)
	stored := map[string]chatops.Alert{}
	for _, a := range e.alerts(chatops.AlertFilter{}) {
		stored[a.IdempotencyKey] = a
		if a.Status != chatops.AlertQueued || a.CreatedAt.Before(before) || !a.NextAttemptAt.Equal(a.CreatedAt) {
			e.t.Fatalf("queued as %+v", a)
		}
	}
	if n != len(list) || len(stored) != len(list)-1 {
		e.t.Fatalf("%d added and %d keys stored of %d", n, len(stored), len(list))
	}
	for _, a := range list {
		got, ok := stored[chatops.CleanText(a.IdempotencyKey)]
		if a.IdempotencyKey == "" || !ok {
			continue
		}
		if got.Target != chatops.CleanText(a.Target) || string(got.Payload) != string(chatops.CleanJSON(a.Payload)) || got.EventType != a.EventType {
			e.t.Fatalf("queued %q as %+v", a.Target, got)
		}
	}
	if b := e.claim(request(slackLane, true, 500)); len(b.Alerts) != len(list)-9 {
		e.t.Fatalf("claimed %d alerts of the lane, want %d", len(b.Alerts), len(list)-9)
	}
}

func enqueueManyKnown(e *env) {
	for i, c := range []struct{ from, to, added int }{{0, 200, 200}, {0, 200, 0}, {150, 400, 200}, {399, 600, 200}} {
		n, err := e.store.Enqueue(e.ctx, many(c.from, c.to))
		e.must(err)
		if n != c.added {
			e.t.Fatalf("call %d added %d, want %d", i, n, c.added)
		}
	}
	n, err := e.store.Enqueue(e.ctx, append(many(600, 800), many(600, 800)...))
	e.must(err)
	stats, err := e.store.QueueStats(e.ctx)
	e.must(err)
	if total := stats.Total(chatops.AlertQueued); n != 200 || total != 800 || e.count(`SELECT COUNT(*) FROM dead_letter_queue`) != total {
		e.t.Fatalf("repeated keys added %d, %d are counted", n, total)
	}
	delayed := many(800, 1000)
	delayed[0].Delay = time.Hour
	n, err = e.store.Enqueue(e.ctx, delayed)
	e.must(err)
	if b := e.claim(request(slackLane, true, 2000)); n != 200 || len(b.Alerts) != 999 {
		e.t.Fatalf("added %d, claimed %d, want all but the delayed one", n, len(b.Alerts))
	}
	bad := many(1000, 1200)
	bad[150].Target = "webhook:" + strings.Repeat("x", 300)
	_, err = e.store.Enqueue(e.ctx, bad)
	e.wantCode(err, chatops.CodeInvalid)
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); n != 1000 {
		e.t.Fatalf("%d alerts after a call that was refused", n)
	}
}

func enqueueManyParallel(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	added := make([]int, 4)
	for i := range added {
		wg.Go(func() {
			n, err := stores[i%2].Enqueue(e.ctx, many(i*50, i*50+200))
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
	if stored := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); sum != 350 || stored != 350 {
		e.t.Fatalf("%d added and %d stored, want 350", sum, stored)
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
