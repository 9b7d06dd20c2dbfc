package runbook

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

func TestFleet_HostileTextIsHarmlessInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, noun := range []string{"breaker", "limiter"} {
		for _, format := range []string{"tsv", "table", "wide", "json", "jsonl", "yaml", "csv", "md"} {
			t.Run(noun+" "+format, func(t *testing.T) {
				t.Parallel()
				c := newConsole(t, troubled())
				line := noun + " status"
				if format != "tsv" {
					line += " -o " + strings.Replace(format, "md", "markdown", 1)
				}
				c.must(exitOK, line)
				if strings.ContainsFunc(strings.ReplaceAll(c.out.String(), "\n", ""), func(r rune) bool { return r != '\t' && chatops.Harmful(r) }) {
					t.Errorf("output is not harmless: %q", c.out.String())
				}
				golden(t, noun+"s."+format, c.out.String())
			})
		}
	}
}

func TestBreakerStatus_OfOneNameShowsEachReplicaAndFits(t *testing.T) {
	t.Parallel()
	c := newConsole(t, troubled()).terminal("")
	c.must(exitOK, "breaker status Slack")
	golden(t, "breaker_slack.table", c.out.String())
	c.Width = 60
	c.must(exitOK, "breaker status slack")
	golden(t, "breaker_slack_60.table", c.out.String())
}

