package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// owners numbers the owners of claims.
var owners atomic.Int64

// onceState is what is known of a key: obviously right.
type onceState struct {
	claim   chatops.OnceKey
	until   time.Time // of the lease, while running
	expires time.Time
	kept    *chatops.KeptReply // nil while running
}

// onceModel plays requests with few keys, so that they meet.
type onceModel struct {
	*env
	stores []chatops.Store
	name   string
	keys   map[string]*onceState
	claims []chatops.OnceKey // every claim that was given, dead ones too
	turns  int
}

func onceRandom(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	rapid.Check(e.t, func(t *rapid.T) {
		inner := *e
		inner.t = t
		m := &onceModel{env: &inner, stores: stores, keys: map[string]*onceState{}}
		m.name = fmt.Sprintf("model-%d", histories.Add(1))
		t.Repeat(map[string]func(*rapid.T){
			"":        m.settle,
			"begin":   m.beginSome,
			"begin 2": m.beginSome,
			"save":    m.saveSome,
			"abandon": m.abandonSome,
			"time":    m.pass,
			"delete":  m.deleteSome,
		})
	})
}

// settle moves on when a lease or a key is just ending: the store and the model
// read the clock at slightly different moments.
func (m *onceModel) settle(*rapid.T) {
	now := m.clock.Peek()
	for _, s := range m.keys {
		for _, edge := range []time.Time{s.until, s.expires} {
			if d := edge.Sub(now); d > -time.Second && d < time.Second {
				m.clock.Advance(3 * time.Second)
				m.settle(nil)
				return
			}
		}
	}
}

func (m *onceModel) pass(t *rapid.T) {
	m.clock.Advance(rapid.SampledFrom([]time.Duration{
		7 * time.Second, 40 * time.Second, 2 * time.Minute, 25 * time.Hour,
	}).Draw(t, "time"))
}

func (m *onceModel) storeOf(t *rapid.T) chatops.Store {
	return m.stores[rapid.IntRange(0, 1).Draw(t, "replica")]
}

func (m *onceModel) beginSome(t *rapid.T) {
	key := m.name + rapid.SampledFrom([]string{"/k1", "/k2"}).Draw(t, "key")
	k := m.onceKey(key, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "body"))
	lease := rapid.SampledFrom([]time.Duration{30 * time.Second, 2 * time.Minute}).Draw(t, "lease")
	now := m.clock.Peek()
	kept, err := m.storeOf(t).BeginOnce(m.ctx, k, lease)
	s := m.keys[key]
	switch {
	case s == nil || s.expires.Before(now),
		s.kept == nil && s.claim.Body == k.Body && s.until.Before(now):
		m.must(err)
		if kept != nil {
			m.t.Fatalf("claim of a free key gave %+v", *kept)
		}
		m.keys[key] = &onceState{claim: k, until: now.Add(lease), expires: now.Add(lease + deadClaimKept)}
		m.claims = append(m.claims, k)
	case s.claim.Body != k.Body:
		m.wantCode(err, chatops.CodeMismatch)
	case s.kept == nil:
		m.wantCode(err, chatops.CodeConflict)
	default:
		m.must(err)
		if kept == nil || fmt.Sprint(*kept) != fmt.Sprint(*s.kept) {
			m.t.Fatalf("kept reply is %v, want %v", kept, *s.kept)
		}
	}
}

// held is the state of a claim that still counts, or nil.
func (m *onceModel) held(k chatops.OnceKey) *onceState {
	if s := m.keys[k.Key]; s != nil && s.claim == k && s.kept == nil {
		return s
	}
	return nil
}

func (m *onceModel) saveSome(t *rapid.T) {
	if len(m.claims) == 0 {
		return
	}
	k := rapid.SampledFrom(m.claims).Draw(t, "claim")
	m.turns++
	text := fmt.Sprintf("reply %d", m.turns)
	r := reply(k, text)
	r.Keep = rapid.SampledFrom([]time.Duration{time.Minute, onceKeep}).Draw(t, "keep")
	store, now := m.storeOf(t), m.clock.Peek()
	var record int64
	var err error
	if rapid.Bool().Draw(t, "lead") {
		var l *chatops.Lead
		if l, err = store.CreateLead(m.ctx, lead(""), nil, r); err == nil {
			record = l.ID
		}
	} else {
		one := turn(fmt.Sprintf("%s-%d", m.name, m.turns))
		one.Once = r
		var res *chatops.TurnResult
		if res, err = store.SaveTurn(m.ctx, one); err == nil {
			record = res.ConversationID
		}
	}
	s := m.held(k)
	if s == nil {
		m.wantCode(err, chatops.CodeConflict)
		return
	}
	if err != nil && s.expires.Before(now) {
		m.wantCode(err, chatops.CodeConflict) // removed meanwhile, or not
		delete(m.keys, k.Key)
		return
	}
	m.must(err)
	s.kept = &chatops.KeptReply{Status: 200, Reply: []byte(text), RecordID: record}
	s.until, s.expires = time.Time{}, now.Add(r.Keep)
}

func (m *onceModel) abandonSome(t *rapid.T) {
	if len(m.claims) == 0 {
		return
	}
	k := rapid.SampledFrom(m.claims).Draw(t, "claim")
	m.must(m.storeOf(t).AbandonOnce(m.ctx, k))
	if m.held(k) != nil {
		delete(m.keys, k.Key)
	}
}

// deleteSome removes expired keys, which changes nothing that can be seen.
func (m *onceModel) deleteSome(t *rapid.T) {
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	n, err := m.storeOf(t).DeleteExpiredOnce(m.ctx, limit)
	m.must(err)
	if n > limit {
		m.t.Fatalf("removed %d keys with limit %d", n, limit)
	}
}
