package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// ordered makes the latest order of slack.
func ordered(o chatops.BreakerOrder) func(b *body) {
	return func(b *body) { b.store.controls.Breakers = []chatops.BreakerOrder{o} }
}

// opened makes a breaker of the first replica open.
func opened(name, reason string, ago time.Duration) func(b *body) {
	return on(func(r *chatops.Instance) {
		one := chatops.BreakerReport{Name: name, State: chatops.StateOpen, Reason: reason}
		if ago > 0 {
			one.OpenedAt = noon.Add(-ago)
		}
		r.Report.Breakers[0] = one
	})
}

func TestBreakers_WordWhoOpenedThemAndHowLongAgo(t *testing.T) {
	t.Parallel()
	const auto = "chatops breaker auto slack --reason 'maintenance is over'"
	trip := chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerTripped, Actor: "ewa"}
	timed, reason := trip, trip
	timed.CreatedAt, timed.Until = noon.Add(-90*time.Second), noon.Add(time.Hour+time.Millisecond)
	reason.Reason = "moving\thouse"
	checkWordings(t, "breakers", []wording{
		{"all closed, or probing", func(*body) {}, "1 closed, none open", nil},
		{"no replica", func(b *body) { b.store.replicas = nil }, "0 closed, none open", nil},
		{"an order to judge by itself", ordered(chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerAuto, Actor: "ewa"}), "1 closed, none open", nil},
		say("tripped without an end or reason", ordered(trip), Finding{
			Warning, "slack tripped by ewa, without an end", "an operator keeps it open", auto,
		}),
		say("tripped for a time", ordered(timed), Finding{Warning, "slack tripped by ewa for 1m 30s, 1h left", "an operator keeps it open", auto}),
		say("tripped for a reason", ordered(reason), Finding{
			Warning, "slack tripped by ewa, without an end", `an operator keeps it open: moving\thouse`, auto,
		}),
		say("open, nobody knows since when", opened("slack", "", 0), Finding{
			Problem, "slack open on 1 of 2 replicas", "", "chatops breaker reset slack --reason 'slack is back'",
		}),
		say("open on all", func(b *body) {
			opened("slack", "HTTP 503", time.Hour)(b)
			b.store.replicas[1].Report.Breakers = b.store.replicas[0].Report.Breakers
		}, Finding{Problem, "slack open on 2 of 2 replicas for 1h", "HTTP 503", "chatops breaker reset slack --reason 'slack is back'"}),
		say("a webhook's", opened("webhook:crm", "timeout", time.Second), Finding{
			Problem, "webhook:crm open on 1 of 1 replicas for 1s", "timeout", "chatops breaker reset webhook:crm --reason 'webhook:crm is back'",
		}),
		say("with a name that a shell would read", opened("webhook:it's", "", 0), Finding{
			Problem, "webhook:it's open on 1 of 1 replicas", "", `chatops breaker reset 'webhook:it'\''s' --reason 'webhook:it'\''s is back'`,
		}),
		{
			"the worse one first", both(ordered(chatops.BreakerOrder{Name: "email", Mode: chatops.BreakerTripped, Actor: "ola"}), opened("slack", "", 0)),
			"slack open on 1 of 2 replicas; email tripped by ola, without an end",
			[]Finding{
				{Problem, "slack open on 1 of 2 replicas", "", "chatops breaker reset slack --reason 'slack is back'"},
				{Warning, "email tripped by ola, without an end", "an operator keeps it open", "chatops breaker auto email --reason 'maintenance is over'"},
			},
		},
	})
}

func TestReplicas_WordWhoIsMissing(t *testing.T) {
	t.Parallel()
	age := func(i int, d time.Duration) func(b *body) { return func(b *body) { b.store.replicas[i].Age = d } }
	none := Finding{Problem, "no replica reports", "chatops serve does not run, or with another database", "chatops serve"}
	silentOf := func(text string) Finding {
		return Finding{Warning, text, "killed, frozen or without the database", "systemctl restart chatops"}
	}
	checkWordings(t, "replicas", []wording{
		{"two", func(*body) {}, "2 live replicas, version 1.2.3", nil},
		{"one", func(b *body) { b.store.replicas = b.store.replicas[:1] }, "1 live replica, version 1.2.3", nil},
		{"as late as may be", age(0, chatops.StaleAfter), "2 live replicas, version 1.2.3", nil},
		say("a moment later", age(0, chatops.StaleAfter+1), silentOf("1 of 2 replicas stopped reporting: web-1:1 for 6s")),
		say("none at all", func(b *body) { b.store.replicas = nil }, none),
		say("all silent", both(age(0, time.Hour), age(1, time.Hour)), none),
		say("two of three", func(b *body) {
			b.store.replicas = append(b.store.replicas, replica("web-3\n"))
			b.store.replicas[1].Age, b.store.replicas[2].Age = time.Hour, 90*time.Second
		}, silentOf(`2 of 3 replicas stopped reporting: web-2:2 for 1h, web-3\n for 1m 30s`)),
		say("three versions", func(b *body) {
			b.store.replicas = append(b.store.replicas, replica("web-3:3"), replica("web-4:4"))
			b.store.replicas[0].Version, b.store.replicas[3].Version = "2.0.0", "1.0.0"
		}, Finding{
			Warning, "replicas run 3 versions: 1.0.0 on web-4:4; 1.2.3 on web-2:2, web-3:3; 2.0.0 on web-1:1",
			"an upgrade has not reached every host", "systemctl restart chatops",
		}),
		say("a silent one has no version", func(b *body) {
			b.store.replicas[0].Version, b.store.replicas[0].Age = "2.0.0", time.Hour
		}, silentOf("1 of 2 replicas stopped reporting: web-1:1 for 1h")),
	})
}

