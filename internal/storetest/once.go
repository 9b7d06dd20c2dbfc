package storetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func onceCases() []testCase {
	return []testCase{
		{"BeginOnce_WhileTheRequestRuns_Conflicts", onceRunning},
		{"BeginOnce_AfterATurn_ReturnsItsReply", onceTurnReply},
		{"BeginOnce_AfterALead_ReturnsItsReply", onceLeadReply},
		{"BeginOnce_WithAnotherBody_IsAMismatchAtAnyTime", onceOtherBody},
		{"BeginOnce_AfterTheLease_TakesOver", onceTakeover},
		{"BeginOnce_OfAnExpiredKey_IsAsGoodAsNew", onceExpired},
		{"BeginOnce_OfScopesAndKeys_AreIndependent", onceScopes},
		{"BeginOnce_WithABadKey_IsInvalid", onceInvalid},
		{"BeginOnce_ByManyAtOnce_ClaimsOnce", onceParallel},
		{"BeginOnce_ByManyAfterADeadOwner_TakesOverOnce", onceParallelTakeover},
		{"AbandonOnce_FreesOnlyWhatIsHeld", onceAbandon},
		{"SaveTurn_WithALostKey_StoresNothing", onceLostTurn},
		{"SaveTurn_RepeatedAfterAConflict_KeepsItsReply", onceConflictThenSave},
		{"CreateLead_WithALostKey_StoresNothing", onceLostLead},
		{"RepeatedRequestsAtOnce_HaveOneEffect", onceWholeRequests},
		{"Reply_ComesBackAsItWas", onceReplyText},
		{"DeleteExpiredOnce_WorksInBatchesOldestFirst", onceDeleteExpired},
		{"RandomRequests_BehaveAsTheModel", onceRandom},
	}
}

const (
	onceLease = 90 * time.Second
	onceKeep  = time.Hour
	// deadClaimKept is how long a claim is remembered after its lease.
	deadClaimKept = 24 * time.Hour
)

// onceKey makes a key with a new owner.
func (e *env) onceKey(key, body string) chatops.OnceKey {
	return chatops.OnceKey{Scope: "chat", Key: key, Body: body, Owner: fmt.Sprintf("owner-%d", owners.Add(1))}
}

// begin claims a key and ends the test unless it succeeds.
func (e *env) begin(k chatops.OnceKey) {
	e.t.Helper()
	kept, err := e.store.BeginOnce(e.ctx, k, onceLease)
	e.must(err)
	if kept != nil {
		e.t.Fatalf("key %s was claimed before: %+v", k.Key, *kept)
	}
}

// wantBegin ends the test unless claiming a key gives the error code.
func (e *env) wantBegin(k chatops.OnceKey, want chatops.Code) {
	e.t.Helper()
	kept, err := e.store.BeginOnce(e.ctx, k, onceLease)
	e.wantCode(err, want)
	if kept != nil {
		e.t.Fatalf("key %s gave both a reply and an error", k.Key)
	}
}

// wantKept ends the test unless a repeated request gets the reply.
func (e *env) wantKept(k chatops.OnceKey, want chatops.KeptReply) {
	e.t.Helper()
	kept, err := e.store.BeginOnce(e.ctx, k, onceLease)
	e.must(err)
	if kept == nil {
		e.t.Fatalf("key %s was claimed, want the reply that is kept for it", k.Key)
	}
	if kept.Status != want.Status || string(kept.Reply) != string(want.Reply) || kept.RecordID != want.RecordID {
		e.t.Fatalf("kept reply is %+v, want %+v", *kept, want)
	}
}

func reply(k chatops.OnceKey, text string) *chatops.OnceReply {
	return &chatops.OnceReply{OnceKey: k, Status: 200, Reply: []byte(text), Keep: onceKeep}
}

// onceTurn is a first turn of a session that keeps a reply.
func onceTurn(session string, k chatops.OnceKey, text string) *chatops.Turn {
	t := turn(session)
	t.Once = reply(k, text)
	return t
}

func onceRunning(e *env) {
	e.begin(e.onceKey("running", "a"))
	e.wantBegin(e.onceKey("running", "a"), chatops.CodeConflict)
	e.clock.Advance(onceLease / 2)
	e.wantBegin(e.onceKey("running", "a"), chatops.CodeConflict)
}

