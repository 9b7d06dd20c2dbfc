package runbook

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// orderLines is every command that gives orders, on a troubled fleet.
var orderLines = []string{
	"breaker trip slack --for 10m", "breaker reset slack email", "breaker auto monday", "breaker reset --all", "breaker auto --all",
	"limiter set chat 100/minute --for 30m", "limiter unset chat", "limiter block 203.0.113.7 --for 2h", "limiter unblock 203.0.113.9",
}

func TestOrders_AreWaitedForUntilEveryLiveReplicaObeys(t *testing.T) {
	t.Parallel()
	for _, line := range orderLines {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, troubled())
			c.store.fleet.delays["ops-2:202"] = 250 * time.Millisecond
			start := time.Now()
			c.must(exitOK, line+" --yes --reason test -o json")
			if took := time.Since(start); took != 300*time.Millisecond {
				t.Errorf("%s took %s", line, took)
			}
			c.says("database     db.example:5432/chatops", " on 2 replicas\n", "note: 1 replica stopped reporting and will not be waited for: ops-3:303", "obeyed by 2 of 2 replicas in 0.3 s")
			var res struct {
				Orders   []map[string]any `json:"orders"`
				Replicas int              `json:"replicas"`
				Obeyed   int              `json:"obeyed"`
				Waiting  []string         `json:"waiting"`
				DryRun   bool             `json:"dry_run"`
			}
			if err := json.Unmarshal(c.out.Bytes(), &res); err != nil {
				t.Fatal(err)
			}
			if len(res.Orders) == 0 || res.Replicas != 2 || res.Obeyed != 2 || res.Waiting == nil || len(res.Waiting) > 0 || res.DryRun {
				t.Errorf("%s: %s", line, &c.out)
			}
			if len(c.store.actions) != 1 || c.store.actions[0].Result != "ok: obeyed by 2 of 2 replicas" || c.store.actions[0].Reason != "test" {
				t.Errorf("%s is recorded as %+v", line, c.store.actions)
			}
		})
	}
}

func TestOrders_ThatSomeDidNotObeyNameThemAndArePartlyDone(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]time.Duration{"": obeyTimeout, "--timeout 8s": 8 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, troubled())
			delete(c.store.fleet.delays, "ops-2:202")
			start := time.Now()
			c.must(exitPartial, "breaker trip slack --yes -o jsonl "+flag)
			if took := time.Since(start); took != want {
				t.Errorf("it took %s, want %s", took, want)
			}
			c.says("chatops: obeyed by 1 of 2 replicas within " + chatops.Span(want) + "; not by ops-2:202")
			c.prints(`{"orders":[{"name":"slack","mode":"tripped","until":null,"revision":8}],"replicas":2,"obeyed":1,"waiting":["ops-2:202"],"dry_run":false}` + "\n")
			if got := c.store.actions[0].Result; !strings.HasPrefix(got, "error: obeyed by 1 of 2 replicas") {
				t.Errorf("the record ends with %q", got)
			}
		})
	}
}

func TestOrders_WithoutAReplicaAreStored(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"breaker trip slack":         "replicas obey it when they start",
		"breaker reset slack":        "breakers are closed anyway when they start",
		"breaker auto slack":         "breakers judge by themselves when they start",
		"limiter set chat 5/second":  "replicas obey it when they start",
		"limiter block 203.0.113.7":  "replicas obey it when they start",
		"limiter block 2001:db8::/9": "replicas obey it when they start",
	} {
		c := newConsole(t, newFakeFleet())
		c.must(exitOK, line+" --yes -o json")
		c.says("on 0 replicas", "no replica is running: the order is stored; "+says)
		if len(c.store.actions) != 1 || c.store.fleet.controls.Revision != 1 {
			t.Errorf("%s: %+v", line, c.store.fleet.controls)
		}
	}
}

func TestOrders_DryRunChangesNothing(t *testing.T) {
	t.Parallel()
	for _, line := range orderLines {
		c := newConsole(t, troubled())
		before := c.store.fleet.controls
		c.must(exitOK, line+" --dry-run -o json")
		if len(c.store.actions) > 0 || c.store.fleet.controls.Revision != before.Revision || !strings.Contains(c.out.String(), `"dry_run": true`) || !strings.Contains(c.out.String(), `"revision": null`) {
			t.Errorf("%s: %s", line, &c.out)
		}
	}
	c := newConsole(t, troubled())
	c.must(exitOK, "limiter set chat 100/minute --for 30m --dry-run -o jsonl")
	c.prints(`{"orders":[{"name":"chat","mode":"set","value":"100 per minute","until":"2026-03-10T12:30:00Z","revision":null}],"replicas":2,"obeyed":0,"waiting":[],"dry_run":true}` + "\n")
}

