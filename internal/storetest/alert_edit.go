package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func editCases() []testCase {
	return []testCase{
		{"ReplaceAlert_KeepsTheOriginalAndLinksBoth", editLinked},
		{"ReplaceAlert_TakesOnlyFailedAlerts", editOnlyFailed},
		{"ReplaceAlert_OfTwoOperators_HappensOnce", editOnce},
	}
}

func edit(id int64, text string) chatops.AlertEdit {
	payload, _ := json.Marshal(chatops.SlackPayload{Text: text})
	return chatops.AlertEdit{AlertID: id, Payload: payload, Actor: "ola", Reason: "it's wrong"}
}

func (e *env) replace(id int64, text string) int64 {
	e.t.Helper()
	made, err := e.store.ReplaceAlert(e.ctx, edit(id, text))
	e.must(err)
	return made
}

func (e *env) wantLineage(id, replaces, replacedBy int64) {
	e.t.Helper()
	l, err := e.store.AlertLineage(e.ctx, id)
	e.must(err)
	if l.Replaces != replaces || l.ReplacedBy != replacedBy {
		e.t.Fatalf("alert %d: lineage %+v, want %d and %d", id, l, replaces, replacedBy)
	}
	if linked := replaces+replacedBy > 0; linked != (l.Actor == "ola") || linked != (l.Reason == "it's wrong") || linked == l.At.IsZero() {
		e.t.Fatalf("alert %d: lineage %+v", id, l)
	}
}

func editLinked(e *env) {
	first := e.fail(slackLane, 1)[0]
	was := *e.alert(first)
	e.wantLineage(first, 0, 0)
	e.clock.Advance(time.Minute)
	second := e.replace(first, "Łódź")
	kept, made := e.alert(first), e.alert(second)
	was.Status = chatops.AlertDiscarded
	if fmt.Sprintf("%+v", *kept) != fmt.Sprintf("%+v", was) {
		e.t.Fatalf("the original became\n%+v\nwant\n%+v", *kept, was)
	}
	if made.Status != chatops.AlertPending || made.RetryCount != 0 || made.ErrorMessage+made.Fingerprint != "" || string(made.Payload) != `{"text":"Łódź"}` ||
		made.EventType != was.EventType || made.Target != was.Target || made.IdempotencyKey != was.ReplacementKey() || made.CreatedAt.Before(was.CreatedAt.Add(time.Minute)) {
		e.t.Fatalf("replaced by %+v", *made)
	}
	b := e.claim(request(slackLane, false, 10))
	e.wantIDs("claimed", ids(b), []int64{second})
	e.settle(b, chatops.OutcomeFailed)
	third := e.replace(second, "Gdańsk")
	e.wantLineage(first, 0, second)
	e.wantLineage(second, first, third)
	e.wantLineage(third, second, 0)
	stats, err := e.store.QueueStats(e.ctx)
	e.must(err)
	if d, p := stats.Total(chatops.AlertDiscarded), stats.Total(chatops.AlertPending); d != 2 || p != 1 {
		e.t.Fatalf("the counters have %d discarded and %d pending alerts", d, p)
	}
}

func editOnlyFailed(e *env) {
	_, err := e.store.ReplaceAlert(e.ctx, edit(987654, "x"))
	e.wantCode(err, chatops.CodeNotFound)
	for _, status := range chatops.AlertStatuses() {
		id := e.insertRaw(slackLane, string(status), "x", e.clock.Peek())
		if status == chatops.AlertFailed {
			continue
		}
		_, err := e.store.ReplaceAlert(e.ctx, edit(id, "x"))
		e.wantCode(err, chatops.CodeConflict)
		e.wantStatus(id, status, 0)
	}
	id := e.fail(slackLane, 1)[0]
	bad := edit(id, "x")
	bad.Payload = json.RawMessage(`{"text":7}`)
	_, err = e.store.ReplaceAlert(e.ctx, bad)
	e.wantCode(err, chatops.CodeInvalid)
	if n := e.count(`SELECT COUNT(*) FROM dlq_replacement`); n != 0 {
		e.t.Fatalf("%d replacements", n)
	}
}

func editOnce(e *env) {
	id := e.fail(slackLane, 1)[0]
	other := e.open()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, s := range []chatops.Store{e.store, other} {
		wg.Go(func() { _, errs[i] = s.ReplaceAlert(e.ctx, edit(id, "x")) })
	}
	wg.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			e.wantCode(err, chatops.CodeConflict)
			failed++
		}
	}
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); failed != 1 || n != 2 {
		e.t.Fatalf("%d of two were refused, %d alerts", failed, n)
	}
}
