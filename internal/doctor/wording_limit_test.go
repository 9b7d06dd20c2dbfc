package doctor

import (
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// refusing makes the first replica refuse so many requests of clients.
func refusing(n int64, clients ...string) func(b *body) {
	return on(func(r *chatops.Instance) {
		l := &r.Report.Limiter.Limits[0]
		l.Denied, l.TopDenied = n, nil
		for _, c := range clients {
			l.TopDenied = append(l.TopDenied, chatops.DeniedClient{Client: c, Count: 1})
		}
	})
}

const seenUsual = "1 request refused in the last minute, 1 override in force, 0 networks blocked"

func TestLimits_WordWhomTheyRefuse(t *testing.T) {
	t.Parallel()
	calm := func(b *body) { b.store.replicas[1].Report.Limiter.Limits = nil }
	strangers := func(b *body) { b.Settings.TrustedProxies = false }
	tooLow := func(text string) Finding {
		return Finding{Problem, text, "30 per minute is too low for what happens", "chatops limiter set chat '60 per minute' --for 30m --reason campaign"}
	}
	proxy := func(client string) Finding {
		return Finding{
			Problem, "limit chat refuses 7 a minute to " + client + ", which may be your own proxy",
			"its X-Forwarded-For is not believed: TRUSTED_PROXIES is not set", "chatops limiter set chat '60 per minute' --for 30m --reason proxy",
		}
	}
	const seen7 = "7 requests refused in the last minute, 1 override in force, 0 networks blocked"
	checkWordings(t, "limits", []wording{
		{"one", calm, seenUsual, nil},
		{"four clients", both(calm, refusing(7, "a", "b", "c", "d")), seen7, nil},
		say("five clients", both(calm, refusing(7, "a", "b", "c", "d", "e")), tooLow("limit chat refuses 7 a minute to 5 clients or more")),
		say("at most ten are named", both(calm, refusing(12, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")),
			tooLow("limit chat refuses 12 a minute to 10 clients or more")),
		{"five that were refused before", both(calm, refusing(0, "a", "b", "c", "d", "e")), "0 requests refused in the last minute, 1 override in force, 0 networks blocked", nil},
		say("a proxy", both(calm, strangers, refusing(7, "192.168.7.1")), proxy("192.168.7.1")),
		say("a proxy on this host", both(calm, strangers, refusing(7, "127.0.0.1")), proxy("127.0.0.1")),
		say("a proxy of IPv6", both(calm, strangers, refusing(7, "fd00:1:2:3::/64")), proxy("fd00:1:2:3::/64")),
		say("a proxy of the link", both(calm, strangers, refusing(7, "fe80::/64")), proxy("fe80::/64")),
		{"a proxy that is trusted", both(calm, refusing(7, "192.168.7.1")), seen7, nil},
		{"somebody else", both(calm, strangers, refusing(7, "203.0.113.7")), seen7, nil},
		{"nobody is named", both(calm, strangers, refusing(7)), seen7, nil},
	})
}

func TestLimits_WordOrdersWithoutAnEnd(t *testing.T) {
	t.Parallel()
	override := func(reason string, until time.Time) func(b *body) {
		return func(b *body) {
			o := &b.store.controls.Overrides[0]
			o.Reason, o.Until, o.CreatedAt, o.Value = reason, until, noon.Add(-26*time.Hour), "9 per minute"
		}
	}
	const text = "limit chat is overridden by ewa for 1d 2h without an end: 9 per minute"
	const seen2 = "2 requests refused in the last minute, 1 override in force, 0 networks blocked"
	checkWordings(t, "limits", []wording{
		{"with an end", override("", noon.Add(time.Second)), seen2, nil},
		say("without a reason", override("", time.Time{}), Finding{Warning, text, "an operator has changed it", "chatops limiter unset chat"}),
		say("with a reason", override("campaign", time.Time{}), Finding{Warning, text, "an operator has changed it: campaign", "chatops limiter unset chat"}),
		say("off on one", on(func(r *chatops.Instance) { r.Report.Limiter.Enabled = false }), Finding{
			Warning, "nobody is limited on web-1:1", "RATE_LIMIT_ENABLED=false there", "chatops config view --show-origin",
		}),
		{"one that has not reported limits yet", on(func(r *chatops.Instance) { r.Report.Limiter = chatops.LimiterReport{Backend: "redis"} }), seenUsual, nil},
		{"one that is silent", on(func(r *chatops.Instance) { r.Report.Limiter.Enabled, r.Age = false, time.Hour }), seenUsual, nil},
		say("another value", on(func(r *chatops.Instance) { r.Report.Limiter.Limits[0].Value = "31 per minute" }), Finding{
			Warning, "1 of 2 replicas hold another limit chat than 31 per minute", "their settings differ", "chatops limiter status -o wide",
		}),
	})
}

func TestBlocks_WarnOfWideNetworksAlone(t *testing.T) {
	t.Parallel()
	for network, wide := range map[string]bool{
		"203.0.113.7/32": false, "203.0.0.0/16": false, "203.0.0.0/15": true, "0.0.0.0/0": true,
		"2001:db8::/64": false, "2001:db8::/32": false, "2001:d00::/31": true, "::/0": true,
		"": false, "203.0.113.7": false, "everybody": false,
	} {
		list := wideBlock(&chatops.ClientBlock{Network: network, Actor: "jan", Reason: "floods"})
		if !wide {
			if list != nil {
				t.Errorf("a block of %q is found to be wide: %+v", network, list)
			}
			continue
		}
		want := Finding{Warning, network + " is blocked by jan and may hold many visitors", "floods", "chatops limiter unblock " + network}
		if len(list) != 1 || list[0] != want {
			t.Errorf("a block of %q makes %+v, want %+v", network, list, want)
		}
	}
	b := healthy()
	b.store.controls.Blocks = []chatops.ClientBlock{{Network: "203.0.113.7/32"}, {Network: "2001:db8::/64"}}
	if r := one(t, b, "limits"); r.Text != "2 requests refused in the last minute, 1 override in force, 2 networks blocked" {
		t.Errorf("with two blocks it says %s", r.Text)
	}
	b.store.controls.Blocks = b.store.controls.Blocks[:1]
	if r := one(t, b, "limits"); r.Text != "2 requests refused in the last minute, 1 override in force, 1 network blocked" {
		t.Errorf("with one block it says %s", r.Text)
	}
}

func TestRaised_OfAnyNumberIsTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, math.MaxInt32).Draw(t, "n")
		unit := rapid.SampledFrom([]string{" per minute", "/second", " per hour", ""}).Draw(t, "unit")
		if got, want := raised(strconv.FormatInt(n, 10)+unit), strconv.FormatInt(2*n, 10)+unit; got != want {
			t.Fatalf("%d%s is raised to %q, want %q", n, unit, got, want)
		}
	})
	const absurd = "99999999999999999999 per minute"
	if got := raised(absurd); got != absurd {
		t.Errorf("a number that is none is raised to %q", got)
	}
}