func TestOrders_AreAskedForAndRefusedAsEveryChange(t *testing.T) {
	t.Parallel()
	for _, line := range orderLines {
		c := newConsole(t, troubled())
		c.must(exitRefused, line)
		c.says("confirm with --yes")
		c.prints("")

		c.profile("read_only = true\n").must(exitRefused, line+" --yes")
		c.says("profile prod is read-only")

		c.profile(protectedProd).terminal("y\n").must(exitRefused, line)
		c.says("environment  Production (profile prod)", "Type prod to continue: ")
		if len(c.store.actions) > 0 || c.store.fleet.controls.Revision != 7 {
			t.Errorf("%s was carried out", line)
		}

		c.terminal("prod\n").must(exitOK, line)
		if len(c.store.actions) != 1 {
			t.Errorf("%s: %d actions", line, len(c.store.actions))
		}
	}
}

func TestOrders_QuestionAndRecordSayExactlyWhat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line, change, filter string
		says                 string
	}{
		{
			"breaker trip slack monday --for 10m", "trip 2 breakers (slack, monday) for 10m on 2 replicas",
			`{"breakers":["slack","monday"],"for_seconds":600,"mode":"tripped"}`,
			`note: monday is tripped by jan, 6m left (maintenance\n\x1b]0;x\x07): this replaces it`,
		},
		{
			"breaker reset monday monday", "reset 1 breaker (monday) on 2 replicas",
			`{"breakers":["monday"],"for_seconds":0,"mode":"reset"}`, "note: monday is tripped by jan, 6m left",
		},
		{"breaker auto --all", "give back 1 breaker (monday) on 2 replicas", `{"breakers":["monday"],"for_seconds":0,"mode":"auto"}`, ""},
		{
			"limiter set chat 200 per minute --for 1h30m", "set 1 limit (chat) to 200 per minute for 1h 30m on 2 replicas",
			`{"for_seconds":5400,"limit":"chat","value":"200 per minute"}`,
			`note: chat is 100 per minute now (override by ewa, 28m left (campaign \x1b[1m))`,
		},
		{"limiter unset chat", "unset 1 limit (chat) on 2 replicas", `{"limits":["chat"]}`, "note: chat is set to 100 per minute by ewa"},
		{
			"limiter block 203.0.113.9 198.51.100.77/24 203.0.113.9/32", "block 2 networks (203.0.113.9/32, 198.51.100.0/24) on 2 replicas",
			`{"for_seconds":0,"networks":["203.0.113.9/32","198.51.100.0/24"]}`, "note: 198.51.100.0/24 is blocked by jan (=scraping): this replaces it",
		},
		{"limiter unblock 203.0.113.9", "unblock 1 network (203.0.113.9/32) on 2 replicas", `{"for_seconds":0,"networks":["203.0.113.9/32"]}`, ""},
	}
	for _, tt := range tests {
		c := newConsole(t, troubled())
		c.must(exitOK, tt.line+" --yes")
		c.says("change       "+tt.change+"\n", tt.says)
		if got := c.store.actions[0].Filter; got != tt.filter {
			t.Errorf("%s is recorded with %s, want %s", tt.line, got, tt.filter)
		}
	}
}

