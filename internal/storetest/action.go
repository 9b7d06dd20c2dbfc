package storetest

import (
	"strings"
	"time"

	"chatops/internal/chatops"
)

func actionCases() []testCase {
	return []testCase{
		{"Action_IsStoredStartedThenFinished", actionRoundTrip},
		{"Actions_AreTheNewestFirst", actionOrder},
		{"FinishAction_OfAnUnknownAction_IsNotFound", actionUnknown},
	}
}

func actionRoundTrip(e *env) {
	a := &chatops.OperatorAction{
		Actor: "ola", Host: "bastion-1", Command: `dlq retry --error "100%"`, Filter: `{"error":"100%"}`,
		Reason: "Slack wrócił\n'po' awarii", Result: "started",
	}
	before := e.clock.Peek()
	e.must(e.store.BeginAction(e.ctx, a))
	if a.ID == 0 {
		e.t.Fatal("BeginAction set no id")
	}
	got := e.actions(10)[0]
	want := *a
	want.At = got.At
	if got != want || got.At.Before(before) || got.At.After(e.clock.Peek()) || got.At.Location() != time.UTC {
		e.t.Fatalf("stored\n%+v, want\n%+v", got, want)
	}
	e.clock.Advance(time.Minute)
	result := "ok: 3 requeued " + strings.Repeat("ł", 500)
	e.must(e.store.FinishAction(e.ctx, a.ID, result))
	got = e.actions(10)[0]
	want.Result, want.Finished = result, got.Finished
	if got != want || got.Finished.Sub(got.At) < time.Minute {
		e.t.Fatalf("finished\n%+v, want\n%+v", got, want)
	}
}

func (e *env) actions(limit int) []chatops.OperatorAction {
	e.t.Helper()
	list, err := e.store.Actions(e.ctx, limit)
	e.must(err)
	return list
}

func actionOrder(e *env) {
	if n := len(e.actions(5)); n != 0 {
		e.t.Fatalf("%d actions in a new database", n)
	}
	for _, command := range []string{"one", "two", "three"} {
		e.must(e.store.BeginAction(e.ctx, &chatops.OperatorAction{Actor: "ola", Command: command}))
	}
	var got []string
	for _, a := range e.actions(2) {
		got = append(got, a.Command)
	}
	if strings.Join(got, " ") != "three two" {
		e.t.Fatalf("newest actions are %v, want [three two]", got)
	}
}

func actionUnknown(e *env) {
	e.wantCode(e.store.FinishAction(e.ctx, 987654, "ok"), chatops.CodeNotFound)
}