func onceTurnReply(e *env) {
	k := e.onceKey("turn", "a")
	e.begin(k)
	res, _ := e.save(onceTurn("turn", k, `{"response":"Dzień dobry"}`))
	want := chatops.KeptReply{Status: 200, Reply: []byte(`{"response":"Dzień dobry"}`), RecordID: res.ConversationID}
	e.wantKept(e.onceKey("turn", "a"), want)
	e.clock.Advance(onceKeep - time.Minute)
	e.wantKept(e.onceKey("turn", "a"), want)

	again := e.onceKey("turn-2", "b")
	e.begin(again)
	_, c := e.save(&chatops.Turn{Conversation: *mustLoad(e, "turn"), UserMessage: "u", BotMessage: "b", Once: reply(again, "2")})
	e.wantKept(e.onceKey("turn-2", "b"), chatops.KeptReply{Status: 200, Reply: []byte("2"), RecordID: c.ID})
}

func mustLoad(e *env, session string) *chatops.Conversation {
	e.t.Helper()
	c, err := e.store.Conversation(e.ctx, session)
	e.must(err)
	return c
}

func onceLeadReply(e *env) {
	k := e.onceKey("lead", "a")
	e.begin(k)
	r := reply(k, "{}")
	r.Status = 201
	l, err := e.store.CreateLead(e.ctx, lead(""), nil, r)
	e.must(err)
	e.wantKept(e.onceKey("lead", "a"), chatops.KeptReply{Status: 201, Reply: []byte("{}"), RecordID: l.ID})
}

func onceOtherBody(e *env) {
	k := e.onceKey("body", "a")
	e.begin(k)
	e.wantBegin(e.onceKey("body", "b"), chatops.CodeMismatch)
	e.clock.Advance(2 * onceLease)
	e.wantBegin(e.onceKey("body", "b"), chatops.CodeMismatch)
	e.save(onceTurn("body", k, "r"))
	e.wantBegin(e.onceKey("body", "b"), chatops.CodeMismatch)
	e.clock.Advance(2 * onceLease)
	e.wantBegin(e.onceKey("body", "b"), chatops.CodeMismatch)
}

func onceTakeover(e *env) {
	dead := e.onceKey("takeover", "a")
	e.begin(dead)
	e.clock.Advance(onceLease + time.Second)
	heir := e.onceKey("takeover", "a")
	e.begin(heir)
	e.wantBegin(e.onceKey("takeover", "a"), chatops.CodeConflict)

	// The dead owner wakes up: nothing of it counts any more.
	_, err := e.store.SaveTurn(e.ctx, onceTurn("takeover", dead, "late"))
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("takeover", 0)
	e.must(e.store.AbandonOnce(e.ctx, dead))
	e.wantBegin(e.onceKey("takeover", "a"), chatops.CodeConflict)

	res, _ := e.save(onceTurn("takeover", heir, "r"))
	e.wantKept(e.onceKey("takeover", "a"), chatops.KeptReply{Status: 200, Reply: []byte("r"), RecordID: res.ConversationID})
}

func onceExpired(e *env) {
	k := e.onceKey("expired", "a")
	e.begin(k)
	e.save(onceTurn("expired", k, "old"))
	e.clock.Advance(onceKeep + time.Second)
	other := e.onceKey("expired", "b")
	e.begin(other)
	e.wantBegin(e.onceKey("expired", "b"), chatops.CodeConflict)
	_, err := e.store.SaveTurn(e.ctx, onceTurn("expired-late", k, "late"))
	e.wantCode(err, chatops.CodeConflict)
	res, _ := e.save(onceTurn("expired-2", other, "new"))
	e.wantKept(e.onceKey("expired", "b"), chatops.KeptReply{Status: 200, Reply: []byte("new"), RecordID: res.ConversationID})

	e.begin(e.onceKey("dead", "a"))
	e.clock.Advance(onceLease + deadClaimKept + time.Second)
	e.begin(e.onceKey("dead", "b"))
}

func onceScopes(e *env) {
	k := e.onceKey("same", "a")
	for _, scope := range []string{"chat", "leads", "leads\x00", "Leads", strings.Repeat("ż", 100)} {
		k.Scope = scope
		e.begin(k)
		k.Owner += "x"
		e.wantBegin(k, chatops.CodeConflict)
	}
	e.begin(e.onceKey("other", "a"))
}