// breakersOf decodes the JSON of `breaker status`.
func (c *console) breakersOf(line string) map[string]map[string]any {
	c.t.Helper()
	c.must(exitOK, line)
	var got struct {
		Breakers []map[string]any `json:"breakers"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
		c.t.Fatal(err)
	}
	byName := map[string]map[string]any{}
	for _, b := range got.Breakers {
		byName[b["name"].(string)] = b
	}
	return byName
}

func TestBreakerStatus_IsTheWorstOfTheReplicasThatReport(t *testing.T) {
	t.Parallel()
	state := func(name, s string) chatops.BreakerReport { return chatops.BreakerReport{Name: name, State: s} }
	tests := []struct {
		name, first, second, gone, want string
		tripped                         bool
	}{
		{"both closed", "closed", "closed", "open", "closed", false},
		{"one open", "closed", "open", "", "open", false},
		{"half open is worse than closed", "half_open", "closed", "", "half_open", false},
		{"open is worse than half open", "half_open", "open", "", "open", false},
		{"tripped here, the order is gone", "forced_open", "open", "", "forced_open", false},
		{"an order trips it, nobody has obeyed", "closed", "closed", "", "forced_open", true},
		{"only a stale one reports", "", "", "closed", "unknown", false},
		{"nobody reports, an order trips it", "", "", "", "forced_open", true},
		{"nobody reports", "", "", "", "unknown", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeFleet("a", "b", "gone")
			f.silence("gone", chatops.StaleAfter+time.Millisecond)
			for replica, s := range map[string]string{"a": tt.first, "b": tt.second, "gone": tt.gone} {
				if s != "" {
					f.report(replica, state("slack", s))
				}
			}
			if tt.tripped {
				f.fleet.controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: chatops.BreakerTripped, Actor: "jan"}}
			}
			slack := newConsole(t, f).breakersOf("breaker status -o json")["slack"]
			if slack["state"] != tt.want {
				t.Errorf("state is %v, want %s: %v", slack["state"], tt.want, slack)
			}
			for _, r := range slack["replicas"].([]any) {
				if r := r.(map[string]any); r["stale"] != (r["instance"] == "gone") {
					t.Errorf("replica %v", r)
				}
			}
		})
	}
}

func TestBreakerStatus_JSONHasTheFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	all := newConsole(t, troubled()).breakersOf("breaker status -o json")
	for name, b := range all {
		for _, key := range []string{"name", "state", "fail_count", "fail_max", "reset_timeout_seconds", "opened_at", "retry_at", "reason", "order", "replicas"} {
			if _, ok := b[key]; !ok {
				t.Errorf("%s lacks %s", name, key)
			}
		}
	}
	slack, monday, llm := all["slack"], all["monday"], all["llm"]
	if slack["opened_at"] != "2026-03-10T11:59:18Z" || slack["retry_at"] != "2026-03-10T12:00:18Z" || slack["order"] != nil || slack["fail_count"] != 5.0 {
		t.Errorf("slack is %v", slack)
	}
	order := monday["order"].(map[string]any)
	if monday["state"] != "forced_open" || order["mode"] != "tripped" || order["until"] != "2026-03-10T12:06:00Z" || order["actor"] != "jan" {
		t.Errorf("monday is %v", monday)
	}
	if llm["state"] != "unknown" || llm["opened_at"] != nil || llm["fail_count"] != nil || llm["replicas"] == nil {
		t.Errorf("llm is %v", llm)
	}
}

func TestBreakerStatus_ShowsWebhooksThatAreConfiguredHere(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeFleet())
	c.vars["WEBHOOKS"] = "erp=https://erp.example/hook"
	if all := c.breakersOf("breaker status -o json"); all["webhook:erp"]["state"] != "unknown" || len(all) != 5 {
		t.Errorf("breakers are %v", all)
	}
}

func TestBreakerStatus_UnknownNameIsNotFound(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"breaker status slak", "breaker trip slak --yes", "breaker reset slack slak --yes", "breaker auto slak --yes", "breaker trip slak --dry-run"} {
		c := newConsole(t, troubled())
		c.must(exitNotFound, line)
		c.says(`chatops: breaker "slak": not found`, "known are: slack, monday, email, llm")
		if len(c.store.actions) > 0 {
			t.Errorf("%s was carried out", line)
		}
	}
}

func TestBreakerStatus_CheckIsAFindingUnlessAllThatReportAreClosed(t *testing.T) {
	t.Parallel()
	c := newConsole(t, troubled())
	c.must(exitFinding, "breaker status --check -o json")
	c.says("chatops: not closed: slack (open on 1 of 2), monday (forced_open on 2 of 2)")
	c.must(exitOK, "breaker status email --check")
	c.must(exitFinding, "breaker status llm --check")
	c.says("no running replica reports a breaker")

	c = newConsole(t, newFakeFleet())
	c.must(exitFinding, "breaker status --check")
	c.says("no running replica reports a breaker", "chatops config view --show-origin")
	c.must(exitUsage, "breaker status --check --watch")
	c.must(exitOK, "breaker status")
}

func TestWatch_LooksEveryTwoSecondsUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jsonl", "tsv", "yaml"} {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, troubled())
			args := []string{"breaker", "status", "email", "--watch"}
			if format != "tsv" {
				args = append(args, "-o", format)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if code := Run(ctx, c.Env, args); code != exitInterrupted {
				t.Fatalf("exit %d: %s", code, &c.err)
			}
			if n := strings.Count(c.out.String(), "closed"); c.err.Len() > 0 || n < 3 || strings.Contains(c.out.String(), "\x1b") {
				t.Errorf("in 5 s it says %d times closed: %q, and %q", n, &c.out, &c.err)
			}
		})
	}
}

func TestWatch_RedrawsOnATerminal(t *testing.T) {
	t.Parallel()
	for term, redraws := range map[string]bool{"xterm": true, "dumb": false} {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, troubled()).terminal("")
			c.vars["TERM"], c.vars["NO_COLOR"] = term, "1"
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if code := Run(ctx, c.Env, []string{"limiter", "status", "--watch"}); code != exitInterrupted {
				t.Fatalf("exit %d: %s", code, &c.err)
			}
			if got := strings.Count(c.out.String(), toTop); got != map[bool]int{true: 3, false: 0}[redraws] {
				t.Errorf("%s is sent to its top %d times: %q", term, got, &c.out)
			}
		})
	}
}

func TestWatch_EndsQuietlyWhenTheReaderHasGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, troubled())
		in, out := io.Pipe()
		c.Out = out
		go func() {
			_, _ = in.Read(make([]byte, 1<<16))
			_ = in.Close()
		}()
		c.must(exitOK, "breaker status --watch")
		if c.err.Len() > 0 {
			t.Errorf("it says %s", &c.err)
		}
	})
}

func TestWatch_GoesOnWhenTheDatabaseWasAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, troubled())
		c.must(exitOK, "breaker status")
		away := chatops.Errorf(chatops.CodeUnavailable, "connection refused")
		time.AfterFunc(time.Second, func() { c.store.fail(away) })
		time.AfterFunc(3*time.Second, func() { c.store.fail(nil) })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		c.out.Reset()
		if code := Run(ctx, c.Env, []string{"breaker", "status", "--watch", "-o", "json"}); code != exitInterrupted {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		c.says("database db.example:5432/chatops: connection refused; looking again")
		if n := strings.Count(c.out.String(), `"breakers"`); n != 2 {
			t.Errorf("it showed %d looks", n)
		}
		c.store.fail(away)
		c.must(exitUnavailable, "breaker status --watch")
	})
}
