package followup_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// world is a person with several conversations, planners, senders that may die
// at any step, an engine that repeats what was not finished, and withdrawals: a
// model in which every step is atomic, as the stores promise it.
type world struct {
	planned   map[int]bool // numbers
	event     map[int]chatops.FollowupStatus
	fence     map[int]int64
	row       map[int]chatops.AlertStatus
	withdrawn bool
	mails     map[int]int // that the server has
	senders   []*sending
	named     map[int]int // how often an operator has named the alert
}

// sending is an attempt at the next step.
type sending struct {
	number int
	fence  int64
	step   string // "rcpt", "data", "dot", "end"
	status chatops.FollowupStatus
}

func newModel() *world {
	return &world{
		planned: map[int]bool{}, event: map[int]chatops.FollowupStatus{}, fence: map[int]int64{},
		row: map[int]chatops.AlertStatus{}, mails: map[int]int{}, named: map[int]int{},
	}
}

// plan is PlanFollowup of any planner for any of the person's conversations.
func (w *world) plan(number int) {
	if w.withdrawn || w.planned[number] {
		return
	}
	w.planned[number] = true
	w.event[number], w.row[number] = chatops.FollowupQueued, chatops.AlertQueued
}

// claim starts an attempt; several at once stand for leases that were lost.
func (w *world) claim(number int) {
	if s := w.row[number]; s == chatops.AlertQueued || s == chatops.AlertPending {
		w.senders = append(w.senders, &sending{number: number, step: "rcpt"})
	}
}

// step moves an attempt on; it reports false when the attempt is over.
func (w *world) step(t *rapid.T, s *sending, fault string) bool {
	switch s.step {
	case "rcpt":
		return w.begin(s)
	case "data":
		return w.data(t, s)
	case "dot":
		s.step = "end"
		switch fault {
		case "reply lost":
			w.mails[s.number]++
			s.status = chatops.FollowupUncertain
		case "refused for now":
			s.status = chatops.FollowupQueued
		case "refused":
			s.status = chatops.FollowupFailed
		default:
			w.mails[s.number]++
			s.status = chatops.FollowupSent
		}
		return true
	}
	w.end(s)
	return false
}

func (w *world) begin(s *sending) bool {
	switch w.event[s.number] {
	case chatops.FollowupQueued, chatops.FollowupFailed:
		w.fence[s.number]++
		w.event[s.number] = chatops.FollowupSending
	case chatops.FollowupSending:
		w.event[s.number] = chatops.FollowupUncertain
	case chatops.FollowupSent, chatops.FollowupUncertain, chatops.FollowupCancelled:
	}
	fence, err := chatops.FollowupBegun(int64(s.number), w.event[s.number], w.fence[s.number])
	switch {
	case chatops.ErrorCode(err) == chatops.CodeRefused:
		w.row[s.number] = chatops.AlertCancelled
	case err != nil:
		w.row[s.number] = chatops.AlertFailed
	case fence == 0:
		w.row[s.number] = chatops.AlertDelivered
	default:
		s.fence, s.step = fence, "data"
		return true
	}
	return false
}

func (w *world) data(t *rapid.T, s *sending) bool {
	if w.event[s.number] != chatops.FollowupSending || w.fence[s.number] != s.fence {
		return false
	}
	if w.withdrawn {
		w.event[s.number], w.row[s.number] = chatops.FollowupCancelled, chatops.AlertCancelled
		return false
	}
	s.step = "dot"
	if w.withdrawn {
		t.Fatalf("DATA of number %d begins after the opt-out", s.number)
	}
	return true
}

func (w *world) end(s *sending) {
	known := s.status != chatops.FollowupQueued
	if e := w.event[s.number]; w.fence[s.number] == s.fence && (e == chatops.FollowupSending || e == chatops.FollowupUncertain && known) {
		w.event[s.number] = s.status
	}
	switch s.status {
	case chatops.FollowupSent:
		w.row[s.number] = chatops.AlertDelivered
	case chatops.FollowupQueued:
		w.row[s.number] = chatops.AlertPending
	case chatops.FollowupUncertain, chatops.FollowupFailed, chatops.FollowupSending, chatops.FollowupCancelled:
		w.row[s.number] = chatops.AlertFailed
	}
}

// retry is a bulk retry, which skips what may have been sent, or that of an
// alert which an operator has named.
func (w *world) retry(number int, named bool) {
	e := w.event[number]
	doubtful := e == chatops.FollowupSending || e == chatops.FollowupUncertain
	if w.row[number] != chatops.AlertFailed || doubtful && !named {
		return
	}
	if doubtful {
		w.named[number]++
		w.event[number] = chatops.FollowupQueued
	}
	w.row[number] = chatops.AlertPending
}

// F4 and F2, in every order that rapid finds: nobody is mailed twice unless an
// operator has named the alert, and no DATA begins after an opt-out.
func TestInterleavings_NobodyIsMailedTwiceOrAfterOptingOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newModel()
		began := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			number := rapid.IntRange(1, 2).Draw(t, "number")
			switch what := rapid.IntRange(0, 12).Draw(t, "what"); {
			case what <= 1:
				w.plan(number)
			case what <= 3:
				w.claim(number)
			case what == 4 && len(w.senders) > 0: // dies, or is frozen for ever
				i := rapid.IntRange(0, len(w.senders)-1).Draw(t, "dies")
				w.senders = append(w.senders[:i], w.senders[i+1:]...)
			case what == 5 && rapid.IntRange(0, 5).Draw(t, "withdraw") == 0:
				w.withdrawn = true
				began = dataBegun(w)
			case what == 6:
				w.retry(number, rapid.IntRange(0, 3).Draw(t, "named") == 0)
			case len(w.senders) > 0:
				i := rapid.IntRange(0, len(w.senders)-1).Draw(t, "sender")
				fault := rapid.SampledFrom([]string{"", "", "reply lost", "refused for now", "refused"}).Draw(t, "fault")
				if !w.step(t, w.senders[i], fault) {
					w.senders = append(w.senders[:i], w.senders[i+1:]...)
				}
			}
			if w.withdrawn && dataBegun(w) > began {
				t.Fatal("DATA began after the opt-out")
			}
			began = min(began, dataBegun(w))
			for n, mails := range w.mails {
				if mails > 1+w.named[n] {
					t.Fatal(fmt.Sprintf("%d mails of number %d, named %d times", mails, n, w.named[n]))
				}
			}
		}
	})
}

// dataBegun counts the attempts whose DATA has begun and whose dot has not left.
func dataBegun(w *world) int {
	n := 0
	for _, s := range w.senders {
		if s.step == "dot" {
			n++
		}
	}
	return n
}