func onceInvalid(e *env) {
	for name, k := range map[string]chatops.OnceKey{
		"no scope":   {Key: "k", Body: "b", Owner: "o"},
		"long scope": {Scope: strings.Repeat("s", 201), Key: "k", Body: "b", Owner: "o"},
		"long key":   {Scope: "s", Key: strings.Repeat("k", 65), Body: "b", Owner: "o"},
		"no owner":   {Scope: "s", Key: "k", Body: "b"},
	} {
		kept, err := e.store.BeginOnce(e.ctx, k, onceLease)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || kept != nil {
			e.t.Errorf("%s: %v, %v", name, kept, err)
		}
		_, err = e.store.SaveTurn(e.ctx, onceTurn("invalid", k, "r"))
		e.wantCode(err, chatops.CodeInvalid)
		_, err = e.store.CreateLead(e.ctx, lead(""), nil, reply(k, "r"))
		e.wantCode(err, chatops.CodeInvalid)
	}
	e.wantNothingOf("invalid", 0)
}

// race claims one key from many goroutines on two stores and returns how many
// were given it; the others must have been told that a request is running.
func (e *env) race(key string) int {
	e.t.Helper()
	stores := []chatops.Store{e.store, e.open()}
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for i := range 16 {
		k := e.onceKey(key, "a")
		wg.Go(func() {
			kept, err := stores[i%2].BeginOnce(e.ctx, k, onceLease)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && kept == nil:
				won++
			case kept != nil || chatops.ErrorCode(err) != chatops.CodeConflict:
				e.t.Errorf("a claim gave %v, %v", kept, err)
			}
		})
	}
	wg.Wait()
	return won
}

func onceParallel(e *env) {
	for i := range 10 {
		if won := e.race(fmt.Sprintf("race-%d", i)); won != 1 {
			e.t.Fatalf("%d of 16 parallel requests claimed a new key, want 1", won)
		}
	}
}

func onceParallelTakeover(e *env) {
	e.begin(e.onceKey("heirs", "a"))
	for range 5 {
		e.clock.Advance(onceLease + time.Second)
		if won := e.race("heirs"); won != 1 {
			e.t.Fatalf("%d of 16 parallel requests took a dead owner's key over, want 1", won)
		}
	}
}

func onceAbandon(e *env) {
	k := e.onceKey("abandon", "a")
	e.must(e.store.AbandonOnce(e.ctx, k)) // nothing to give up
	e.begin(k)
	e.must(e.store.AbandonOnce(e.ctx, e.onceKey("abandon", "a"))) // not the owner
	e.wantBegin(e.onceKey("abandon", "a"), chatops.CodeConflict)
	e.must(e.store.AbandonOnce(e.ctx, k))
	next := e.onceKey("abandon", "b")
	e.begin(next)
	res, _ := e.save(onceTurn("abandon", next, "r"))
	e.must(e.store.AbandonOnce(e.ctx, next)) // its effect is stored
	e.wantKept(e.onceKey("abandon", "b"), chatops.KeptReply{Status: 200, Reply: []byte("r"), RecordID: res.ConversationID})
}

func onceLostTurn(e *env) {
	t := leadTurn("lost")
	t.Once = reply(e.onceKey("never-claimed", "a"), "r")
	_, err := e.store.SaveTurn(e.ctx, t)
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("lost", 0)

	_, c := e.save(turn("lost"))
	abandoned := e.onceKey("abandoned", "a")
	e.begin(abandoned)
	e.must(e.store.AbandonOnce(e.ctx, abandoned))
	t.Conversation, t.Once = *c, reply(abandoned, "r")
	_, err = e.store.SaveTurn(e.ctx, t)
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("lost", 2)
}

func onceConflictThenSave(e *env) {
	_, c := e.save(turn("again"))
	k := e.onceKey("again", "a")
	e.begin(k)
	e.save(&chatops.Turn{Conversation: *c, UserMessage: "another tab", BotMessage: "b"})
	t := &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Once: reply(k, "r")}
	_, err := e.store.SaveTurn(e.ctx, t)
	e.wantCode(err, chatops.CodeConflict)
	e.wantBegin(e.onceKey("again", "a"), chatops.CodeConflict) // still running
	t.Conversation = *mustLoad(e, "again")
	res, _ := e.save(t)
	e.wantKept(e.onceKey("again", "a"), chatops.KeptReply{Status: 200, Reply: []byte("r"), RecordID: res.ConversationID})
}

