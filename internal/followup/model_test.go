package followup_test

import (
	"flag"
	"slices"
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
	before    int         // mails that the server had at the opt-out
	begun     int         // attempts whose DATA had begun at the opt-out, and goes on
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
func (w *world) step(s *sending, fault string) bool {
	switch s.step {
	case "rcpt":
		return w.begin(s)
	case "data":
		return w.data(s)
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

func (w *world) data(s *sending) bool {
	if w.event[s.number] != chatops.FollowupSending || w.fence[s.number] != s.fence {
		return false
	}
	if w.withdrawn {
		w.event[s.number], w.row[s.number] = chatops.FollowupCancelled, chatops.AlertCancelled
		return false
	}
	s.step = "dot"
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

// interleavings is how many histories the model plays: 10,000 take less than a
// second. `go test -rapid.checks N` plays more.
const interleavings = "10000"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", played); err != nil {
		panic(err)
	}
	m.Run()
}

// seen counts histories in which something worth playing has happened.
type seen struct{ mail, twoAtOnce, uncertain, named, stoppedInFlight, mailAfterOptOut int }

func (s *seen) note(w *world, inFlight bool) {
	one := func(n *int, when bool) {
		if when {
			*n++
		}
	}
	mails, named := 0, 0
	uncertain, cancelled := false, false
	for n := range w.planned {
		mails += w.mails[n]
		named += w.named[n]
		uncertain = uncertain || w.event[n] == chatops.FollowupUncertain
		cancelled = cancelled || w.event[n] == chatops.FollowupCancelled
	}
	one(&s.mail, mails > 0)
	one(&s.twoAtOnce, len(w.senders) > 1)
	one(&s.uncertain, uncertain)
	one(&s.named, named > 0)
	one(&s.stoppedInFlight, cancelled && inFlight)
	one(&s.mailAfterOptOut, mails > w.before && w.withdrawn)
}

// F4 and F2, in ten thousand orders that rapid finds: nobody is mailed twice
// unless an operator has named the alert, and no DATA begins after an opt-out.
// A mail whose DATA had begun before may still arrive.
func TestInterleavings_NobodyIsMailedTwiceOrAfterOptingOut(t *testing.T) {
	t.Parallel()
	var s seen
	rapid.Check(t, func(t *rapid.T) {
		w := newModel()
		inFlight := false
		pick := func(t *rapid.T) int { return rapid.IntRange(0, len(w.senders)-1).Draw(t, "sender") }
		number := func(t *rapid.T) int { return rapid.IntRange(1, 2).Draw(t, "number") }
		move := func(t *rapid.T) {
			if len(w.senders) == 0 {
				t.Skip("nobody sends")
			}
			i := pick(t)
			if !w.step(w.senders[i], faults.Draw(t, "fault")) {
				w.senders = slices.Delete(w.senders, i, i+1)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":       w.check,
			"plan":   func(t *rapid.T) { w.plan(number(t)) },
			"claim":  func(t *rapid.T) { w.claim(number(t)) },
			"move":   move,
			"move 2": move,
			"move 3": move,
			"retry":  func(t *rapid.T) { w.retry(number(t), rapid.Bool().Draw(t, "named")) },
			"die": func(t *rapid.T) { // or be frozen for ever
				if len(w.senders) == 0 {
					t.Skip("nobody sends")
				}
				i := pick(t)
				w.senders = slices.Delete(w.senders, i, i+1)
			},
			"withdraw": func(t *rapid.T) {
				if w.withdrawn || rapid.IntRange(0, 3).Draw(t, "withdraw") > 0 {
					t.Skip("not now")
				}
				w.withdraw()
				inFlight = slices.ContainsFunc(w.senders, func(s *sending) bool { return s.step == "data" })
			},
		})
		s.note(w, inFlight)
	})
	if checks := flag.Lookup("rapid.checks").Value.String(); checks == interleavings {
		for name, n := range map[string]int{
			"a mail": s.mail, "two senders": s.twoAtOnce, "uncertain": s.uncertain, "named by an operator": s.named,
			"stopped between RCPT and DATA": s.stoppedInFlight, "a mail whose DATA had begun before the opt-out": s.mailAfterOptOut,
		} {
			if n < 20 {
				t.Errorf("%s: in %d histories of %s only", name, n, checks)
			}
		}
	}
}

// faults are what may happen to the final dot.
var faults = rapid.SampledFrom([]string{"", "", "reply lost", "refused for now", "refused"})

// withdraw is an opt-out; DATA that has begun may end.
func (w *world) withdraw() {
	w.withdrawn, w.begun = true, w.dataBegun()
	for _, n := range w.mails {
		w.before += n
	}
}

// check is what must hold whatever has happened.
func (w *world) check(t *rapid.T) {
	if w.withdrawn && w.dataBegun() > w.begun {
		t.Fatal("DATA began after the opt-out")
	}
	w.begun = min(w.begun, w.dataBegun())
	for n, mails := range w.mails {
		if mails > 1+w.named[n] {
			t.Fatalf("%d mails of number %d, named %d times", mails, n, w.named[n])
		}
	}
}

// dataBegun counts the attempts whose DATA has begun and whose dot has not left.
func (w *world) dataBegun() int {
	n := 0
	for _, s := range w.senders {
		if s.step == "dot" {
			n++
		}
	}
	return n
}
