package chat

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

// stall makes the first save of a service wait until it is let go.
func stall(store *memoryStore) (begun <-chan struct{}, letGo func()) {
	started, release := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	store.beforeSave = func(*chatops.Turn) {
		if first.CompareAndSwap(false, true) {
			close(started)
			<-release
		}
	}
	return started, sync.OnceFunc(func() { close(release) })
}

type answered struct {
	reply *chatops.ChatReply
	err   error
}

func ask(ctx context.Context, s *Service, session, text string) <-chan answered {
	out := make(chan answered, 1)
	go func() {
		r, err := s.Reply(ctx, chatops.ChatRequest{Message: text, SessionID: session})
		out <- answered{r, err}
	}()
	return out
}

func TestRepost_WhileTheFirstIsAnsweredGetsTheSameAnswerOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := testService(t)
		begun, letGo := stall(store)
		first := ask(t.Context(), s, "widget-1", "ile kosztuje Comfort?")
		<-begun
		again := make([]<-chan answered, 5)
		for i := range again {
			again[i] = ask(t.Context(), s, "widget-1", "  ile kosztuje Comfort? ")
		}
		synctest.Wait()
		letGo()
		want := <-first
		if want.err != nil {
			t.Fatal(want.err)
		}
		for _, c := range again {
			got := <-c
			if got.err != nil || got.reply.Response != want.reply.Response || got.reply.ConversationID != want.reply.ConversationID {
				t.Errorf("sent again: %+v, %v", got.reply, got.err)
			}
		}
		if n := len(store.messages["widget-1"]); n != 2 {
			t.Errorf("%d messages are stored, want 2", n)
		}
	})
}

func TestRepost_AfterTheAnswerIsATurnOfItsOwn(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.session = "widget-2"
	v.say("tak")
	v.say("tak")
	if n := len(v.store.messages["widget-2"]); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

func TestRepost_OfAnotherSessionOrTextIsAnsweredByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := testService(t)
		begun, letGo := stall(store)
		first := ask(t.Context(), s, "widget-3", "tak")
		<-begun
		other := <-ask(t.Context(), s, "widget-4", "tak")
		if other.err != nil {
			t.Fatal(other.err)
		}
		text := <-ask(t.Context(), s, "widget-3", "nie")
		if text.err != nil {
			t.Fatal(text.err)
		}
		letGo()
		if r := <-first; r.err != nil {
			t.Fatal(r.err)
		}
		if a, b := len(store.messages["widget-3"]), len(store.messages["widget-4"]); a != 4 || b != 2 {
			t.Errorf("%d and %d messages are stored, want 4 and 2", a, b)
		}
	})
}

func TestRepost_IsAnsweredAnewWhenTheFirstSenderHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := testService(t)
		begun, letGo := stall(store)
		leaving, leave := context.WithCancel(t.Context())
		first := ask(leaving, s, "widget-5", "hej")
		<-begun
		again := ask(t.Context(), s, "widget-5", "hej")
		synctest.Wait()
		leave()
		letGo()
		if r := <-first; chatops.ErrorCode(r.err) != chatops.CodeUnavailable {
			t.Errorf("the first sender got %v", r.err)
		}
		if r := <-again; r.err != nil || r.reply.Response == "" {
			t.Errorf("sent again: %v", r.err)
		}
		if n := len(store.messages["widget-5"]); n != 2 {
			t.Errorf("%d messages are stored, want 2", n)
		}
	})
}

func TestRepost_LaterThanAMinuteDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := testService(t, func(o *Options) { o.NowFunc = time.Now })
		begun, letGo := stall(store)
		first := ask(t.Context(), s, "widget-6", "hej")
		<-begun
		<-time.After(repostWindow)
		if r := <-ask(t.Context(), s, "widget-6", "hej"); r.err != nil {
			t.Fatal(r.err)
		}
		letGo()
		if r := <-first; r.err != nil {
			t.Fatal(r.err)
		}
		// The first one lost the race and found its own message answered.
		if n := len(store.messages["widget-6"]); n != 2 {
			t.Errorf("%d messages are stored, want 2", n)
		}
	})
}

func TestRepost_WaitsNoLongerThanItsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := testService(t)
		begun, letGo := stall(store)
		first := ask(t.Context(), s, "widget-7", "hej")
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := <-ask(ctx, s, "widget-7", "hej"); chatops.ErrorCode(r.err) != chatops.CodeUnavailable {
			t.Errorf("got %v", r.err)
		}
		letGo()
		<-first
	})
}

// Two replicas share a store and nothing else.
func TestRepost_ToAnotherReplicaIsStoredOnce(t *testing.T) {
	t.Parallel()
	for _, greeting := range []bool{false, true} { // a known session, and a new one
		synctest.Test(t, func(t *testing.T) {
			var ticks atomic.Int64
			now := func() time.Time { return time.Unix(1_700_000_000+ticks.Add(1), 0) }
			a, store := testService(t, func(o *Options) { o.NowFunc = now })
			b, _ := testService(t, func(o *Options) { o.Store, o.NowFunc = store, now })
			v := &visitor{t: t, s: a, store: store, session: "widget-8"}
			if greeting {
				v.say("dzień dobry")
				v.say("ile kosztuje Comfort?") // said before, too: not the same turn
			}
			before := len(store.messages["widget-8"])
			begun, letGo := stall(store)
			first := ask(t.Context(), a, "widget-8", "ile kosztuje Comfort?")
			<-begun
			second := <-ask(t.Context(), b, "widget-8", "ile kosztuje Comfort?")
			letGo()
			got := <-first
			if got.err != nil || second.err != nil {
				t.Fatal(got.err, second.err)
			}
			if got.reply.Response != second.reply.Response || got.reply.ConversationID != second.reply.ConversationID ||
				got.reply.NextBestAction != second.reply.NextBestAction || len(got.reply.Sources) == 0 {
				t.Errorf("the replicas answer %+v and %+v", got.reply, second.reply)
			}
			if n := len(store.messages["widget-8"]) - before; n != 2 {
				t.Errorf("%d messages are stored, want 2", n)
			}
		})
	}
}

func TestRepost_AConflictWithoutATurnIsNoRepost(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.session = "widget-9"
	v.say("tak")
	once := false
	v.store.beforeSave = func(*chatops.Turn) {
		if !once {
			once = true
			v.store.mu.Lock()
			c := v.store.convs["widget-9"]
			c.Version++ // consent was changed meanwhile
			v.store.convs["widget-9"] = c
			v.store.mu.Unlock()
		}
	}
	v.say("tak")
	if n := len(v.store.messages["widget-9"]); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

func TestFlights_APanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	var f flights
	k := flightKey{"s", "x"}
	func() {
		defer func() { _ = recover() }()
		_, _ = f.do(t.Context(), k, time.Now(), func() (*chatops.ChatReply, error) { panic("defect") })
	}()
	wanted := errors.New("mine")
	if _, err := f.do(t.Context(), k, time.Now(), func() (*chatops.ChatReply, error) { return nil, wanted }); !errors.Is(err, wanted) {
		t.Errorf("the next one got %v", err)
	}
	if len(f.all) != 0 {
		t.Errorf("%d messages are remembered", len(f.all))
	}
}
