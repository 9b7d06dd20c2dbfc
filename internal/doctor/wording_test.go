package doctor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// wording is what a check says, to the letter.
type wording struct {
	name  string
	plant func(b *body)
	text  string    // of the result
	finds []Finding // the worst first; nil: all is well
}

// checkWordings runs a check for each and compares every word, cause and command.
func checkWordings(t *testing.T, check string, list []wording) {
	t.Helper()
	for _, w := range list {
		b := healthy()
		w.plant(b)
		r := one(t, b, check)
		if r.Text != w.text {
			t.Errorf("%s: %s says\n%s\nwant\n%s", w.name, check, r.Text, w.text)
		}
		if !slices.Equal(r.Findings, w.finds) {
			t.Errorf("%s: %s finds\n%+v\nwant\n%+v", w.name, check, r.Findings, w.finds)
		}
		want := OK
		if len(w.finds) > 0 {
			want = w.finds[0].State
		}
		if r.State != want {
			t.Errorf("%s: %s is %s, want %s", w.name, check, r.State, want)
		}
	}
}

// say makes the only finding of a wording, whose text is that of the result.
func say(name string, plant func(b *body), f Finding) wording {
	return wording{name, plant, f.Text, []Finding{f}}
}

// waits replaces what waits: so many alerts, of which some are fresh, and for how
// long the oldest has waited.
func waits(n, fresh int64, age time.Duration) func(b *body) {
	return func(b *body) {
		b.store.stats.Counts = []chatops.AlertCount{{EventType: "slack_alert", Status: chatops.AlertQueued, Count: n}}
		b.store.fresh = fresh
		b.store.stats.OldestWaiting = noon.Add(-age)
	}
}

const retryWaiting = "chatops dlq retry --status queued,pending --now --reason 'receiver is back'"

func TestQueue_WordsHowMuchWaits(t *testing.T) {
	t.Parallel()
	ack := func(b *body) { b.store.alarm = chatops.QueueAlarm{RaisedAt: noon, AckAt: noon, AckBy: "ewa\n"} }
	over := func(b *body) { b.store.alarm = chatops.QueueAlarm{AckAt: noon, AckBy: "ewa"} }
	checkWordings(t, "queue", []wording{
		{"none", waits(0, 0, 0), "0 alerts waiting, 0 of the last 5m", nil},
		{"one", waits(1, 1, 0), "1 alert waiting, 1 of the last 5m", nil},
		{"as many as may", waits(100, 99, 0), "100 alerts waiting, 99 of the last 5m", nil},
		say("one more", waits(101, 0, 0), Finding{Problem, "101 alerts waiting, 0 of the last 5m", "", retryWaiting}),
		say("growing, and few yet", waits(100, 100, 0), Finding{Problem, "100 alerts waiting, 100 of the last 5m, growing by 20 a minute", "", retryWaiting}),
		say("the growth is rounded", waits(108, 108, 0), Finding{Problem, "108 alerts waiting, 108 of the last 5m, growing by 22 a minute", "", retryWaiting}),
		say("acknowledged", both(waits(101, 0, 0), ack), Finding{
			Warning, `101 alerts waiting, 0 of the last 5m; acknowledged by ewa\n`, "", retryWaiting,
		}),
		say("an alarm that is over excuses nothing", both(waits(101, 0, 0), over), Finding{
			Problem, "101 alerts waiting, 0 of the last 5m", "", retryWaiting,
		}),
		say("the largest cause", both(waits(101, 0, 0), cause(3, 0, "a", "few"), cause(98, 200, "b", "many"), cause(0, 900, "c", "failed ones")), Finding{
			Problem, "101 alerts waiting, 0 of the last 5m", "98 alerts: many", retryWaiting,
		}),
		say("of equal causes the first", both(waits(101, 0, 0), cause(1, 0, "a", "first"), cause(1, 0, "b", "second")), Finding{
			Problem, "101 alerts waiting, 0 of the last 5m", "1 alert: first", retryWaiting,
		}),
		say("a cause that is not known", both(waits(101, 0, 0), cause(101, 0, "a", "")), Finding{
			Problem, "101 alerts waiting, 0 of the last 5m", "", retryWaiting,
		}),
	})
}

func TestQueueAge_GivesTheCommandForAlertsOfThatAge(t *testing.T) {
	t.Parallel()
	retry := func(until string) string {
		return "chatops dlq retry --status queued,pending --until " + until + " --now --reason 'receiver is back'"
	}
	allow := func(age time.Duration) func(b *body) { return func(b *body) { b.Limits.Age = age } }
	checkWordings(t, "queue_age", []wording{
		{"none waits", func(b *body) { b.store.stats.OldestWaiting = time.Time{} }, "no alert waits", nil},
		{"a moment less", waits(1, 0, 15*time.Minute-time.Second), "the oldest alert has waited for 14m 59s", nil},
		{"no limit", both(waits(1, 0, 1000*time.Hour), allow(0)), "the oldest alert has waited for 41d 16h", nil},
		say("at the limit", waits(1, 0, 15*time.Minute), Finding{Problem, "the oldest alert has waited for 15m", "", retry("15m")}),
		say("parts of a second are left out", waits(1, 0, 15*time.Minute+999*time.Millisecond), Finding{
			Problem, "the oldest alert has waited for 15m", "", retry("15m"),
		}),
		say("a limit of seconds", both(waits(1, 0, 2*time.Minute), allow(90*time.Second)), Finding{
			Problem, "the oldest alert has waited for 2m", "", retry("90s"),
		}),
		say("a limit of hours", both(waits(1, 0, 50*time.Hour), allow(2*time.Hour)), Finding{
			Problem, "the oldest alert has waited for 2d 2h", "", retry("120m"),
		}),
	})
}

