package storetest

import (
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func actionCases() []testCase {
	return []testCase{
		{"Action_IsStoredStartedThenFinished", actionRoundTrip},
		{"Actions_AreTheNewestFirst", actionOrder},
		{"Actions_RestrictsAndPages", actionFound},
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
	list, _, err := e.store.Actions(e.ctx, chatops.ActionFilter{}, 0, limit)
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

func actionFound(e *env) {
	day := e.clock.Peek().Truncate(24 * time.Hour)
	for i, a := range []chatops.OperatorAction{
		{Actor: "ola", Command: "chatops dlq retry --all"},
		{Actor: "jan", Command: "chatops dlq discard 7 --reason '100%'"},
		{Actor: "ola", Command: "chatops breaker trip slack"},
		{Actor: "ola", Command: "chatops dlq retry 7"},
	} {
		a.At = day.Add(time.Duration(i) * time.Hour)
		e.must(e.store.BeginAction(e.ctx, &a))
	}
	all := e.actions(10)
	for _, tt := range []struct {
		name   string
		filter chatops.ActionFilter
		want   []int // hours
	}{
		{"all", chatops.ActionFilter{}, []int{3, 2, 1, 0}},
		{"of somebody", chatops.ActionFilter{Actor: "ola"}, []int{3, 2, 0}},
		{"of nobody", chatops.ActionFilter{Actor: "ol"}, nil},
		{"a command", chatops.ActionFilter{Command: "dlq retry"}, []int{3, 0}},
		{"taken literally", chatops.ActionFilter{Command: "100%"}, []int{1}},
		{"a pattern is a text", chatops.ActionFilter{Command: "d_q"}, nil},
		{"since and until", chatops.ActionFilter{Since: day.Add(time.Hour), Until: day.Add(3 * time.Hour)}, []int{2, 1}},
		{"together", chatops.ActionFilter{Actor: "ola", Command: "dlq", Since: day.Add(time.Hour)}, []int{3}},
	} {
		list, more, err := e.store.Actions(e.ctx, tt.filter, 0, 10)
		e.must(err)
		var hours []int
		for _, a := range list {
			hours = append(hours, int(a.At.Sub(day)/time.Hour))
		}
		if !slices.Equal(hours, tt.want) || more {
			e.t.Errorf("%s: actions of hours %v (more: %t), want %v", tt.name, hours, more, tt.want)
		}
	}
	page, more, err := e.store.Actions(e.ctx, chatops.ActionFilter{Actor: "ola"}, 0, 2)
	e.must(err)
	if len(page) != 2 || !more || page[0] != all[0] {
		e.t.Fatalf("first page %+v, more: %t", page, more)
	}
	page, more, err = e.store.Actions(e.ctx, chatops.ActionFilter{Actor: "ola"}, page[1].ID, 2)
	e.must(err)
	if len(page) != 1 || more || page[0] != all[3] {
		e.t.Fatalf("second page %+v, more: %t", page, more)
	}
}
