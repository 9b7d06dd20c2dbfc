package runbook

import (
	"context"
	"errors"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// Texts that other people chose: a receiver's answer, and a reason that was
// typed. None of it may command a terminal, a spreadsheet or a page.
const (
	hostileError  = "crm|said\n\x1b[31mno\u202e"
	hostileReason = "=cmd|x\n\x1b[2Jy"
)

// newSteeringConsole has one failed item of Monday, three operations, an alarm,
// a line on record and a replica, with hostile texts in each of them.
func newSteeringConsole(tb testing.TB) *console {
	tb.Helper()
	c := newEditConsole(tb)
	f := c.store
	a := &f.alerts[0]
	a.ErrorMessage, a.Fingerprint, a.RetryCount, a.Target = hostileError, "abc123", 3, "monday:leads"
	f.fleet.replicas = []chatops.Instance{{Name: "host:1"}}
	f.paced("op_1", chatops.OperationDone, 50)
	running := f.paced("op_2", chatops.OperationRunning, 50)
	running.Reason, running.Actor = hostileReason, "o|la"
	halted := f.paced("op_3", chatops.OperationHalted, 0)
	halted.Note = "9 of 10 failed"
	f.alarm = chatops.QueueAlarm{RaisedAt: noon, Waiting: 1, Told: 1}
	f.actions = []chatops.OperatorAction{{
		ID: 1, At: noon, Actor: "ola", Host: "ops-1", Command: "chatops dlq retry --all", Filter: `{"ids":[1]}`, Reason: hostileReason, Result: "ok: 1",
	}}
	return c
}

// steeringLooks are command lines that only look, one for each kind of result.
var steeringLooks = []string{
	"dlq list --status all", "dlq show 1", "dlq stats", "dlq groups", "dlq groups ack abc123 --dry-run", "dlq ack --dry-run",
	"dlq operations list --all", "dlq operations show op_2", "dlq operations failures op_2", "dlq operations pause op_2 --dry-run",
	"dlq operations rate op_2 5 --dry-run", "dlq retry --all --dry-run", "dlq discard --all --dry-run", "dlq edit 1 --set item_name=x --dry-run",
	"audit list", "whoami",
}

// steeringChanges are command lines that change something.
var steeringChanges = []string{
	"dlq retry --all --yes", "dlq retry 1 --yes", "dlq retry --all --rate 5 --canary 1 --yes", "dlq discard --all --reason x --yes",
	"dlq groups ack abc123 --yes", "dlq groups mute abc123 --for 1h --yes", "dlq groups note abc123 --text x --yes", "dlq groups unmute abc123 --yes",
	"dlq ack --yes", "dlq operations pause op_2 --yes", "dlq operations resume op_3 --yes", "dlq operations cancel op_2 --yes",
	"dlq operations rate op_2 5 --yes", "dlq edit 1 --set item_name=x --reason y --yes",
}

func TestStoreErrors_EndWithTheirCodeAndWithoutSQL(t *testing.T) {
	t.Parallel()
	const sql = "select payload from alerts where email = 'jan@firma.example'"
	for _, tt := range []struct {
		name string
		err  error
		code int
		says string
	}{
		{"an error that nobody words", errors.New(sql), exitFailed, "chatops: internal error\nsee the cause with -v\n"},
		{"a cause behind words", chatops.WrapError(chatops.CodeInternal, errors.New(sql), "read alerts"), exitFailed, "chatops: read alerts\n"},
		{
			"a database that is down", chatops.Errorf(chatops.CodeUnavailable, "connection refused"), exitUnavailable,
			"chatops: database db.example:5432/chatops: connection refused\ncheck that the database runs, and the address: chatops config view --show-origin\n",
		},
		{"a database that is slow", context.DeadlineExceeded, exitUnavailable, "chatops: no answer in time; a longer --timeout may help\n"},
	} {
		for _, line := range append(steeringLooks, "dlq export") {
			if line == "whoami" {
				continue
			}
			c := newSteeringConsole(t)
			c.store.fail(tt.err)
			c.must(tt.code, line)
			if got := c.err.String(); !strings.HasSuffix(got, tt.says) || strings.Contains(got, "select") {
				t.Errorf("%s: chatops %s says\n%swant\n%s", tt.name, line, got, tt.says)
			}
			if c.out.Len() > 0 {
				t.Errorf("%s: chatops %s prints %q", tt.name, line, &c.out)
			}
			if !c.store.closed {
				t.Errorf("%s: chatops %s leaves the store open", tt.name, line)
			}
		}
	}
}

func TestStoreErrors_KeepAChangeFromBeingMade(t *testing.T) {
	t.Parallel()
	for _, line := range steeringChanges {
		c := newSteeringConsole(t)
		c.store.beginErr = chatops.Errorf(chatops.CodeUnavailable, "the disk of the record is full")
		c.must(exitUnavailable, line)
		c.says("the disk of the record is full")
		f := c.store
		if f.alerts[0].Status != chatops.AlertFailed || len(f.alerts) > 1 || len(f.causes) > 0 || f.alarm.Acknowledged() || f.announced > 0 {
			t.Errorf("chatops %s changed something that is not on record", line)
		}
		for id, want := range map[string]chatops.OperationState{"op_2": chatops.OperationRunning, "op_3": chatops.OperationHalted} {
			if op := f.ops[id]; op.State != want || id == "op_2" && op.Pace.Rate != 50 {
				t.Errorf("chatops %s changed operation %s: %+v", line, id, *op)
			}
		}
	}
}

func TestChanges_AreOnRecordWithWhoWhatAndWhy(t *testing.T) {
	t.Parallel()
	for _, line := range steeringChanges {
		c := newSteeringConsole(t)
		c.must(exitOK, line)
		if len(c.store.actions) != 2 {
			t.Errorf("chatops %s: %d actions on record, want one more", line, len(c.store.actions)-1)
			continue
		}
		a := c.store.actions[1]
		if a.Actor != "ewa" || a.Host != "ops-1" || !a.At.Equal(noon) || !strings.HasPrefix(a.Result, "ok: ") {
			t.Errorf("chatops %s is on record as %+v", line, a)
		}
		if verb, _, _ := strings.Cut(line, " --"); !strings.HasPrefix(a.Command, "chatops "+verb) {
			t.Errorf("chatops %s is on record as %q", line, a.Command)
		}
		if strings.Contains(line, "--reason") != (a.Reason != "") {
			t.Errorf("chatops %s is on record with the reason %q", line, a.Reason)
		}
	}
}

func TestLooks_LeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		c := newSteeringConsole(t)
		c.profile("read_only = true\n") // a look is no change
		c.must(exitOK, line)
		f := c.store
		if len(f.actions) != 1 || len(f.ops) != 3 || len(f.causes) > 0 || f.announced > 0 || len(f.people.access) > 0 || f.alarm.Revision > 0 {
			t.Errorf("chatops %s changed something", line)
		}
		if f.alerts[0].Status != chatops.AlertFailed || len(f.alerts) != 1 {
			t.Errorf("chatops %s changed the alert", line)
		}
	}
}