func onceLostLead(e *env) {
	_, err := e.store.CreateLead(e.ctx, lead(""), leadAlerts("lost"), reply(e.onceKey("never-claimed", "a"), "r"))
	e.wantCode(err, chatops.CodeConflict)
	k := e.onceKey("twice", "a")
	e.begin(k)
	_, err = e.store.CreateLead(e.ctx, lead(""), leadAlerts("first"), reply(k, "r"))
	e.must(err)
	_, err = e.store.CreateLead(e.ctx, lead(""), leadAlerts("second"), reply(k, "r"))
	e.wantCode(err, chatops.CodeConflict)
	if n := e.count(`SELECT COUNT(*) FROM leads`); n != 1 {
		e.t.Fatalf("%d leads stored, want 1", n)
	}
	if n := len(e.alerts(chatops.AlertFilter{})); n != 3 {
		e.t.Fatalf("%d alerts stored, want the 3 of the first request", n)
	}
}

// onceWholeRequests sends the same request from several clients that repeat it
// until it is answered.
func onceWholeRequests(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	records := make([]int64, 8)
	var wg sync.WaitGroup
	for i := range records {
		wg.Go(func() {
			s := stores[i%2]
			for e.ctx.Err() == nil {
				k := e.onceKey("whole", "a")
				kept, err := s.BeginOnce(e.ctx, k, onceLease)
				if chatops.ErrorCode(err) == chatops.CodeConflict {
					continue
				}
				if err != nil {
					e.t.Errorf("begin: %v", err)
					return
				}
				if kept != nil {
					records[i] = kept.RecordID
					return
				}
				l, err := s.CreateLead(e.ctx, lead(""), leadAlerts("whole"), reply(k, "r"))
				if err != nil {
					e.t.Errorf("create: %v", err)
					return
				}
				records[i] = l.ID
				return
			}
		})
	}
	wg.Wait()
	for _, id := range records {
		if id != records[0] || id == 0 {
			e.t.Fatalf("repeated requests were answered with the leads %v", records)
		}
	}
	if n := e.count(`SELECT COUNT(*) FROM leads`); n != 1 {
		e.t.Fatalf("%d leads stored, want 1", n)
	}
}

func onceReplyText(e *env) {
	for i, text := range append([]string{"", "{}"}, hostile...) {
		key := fmt.Sprintf("text-%d", i)
		k := e.onceKey(key, "a")
		e.begin(k)
		res, _ := e.save(onceTurn(key, k, text))
		e.wantKept(e.onceKey(key, "a"), chatops.KeptReply{Status: 200, Reply: []byte(text), RecordID: res.ConversationID})
	}
}

func onceDeleteExpired(e *env) {
	for i := range 5 {
		k := e.onceKey(fmt.Sprintf("old-%d", i), "a")
		e.begin(k)
		e.save(onceTurn(k.Key, k, "r"))
	}
	e.clock.Advance(onceKeep - time.Minute)
	fresh := e.onceKey("fresh", "a")
	e.begin(fresh)
	res, _ := e.save(onceTurn("fresh", fresh, "r"))
	e.begin(e.onceKey("running", "a"))
	e.wantDeleted(10, 0)
	e.clock.Advance(time.Minute + time.Second)
	e.wantDeleted(0, 0)
	e.wantDeleted(2, 2)
	if n := e.count(`SELECT COUNT(*) FROM idempotency_key WHERE key IN ('old-0', 'old-1')`); n != 0 {
		e.t.Fatalf("%d of the oldest keys are left", n)
	}
	e.wantDeleted(10, 3)
	e.wantDeleted(10, 0)
	e.wantKept(e.onceKey("fresh", "a"), chatops.KeptReply{Status: 200, Reply: []byte("r"), RecordID: res.ConversationID})
	e.wantBegin(e.onceKey("running", "a"), chatops.CodeConflict)
	e.clock.Advance(onceLease + deadClaimKept)
	e.wantDeleted(10, 2)
}

func (e *env) wantDeleted(limit, want int) {
	e.t.Helper()
	n, err := e.store.DeleteExpiredOnce(e.ctx, limit)
	e.must(err)
	if n != want {
		e.t.Fatalf("DeleteExpiredOnce(%d) removed %d keys, want %d", limit, n, want)
	}
}
