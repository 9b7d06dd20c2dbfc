package chat

import (
	"context"
	"errors"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// scriptedAnswerer answers as it is told and remembers what it was asked.
type scriptedAnswerer struct {
	text  string
	err   error
	asked []LLMQuestion
}

func (a *scriptedAnswerer) Answer(_ context.Context, q LLMQuestion) (string, error) {
	a.asked = append(a.asked, q)
	return a.text, a.err
}

func withAnswerer(t *testing.T, a *scriptedAnswerer) *visitor {
	t.Helper()
	return newVisitor(t, func(o *Options) { o.Answerer = a })
}

func TestAnswerer_WordsTheAnswerAndNotTheDialogue(t *testing.T) {
	t.Parallel()
	a := &scriptedAnswerer{text: "Mamy gwarancję."}
	v := withAnswerer(t, a)
	plain := newVisitor(t)
	for _, text := range []string{"hej", "czy jest gwarancja?", "Jan Kowalski, jan@x.pl, 60 m2", "tak"} {
		got, want := v.say(text), plain.say(text)
		if strings.Contains(got.Response, a.text) != (text == "czy jest gwarancja?") {
			t.Errorf("%q is answered with %q", text, got.Response)
		}
		if got.NextBestAction != want.NextBestAction || got.LeadScore != want.LeadScore || strings.Join(got.Sources, " ") != strings.Join(want.Sources, " ") {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if len(a.asked) != 1 {
		t.Fatalf("asked %d times, want once", len(a.asked))
	}
	q := a.asked[0]
	if q.Message != "czy jest gwarancja?" || q.Language != Polish || len(q.Entries) != 1 || q.Entries[0].Name != string(TopicWarranty) ||
		q.Entries[0].Text == "" || len(q.History) != 2 {
		t.Errorf("asked %+v", q)
	}
	v.wantLeads(1)
}

func TestAnswerer_WithoutAnAnswerLeavesTheEntry(t *testing.T) {
	t.Parallel()
	v := withAnswerer(t, &scriptedAnswerer{err: errors.New("no answer")})
	plain := newVisitor(t)
	if got, want := v.say("czy jest gwarancja?").Response, plain.say("czy jest gwarancja?").Response; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnswerer_IsAskedOnceWhenTheTurnIsRunAgain(t *testing.T) {
	t.Parallel()
	a := &scriptedAnswerer{text: "Mamy gwarancję."}
	v := withAnswerer(t, a)
	v.say("hej")
	lost := false
	v.store.beforeSave = func(*chatops.Turn) {
		if !lost {
			lost = true
			v.store.mu.Lock()
			c := v.store.convs[v.session]
			c.Version++
			v.store.convs[v.session] = c
			v.store.mu.Unlock()
		}
	}
	v.say("czy jest gwarancja?")
	if len(a.asked) != 1 || v.store.saves != 3 {
		t.Errorf("asked %d times with %d saves, want once with 3", len(a.asked), v.store.saves)
	}
}