func TestFailed_SaysHowManyAndSinceWhen(t *testing.T) {
	t.Parallel()
	const retry = "chatops dlq retry --status failed --now --reason 'cause is gone'"
	oldest := func(ago time.Duration) func(b *body) {
		return func(b *body) { b.store.stats.OldestFailed = noon.Add(-ago) }
	}
	checkWordings(t, "failed_alerts", []wording{
		{"none", func(*body) {}, "no alert has failed", nil},
		say("one", both(status(chatops.AlertFailed, 1), oldest(90*time.Minute)), Finding{Problem, "1 alert failed, the oldest 1h 30m ago", "", retry}),
		say("of two types", both(status(chatops.AlertFailed, 1), status(chatops.AlertFailed, 2)), Finding{Problem, "3 alerts failed", "", retry}),
		say("the cause of most that failed", both(status(chatops.AlertFailed, 3), cause(50, 1, "a", "waiting"), cause(0, 2, "b", "HTTP 400")), Finding{
			Problem, "3 alerts failed", "2 alerts: HTTP 400", retry,
		}),
		say("causes of what waits are not theirs", both(status(chatops.AlertFailed, 3), cause(50, 0, "a", "waiting")), Finding{
			Problem, "3 alerts failed", "", retry,
		}),
	})
}

func TestUnconfigured_NamesTheIntegrationOfTheTarget(t *testing.T) {
	t.Parallel()
	const sample = "integration x is not configured: waiting until it is"
	held := func(n, name string) Finding {
		return Finding{
			Problem, n + " for " + name + " held", "integration " + name + " is not configured where chatops serve runs; they have used up no attempt",
			"chatops config view --show-origin",
		}
	}
	const fine = "no alert is held for want of a setting"
	checkWordings(t, "unconfigured", []wording{
		{"another cause", cause(5, 0, "slack:alerts", "HTTP 503"), fine, nil},
		{"failed ones are not held", cause(0, 5, "slack:alerts", sample), fine, nil},
		say("slack", cause(2, 0, "slack:alerts", sample), held("2 alerts", "slack")),
		say("mail", cause(1, 0, "mailto:jan@x.pl", sample), held("1 alert", "email")),
		say("a webhook", cause(1, 0, "webhook:crm", sample), held("1 alert", "webhook:crm")),
		say("an address of an older writer", cause(1, 0, "https://hooks.example/secret", sample), held("1 alert", "https")),
		say("without a colon", cause(1, 0, "monday", sample), held("1 alert", "monday")),
		{
			"two of them", both(cause(1, 0, "slack:alerts", sample), cause(3, 0, "monday:leads", sample)),
			"1 alert for slack held; 3 alerts for monday held", []Finding{held("1 alert", "slack"), held("3 alerts", "monday")},
		},
	})
}

func TestEscalation_NamesTheFirstSettingThatIsMissing(t *testing.T) {
	t.Parallel()
	set := func(escalation, mail bool) func(b *body) {
		return func(b *body) { b.Settings.Escalation, b.Settings.Mail = escalation, mail }
	}
	nobody := func(cause string) Finding {
		return Finding{Warning, "nobody is told when alerts fail", cause, "chatops config view --show-origin"}
	}
	checkWordings(t, "escalation", []wording{
		{"both", set(true, true), "failures are mailed to ESCALATION_EMAIL", nil},
		say("no server", set(true, false), nobody("SMTP_URL is not set")),
		say("no address", set(false, true), nobody("ESCALATION_EMAIL is not set")),
		say("neither", set(false, false), nobody("ESCALATION_EMAIL is not set")),
	})
}

func TestCheckErrors_OfASecondCallAreNotSwallowed(t *testing.T) {
	t.Parallel()
	// The alarm, the causes and the replicas are read after the numbers: what
	// cannot be read then must not pass for nothing.
	for _, check := range []string{"queue", "queue_age", "failed_alerts"} {
		b := healthy()
		waits(500, 500, time.Hour)(b)
		status(chatops.AlertFailed, 3)(b)
		b.Store = &forgetful{fakeStore: b.store}
		if r := one(t, b, check); r.State != Unknown || r.Text != "could not be found out: causes are away" {
			t.Errorf("%s is %s: %s", check, r.State, r.Text)
		}
	}
	b := healthy()
	waits(500, 500, time.Hour)(b)
	b.Store = &deaf{fakeStore: b.store}
	for _, check := range []string{"queue", "queue_age"} {
		if r := one(t, b, check); r.State != Unknown || r.Text != "could not be found out: internal error" {
			t.Errorf("%s is %s: %s", check, r.State, r.Text)
		}
	}
}

// forgetful is a database that knows no causes any more.
type forgetful struct{ *fakeStore }

func (*forgetful) AlertGroups(context.Context, int, int) (*chatops.AlertGroups, error) {
	return nil, chatops.Errorf(chatops.CodeUnavailable, "causes are away")
}

// deaf is one that does not tell whether somebody knows.
type deaf struct{ *fakeStore }

func (*deaf) QueueAlarm(context.Context) (*chatops.QueueAlarm, error) {
	return &chatops.QueueAlarm{RaisedAt: noon, AckAt: noon, AckBy: "ewa"}, errors.New("pq: hunter2")
}