func TestPrivate_IsWhatNoVisitorHas(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]bool{
		"10.255.0.1": true, "172.16.0.1": true, "172.32.0.1": false, "192.168.0.0": true, "192.169.0.0": false,
		"127.8.8.8": true, "169.254.1.1": true, "::1": true, "fc00::/64": true, "fe80::1": true, "2001:db8::/64": false,
		"8.8.8.8": false, "": false, "10.0.0": false, "localhost": false, "/10.0.0.1": false,
	} {
		if got := private(client); got != want {
			t.Errorf("%q is private: %t, want %t", client, got, want)
		}
	}
}

func TestRedis_WordsWhoCountsWithoutIt(t *testing.T) {
	t.Parallel()
	const repair = "systemctl restart redis-server"
	backend := func(names ...string) func(b *body) {
		return func(b *body) {
			for i, name := range names {
				b.store.replicas[i].Report.Limiter.Backend = name
			}
		}
	}
	without := func(text string) Finding {
		return Finding{Problem, text, "they do not reach it; nobody is refused for that, and a client has the limit once for each of them", repair}
	}
	away := Finding{Problem, "Redis does not answer", "connection refused", repair}
	checkWordings(t, "redis", []wording{
		{"all", func(*body) {}, "answers, and 2 replicas use it", nil},
		{"one that is silent is not counted", on(func(r *chatops.Instance) { r.Age = time.Hour }), "answers, and 1 replica uses it", nil},
		{"none that reports", func(b *body) { b.store.replicas = nil }, "answers, and 0 replicas use it", nil},
		{"a limiter that is off", backend("", "redis"), "answers, and 1 replica uses it", nil},
		say("one of two", backend("local", "redis"), without("1 of 2 replicas count without Redis")),
		say("both", backend("local", "local"), without("2 of 2 replicas count without Redis")),
		say("away for this host alone", func(b *body) { b.RedisFunc = refused }, away),
		{
			"away for all", both(backend("local", "local"), func(b *body) { b.RedisFunc = refused }),
			"Redis does not answer; 2 of 2 replicas count without Redis", []Finding{away, without("2 of 2 replicas count without Redis")},
		},
	})
}