func TestOrders_BadInputIsFoundBeforeAnythingIsOpened(t *testing.T) {
	t.Parallel()
	const forms = "must be a duration such as 90s, 10m, 2h or 7d"
	tests := []struct {
		line, says string
		code       int
	}{
		{"breaker trip", "name the breakers to trip", exitUsage},
		{"breaker reset", "name the breakers to reset, or give --all", exitUsage},
		{"breaker auto slack --all", "not both", exitUsage},
		{"breaker trip slack --all", "unknown flag: --all", exitUsage},
		{"breaker reset slack --for 10m", "unknown flag: --for", exitUsage},
		{"breaker trip slack --for -1m", `--for "-1m": ` + forms, exitUsage},
		{"breaker trip slack --for yesterday", `--for "yesterday": ` + forms, exitUsage},
		{"breaker trip slack --for 0s", `--for "0s": ` + forms, exitUsage},
		{"breaker trip slack --for 10", `--for "10": ` + forms, exitUsage},
		{"breaker trip slack --for 1ms", `--for "1ms": ` + forms, exitUsage},
		{"limiter set chat many per minute", `rate limit "many per minute": must be limits such as "30 per minute"`, exitUsage},
		{"limiter set chat 0 per minute", `rate limit "0 per minute"`, exitUsage},
		{"limiter set chat", "give a limit and its value", exitUsage},
		{"limiter set chat 5/second --for soon", `--for "soon": ` + forms, exitUsage},
		{"limiter set cat 5/second", `limit "cat": not found`, exitNotFound},
		{"limiter unset", "name the limit to unset", exitUsage},
		{"limiter unset cat", `limit "cat": not found`, exitNotFound},
		{"limiter block", "name an address or a network to block", exitUsage},
		{"limiter block 300.1.1.1", `network "300.1.1.1": must be an address such as 203.0.113.7`, exitUsage},
		{"limiter block 203.0.113.7/33", `network "203.0.113.7/33"`, exitUsage},
		{"limiter block fe80::1%eth0", `network "fe80::1%eth0"`, exitUsage},
		{"limiter block ::ffff:0:0/90", `network "::ffff:0:0/90"`, exitUsage},
		{"limiter block everybody", `network "everybody"`, exitUsage},
		{"limiter block 0.0.0.0/0", "network 0.0.0.0/0: holds everybody; nothing was blocked", exitUsage},
		{"limiter block ::/0 --yes", "network ::/0: holds everybody", exitUsage},
		{"limiter block 203.0.113.7 --for -1h", `--for "-1h": ` + forms, exitUsage},
		{"limiter unblock", "name an address or a network to unblock", exitUsage},
		{"limiter unblock x", `network "x"`, exitUsage},
		{"limiter status chat", `takes no arguments, got "chat"`, exitUsage},
	}
	for _, tt := range tests {
		c := newConsole(t, troubled())
		c.must(tt.code, tt.line)
		c.says("chatops: ", tt.says)
		c.prints("")
		if c.opened != 0 {
			t.Errorf("%s opened the store", tt.line)
		}
	}
}

func TestOrders_WithNothingToOrderSaySo(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeFleet("a"))
	c.must(exitOK, "breaker auto --all -o jsonl")
	c.says("no breaker is tripped: nothing to give back")
	c.prints(`{"orders":[],"replicas":1,"obeyed":0,"waiting":[],"dry_run":false}` + "\n")
	c.must(exitNotFound, "limiter unset chat --yes")
	c.says("limit chat: not overridden; nothing was changed")
	if len(c.store.actions) > 0 {
		t.Errorf("actions %+v", c.store.actions)
	}
}

func TestBreakerAutoAll_FindsBreakersThatAReplicaStillKeepsOpen(t *testing.T) {
	t.Parallel()
	f := newFakeFleet("a")
	f.report("a", chatops.BreakerReport{Name: "webhook:crm", State: "forced_open"})
	c := newConsole(t, f)
	c.must(exitOK, "breaker auto --all --yes")
	c.says("give back 1 breaker (webhook:crm)")
}

func TestOrders_ThatFailMidwaySayWhatIsStored(t *testing.T) {
	t.Parallel()
	c := newConsole(t, troubled())
	c.store.fleet.orderErr, c.store.fleet.failFrom = chatops.Errorf(chatops.CodeUnavailable, "connection lost"), 1
	c.must(exitUnavailable, "breaker trip slack email llm --yes")
	c.says("connection lost", "stored were only the orders for slack; giving all of them again does no harm")
	if got := c.store.actions[0].Result; got != "error: connection lost" {
		t.Errorf("the record ends with %q", got)
	}
	c.store.fleet.failFrom = 0
	c.must(exitUnavailable, "breaker trip slack --yes")
	c.says("database db.example:5432/chatops: connection lost")
}

func TestOrders_ThatCannotBeRecordedAreNotGiven(t *testing.T) {
	t.Parallel()
	for _, line := range orderLines {
		c := newConsole(t, troubled())
		c.store.beginErr = chatops.Errorf(chatops.CodeUnavailable, "disk full")
		c.must(exitUnavailable, line+" --yes")
		if c.store.fleet.controls.Revision != 7 {
			t.Errorf("%s was carried out", line)
		}
	}
}

func TestOrders_InterruptedWhileWaitingSayThatTheyAreStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, troubled())
		delete(c.store.fleet.delays, "ops-1:101")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if code := Run(ctx, c.Env, strings.Fields("limiter block 203.0.113.7 --yes -o jsonl")); code != exitInterrupted {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		c.says("chatops: interrupted: the order is stored, and obeyed by 1 of 2 replicas so far")
		c.prints(`{"orders":[{"name":"203.0.113.7/32","mode":"block","until":null,"revision":8}],"replicas":2,"obeyed":1,"waiting":["ops-1:101"],"dry_run":false}` + "\n")
	})
}

