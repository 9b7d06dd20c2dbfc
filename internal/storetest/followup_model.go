package storetest

import (
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// followupModel is one person's follow-up: planners, senders that die or freeze
// at any step, an operator and an opt-out, in any order, on two replicas. What
// each call must answer is obvious from a few fields.
type followupModel struct {
	*env
	stores    []chatops.Store
	c         *chatops.Conversation
	alert     int64                  // 0: not planned yet
	status    chatops.FollowupStatus // of the event
	fence     int64
	withdrawn bool
	mails     int // that the mail server may have
	named     int // how often an operator has named the alert
	senders   []*modelSender
}

// modelSender is an attempt that was begun.
type modelSender struct {
	fence  int64
	result chatops.FollowupStatus // of its DATA; "": not begun
}

// errNotNow is what the mail server says to DATA that it takes later.
var errNotNow = errors.New("451 not now")

// followupRandom: in every order that rapid finds, nobody is mailed twice unless
// an operator has named the alert, and no DATA begins after an opt-out.
func followupRandom(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	rapid.Check(e.t, func(t *rapid.T) {
		inner := *e
		inner.t = t
		m := &followupModel{env: &inner, stores: stores}
		name := fmt.Sprintf("followup-%d", histories.Add(1))
		m.c = m.silence(name, name+"@x.pl", 25*hour)
		t.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) { m.check() },
			"plan":     m.planOne,
			"begin":    m.beginOne,
			"send":     m.sendOne,
			"send 2":   m.sendOne,
			"end":      m.endOne,
			"die":      func(t *rapid.T) { m.drop(m.sender(t)) },
			"name":     m.nameOne,
			"withdraw": m.withdrawOne,
		})
	})
}

func (m *followupModel) check() {
	if m.mails > 1+m.named {
		m.t.Fatalf("%d mails, named %d times", m.mails, m.named)
	}
	if m.alert != 0 {
		m.wantFollowup(m.c, 1, m.status)
	}
}

func (m *followupModel) replica(t *rapid.T) chatops.Store {
	return m.stores[rapid.IntRange(0, 1).Draw(t, "replica")]
}

// sender draws one of those that are alive, or gives nil.
func (m *followupModel) sender(t *rapid.T) *modelSender {
	if len(m.senders) == 0 {
		return nil
	}
	return rapid.SampledFrom(m.senders).Draw(t, "sender")
}

func (m *followupModel) drop(s *modelSender) {
	m.senders = slices.DeleteFunc(m.senders, func(other *modelSender) bool { return other == s })
}

func (m *followupModel) planOne(t *rapid.T) {
	planned, err := m.replica(t).PlanFollowup(m.ctx, plan(m.c, 1))
	m.must(err)
	if want := m.alert == 0 && !m.withdrawn; planned != want {
		m.t.Fatalf("planned: %v, want %v", planned, want)
	}
	if planned {
		f := m.followup(m.c, 1)
		m.alert, m.status = f.AlertID, chatops.FollowupQueued
	}
}

func (m *followupModel) beginOne(t *rapid.T) {
	if m.alert == 0 {
		return
	}
	fence, err := m.replica(t).BeginFollowup(m.ctx, m.alert)
	switch m.status {
	case chatops.FollowupQueued, chatops.FollowupFailed:
		m.must(err)
		if fence <= m.fence {
			m.t.Fatalf("fence %d after %d", fence, m.fence)
		}
		m.fence, m.status = fence, chatops.FollowupSending
		m.senders = append(m.senders, &modelSender{fence: fence})
	case chatops.FollowupSending, chatops.FollowupUncertain:
		m.wantCode(err, chatops.CodeConflict)
		m.status = chatops.FollowupUncertain
	case chatops.FollowupCancelled:
		m.wantCode(err, chatops.CodeRefused)
	case chatops.FollowupSent:
		if m.must(err); fence != 0 {
			m.t.Fatalf("one that was sent gives fence %d", fence)
		}
	}
}

func (m *followupModel) sendOne(t *rapid.T) {
	s := m.sender(t)
	if s == nil || s.result != "" {
		return
	}
	result := rapid.SampledFrom([]chatops.FollowupStatus{
		chatops.FollowupSent, chatops.FollowupUncertain, chatops.FollowupQueued, chatops.FollowupFailed,
	}).Draw(t, "result")
	called := false
	err := m.replica(t).SendFollowup(m.ctx, m.alert, s.fence, func() error {
		called = true
		if result == chatops.FollowupQueued {
			return errNotNow
		}
		return nil
	})
	mine := m.status == chatops.FollowupSending && m.fence == s.fence
	if called != (mine && !m.withdrawn) {
		m.t.Fatalf("DATA began: %v; the fence holds: %v, consent was withdrawn: %v", called, mine, m.withdrawn)
	}
	switch {
	case !mine:
		m.wantCode(err, chatops.CodeConflict)
		m.drop(s)
	case m.withdrawn:
		m.wantCode(err, chatops.CodeRefused)
		m.status = chatops.FollowupCancelled
		m.drop(s)
	case result == chatops.FollowupQueued && !errors.Is(err, errNotNow):
		m.t.Fatalf("what data did is lost: %v", err)
	case result == chatops.FollowupSent, result == chatops.FollowupUncertain:
		m.must(err)
		m.mails++
	}
	s.result = result
}

func (m *followupModel) endOne(t *rapid.T) {
	s := m.sender(t)
	if s == nil || s.result == "" {
		return
	}
	err := m.replica(t).EndFollowup(m.ctx, m.alert, s.fence, s.result)
	m.drop(s)
	known := s.result != chatops.FollowupQueued
	if m.fence != s.fence || m.status != chatops.FollowupSending && (m.status != chatops.FollowupUncertain || !known) {
		m.wantCode(err, chatops.CodeConflict)
		return
	}
	m.must(err)
	m.status = s.result
}

// nameOne is an operator who retries exactly this alert.
func (m *followupModel) nameOne(t *rapid.T) {
	doubtful := m.status == chatops.FollowupSending || m.status == chatops.FollowupUncertain
	if !doubtful && (m.alert == 0 || rapid.IntRange(0, 3).Draw(t, "named") > 0) {
		return
	}
	m.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET status = 'failed' WHERE id = %d`, m.alert))
	op := m.finish(m.operate(chatops.OperationRetry, chatops.AlertFilter{IDs: []int64{m.alert}}).ID, 10)
	if op.Changed != 1 {
		m.t.Fatalf("retry by id: %+v", *op)
	}
	if doubtful {
		m.named++
		m.status = chatops.FollowupQueued
	}
}

func (m *followupModel) withdrawOne(t *rapid.T) {
	if m.withdrawn || rapid.IntRange(0, 3).Draw(t, "withdraw") > 0 {
		return
	}
	m.withdraw(chatops.ActionUnsubscribe, m.c.Email)
	m.withdrawn = true
}