// late is a database in which replicas have obeyed when it is asked again.
type late struct {
	*fakeStore
	asked int
	err   error
}

func (l *late) Instances(ctx context.Context) ([]chatops.Instance, error) {
	if l.asked++; l.asked > 1 {
		list := slices.Clone(l.replicas)
		for i := range list {
			list[i].Revision = l.controls.Revision
		}
		return list, l.err
	}
	return l.fakeStore.Instances(ctx)
}

func TestReplicas_AreGivenOneHeartbeatToObey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := healthy()
		b.store.replicas[0].Revision = 3
		slow := &late{fakeStore: b.store}
		b.Store = slow
		start := time.Now()
		if r := one(t, b, "replicas"); r.State != OK || slow.asked != 2 {
			t.Errorf("after it obeyed it is %s: %s; asked %d times", r.State, r.Text, slow.asked)
		}
		if waited := time.Since(start); waited != chatops.HeartbeatEvery+time.Second {
			t.Errorf("it waited %s, want a heartbeat and a second", waited)
		}
		b.Store = &late{fakeStore: b.store, err: chatops.Errorf(chatops.CodeUnavailable, "gone meanwhile")}
		if r := one(t, b, "replicas"); r.State != Unknown || r.Text != "could not be found out: gone meanwhile" {
			t.Errorf("a database that goes meanwhile makes it %s: %s", r.State, r.Text)
		}
	})
}

func TestReplicas_DoNotWaitWhenAllObey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := healthy()
		b.store.replicas[0].Revision = 99 // newer than what was read a moment before
		start := time.Now()
		if r := one(t, b, "replicas"); r.State != OK || !time.Now().Equal(start) {
			t.Errorf("it is %s after %s", r.State, time.Since(start))
		}
	})
}

func TestReplicas_NameEachThatDisobeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checkWordings(t, "replicas", []wording{say("both", func(b *body) {
			b.store.replicas[0].Revision, b.store.replicas[1].Revision = 0, 6
		}, Finding{
			Problem, "2 of 2 replicas do not obey the newest order: web-1:1, web-2:2", "they cannot read the database", "systemctl restart chatops",
		})})
	})
}

func TestClocks_AreJudgedAtTheirEdges(t *testing.T) {
	t.Parallel()
	const cause, repair = "its clock is not kept by NTP, or that of the database's host", "timedatectl set-ntp true"
	off := func(i int, by time.Duration) func(b *body) {
		return func(b *body) { b.store.replicas[i].Report.Clock = b.store.replicas[i].HeartbeatAt.Add(by) }
	}
	host := func(by time.Duration) func(b *body) {
		return func(b *body) { b.NowFunc = func() time.Time { return noon.Add(by) } }
	}
	const fine = "this host and 2 replicas agree with the database"
	checkWordings(t, "clocks", []wording{
		{"a little", off(0, 2*time.Second-1), fine, nil},
		{"alone", func(b *body) { b.store.replicas = b.store.replicas[:1] }, "this host and 1 replica agree with the database", nil},
		say("two seconds", off(0, 2*time.Second), Finding{Warning, "the clock of replica web-1:1 is 2s ahead of the database's", cause, repair}),
		say("nearly thirty", off(1, -30*time.Second+time.Millisecond), Finding{Warning, "the clock of replica web-2:2 is 29s behind the database's", cause, repair}),
		say("thirty", off(1, -30*time.Second), Finding{Problem, "the clock of replica web-2:2 is 30s behind the database's", cause, repair}),
		say("this host", host(time.Hour), Finding{Problem, "the clock of this host is 1h ahead of the database's", cause, repair}),
		{
			"the worst first", both(host(-3*time.Second), off(0, time.Minute)),
			"the clock of replica web-1:1 is 1m ahead of the database's; the clock of this host is 3s behind the database's",
			[]Finding{
				{Problem, "the clock of replica web-1:1 is 1m ahead of the database's", cause, repair},
				{Warning, "the clock of this host is 3s behind the database's", cause, repair},
			},
		},
	})
}

func TestClocks_CountTheTimeOfTheQuestion(t *testing.T) {
	t.Parallel()
	// The answer took 10 s: the database looked at its clock in the middle.
	b := healthy()
	times := []time.Time{noon.Add(-5 * time.Second), noon.Add(5 * time.Second)}
	b.NowFunc = func() time.Time {
		at := times[0]
		times = times[1:]
		return at
	}
	if r := one(t, b, "clocks"); r.State != OK {
		t.Errorf("a slow answer makes the clocks %s: %s", r.State, r.Text)
	}
}

func TestVersions_EveryReplicaIsNamedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var live []chatops.Instance
		kinds := map[string]bool{}
		for i := range rapid.IntRange(0, 9).Draw(t, "replicas") {
			v := rapid.SampledFrom([]string{"1.0.0", "1.0.1", "2.0.0"}).Draw(t, "version")
			kinds[v] = true
			live = append(live, chatops.Instance{Name: "r" + string(rune('0'+i)), Version: v})
		}
		list := versions(live)
		if len(kinds) < 2 {
			if list != nil {
				t.Fatalf("of one version it finds %+v", list)
			}
			return
		}
		for i := range live {
			if n := strings.Count(list[0].Text, live[i].Name); n != 1 {
				t.Fatalf("%s is named %d times in %q", live[i].Name, n, list[0].Text)
			}
		}
	})
}