func TestChanges_NobodyConfirmsAreRefused(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct {
		prepareFunc func(*console)
		flags       string
	}{
		"without a terminal": {prepareFunc: func(*console) {}},
		"with --no-input":    {prepareFunc: func(c *console) { c.terminal("y\n") }, flags: " --no-input"},
		"answered with n":    {prepareFunc: func(c *console) { c.terminal("n\n") }},
		"answered by no one": {prepareFunc: func(c *console) { c.terminal("") }},
		"another name typed": {prepareFunc: func(c *console) { c.terminal("y\n").profile(protectedProd) }},
	} {
		for _, line := range steeringChanges {
			c := newSteeringConsole(t)
			at.prepareFunc(c)
			c.must(exitRefused, strings.TrimSuffix(line, " --yes")+at.flags)
			c.says("not confirmed: nothing was changed")
			if c.changedAnything() {
				t.Errorf("chatops %s %s changed something", line, name)
			}
		}
	}
}

// changedAnything compares a console with a new one.
func (c *console) changedAnything() bool {
	f := c.store
	return len(f.actions) != 1 || len(f.causes) > 0 || len(f.alerts) != 1 || f.alerts[0].Status != chatops.AlertFailed || f.alarm.Acknowledged() || len(f.ops) != 3
}

func TestChanges_InterruptedAtTheQuestionChangeNothing(t *testing.T) {
	t.Parallel()
	for _, line := range steeringChanges {
		c := newSteeringConsole(t).terminal("")
		ctx, cancel := context.WithCancel(t.Context())
		c.In = interrupting{ctx.Done(), cancel}
		if code := Run(ctx, c.Env, strings.Fields(strings.TrimSuffix(line, " --yes"))); code != exitInterrupted {
			t.Errorf("chatops %s: exit %d, want %d: %s", line, code, exitInterrupted, &c.err)
		}
		c.says("interrupted: nothing was changed")
		if c.changedAnything() {
			t.Errorf("chatops %s changed something", line)
		}
	}
}

// interrupting is a terminal at which somebody presses Ctrl-C instead of an
// answer.
type interrupting struct {
	done      <-chan struct{}
	pressFunc func()
}

func (i interrupting) Read([]byte) (int, error) {
	i.pressFunc()
	<-i.done
	return 0, context.Canceled
}