func TestOrders_WhoseWaitLosesTheDatabaseSayThatTheyAreStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, troubled())
		delete(c.store.fleet.delays, "ops-1:101")
		time.AfterFunc(time.Second, func() { c.store.fail(chatops.Errorf(chatops.CodeUnavailable, "connection lost")) })
		c.must(exitUnavailable, "breaker reset slack --yes")
		c.says("connection lost", "the order is stored")
	})
}

func TestOrders_ShowATable(t *testing.T) {
	t.Parallel()
	c := newConsole(t, troubled()).terminal("y\n")
	c.must(exitOK, "limiter block 2001:db8:0:1::7 198.51.0.0/15 --for 2h")
	c.says("note: 2001:db8:0:1::7 stands for its /64, which counts as one client; write 2001:db8:0:1::7/128 for the address alone",
		"note: 198.51.0.0/15 is written 198.50.0.0/15", "warning: 198.50.0.0/15 is large and may hold visitors who did nothing")
	golden(t, "limiter_block.table", c.out.String())
}

func TestLimiterSet_WarnsWhereLimitsAreOff(t *testing.T) {
	t.Parallel()
	f := troubled()
	f.replica("ops-2:202").Report.Limiter.Enabled = false
	c := newConsole(t, f)
	c.must(exitOK, "limiter set chat 5/second --yes")
	c.says("warning: limits are switched off on 1 replica (RATE_LIMIT_ENABLED=false)")
}

func TestLimiterUnblock_NamesBlocksThatOverlap(t *testing.T) {
	t.Parallel()
	c := newConsole(t, troubled())
	c.must(exitNotFound, "limiter unblock 198.51.100.8 --yes")
	c.says("chatops: 198.51.100.8/32: not blocked; nothing was changed", "these blocks overlap it: 198.51.100.0/24")
	c.must(exitNotFound, "limiter unblock 192.0.2.0/24 --dry-run")
	c.says("see what is blocked: chatops limiter status")
}

func TestLimiterStatus_ShowsOverridesThatAreNotObeyedYet(t *testing.T) {
	t.Parallel()
	f := troubled()
	f.fleet.controls.Overrides[0].Value = "5 per second"
	c := newConsole(t, f)
	c.must(exitOK, "limiter status")
	if want := "chat\t100 per minute\toverride; not obeyed yet: 5 per second by ewa, 28m left"; !strings.Contains(c.out.String(), want) {
		t.Errorf("it lacks %q: %s", want, &c.out)
	}
	f.replica("ops-2:202").Report.Limiter.Limits[0].Value = "7 per minute"
	c.must(exitOK, "limiter status")
	if want := "\t1 of 2\n"; !strings.Contains(c.out.String(), want) {
		t.Errorf("it lacks %q: %s", want, &c.out)
	}
	c = newConsole(t, newFakeFleet())
	c.store.fleet.controls.Overrides = f.fleet.controls.Overrides
	c.must(exitOK, "limiter status")
	if want := "chat\t5 per second\toverride by ewa"; !strings.Contains(c.out.String(), want) {
		t.Errorf("it lacks %q: %s", want, &c.out)
	}
}

func TestFleet_UnreachableDatabaseNamesHostAndNextStep(t *testing.T) {
	t.Parallel()
	for _, line := range append([]string{"breaker status", "limiter status", "limiter status --watch"}, orderLines...) {
		c := newConsole(t, troubled())
		c.store.err = chatops.Errorf(chatops.CodeUnavailable, "connection refused")
		c.must(exitUnavailable, line+" -o json")
		c.says("chatops: database db.example:5432/chatops: connection refused", "chatops config view --show-origin")
	}
}

func TestLimitNames_AreThoseOfTheSettings(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(config.DefaultLimits()))
	if got := slices.Sorted(slices.Values(limitNames)); !slices.Equal(got, names) {
		t.Errorf("limits are %q, the settings have %q", got, names)
	}
}

func TestFleet_CompletionOffersNames(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"__complete breaker trip slack ": "monday\nemail\nllm\n:4\n",
		"__complete limiter set ":        "chat\napi\nhealth\nconsent\nleads\n:4\n",
		"__complete limiter set chat ":   ":4\n",
		"__complete limiter unset chat ": "api\nhealth\nconsent\nleads\n:4\n",
	} {
		c := newConsole(t, newFakeStore())
		if code := Run(t.Context(), c.Env, strings.Split(line, " ")); code != exitOK || c.out.String() != want {
			t.Errorf("%q offers %q, want %q", line, &c.out, want)
		}
	}
}
