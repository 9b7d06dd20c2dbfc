package runbook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// newCausesConsole holds two alerts of one cause, one of another and one without.
func newCausesConsole(tb testing.TB) *console {
	tb.Helper()
	c := newConsole(tb, newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertFailed, chatops.AlertPending))
	for i, fingerprint := range []string{"aaa111", "aaa111", "bbb222", ""} {
		c.store.alerts[i].Fingerprint, c.store.alerts[i].ErrorMessage = fingerprint, "it broke: "+fingerprint
	}
	return c
}

// groupsPrinted is what a test reads of the list.
type groupsPrinted struct {
	Items []groupPrinted `json:"items"`
	Total groupTotal     `json:"total"`
}

type groupPrinted struct {
	Fingerprint string           `json:"fingerprint"`
	Integration string           `json:"integration"`
	State       chatops.Standing `json:"state"`
	Count       int64            `json:"count"`
	Trend       groupTrend       `json:"trend"`
	Retry       string           `json:"retry"`
}

func (c *console) groups(line string) (list groupsPrinted) {
	c.t.Helper()
	c.must(exitOK, line+" -o json")
	if err := json.Unmarshal(c.out.Bytes(), &list); err != nil {
		c.t.Fatalf("%v in %s", err, &c.out)
	}
	return list
}

func TestDLQGroups_ListsCausesWithTheirCommand(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	list := c.groups("dlq groups")
	if len(list.Items) != 3 || list.Total != (groupTotal{Groups: 3, Alerts: 4}) {
		t.Fatalf("%+v", list)
	}
	first := list.Items[0]
	if first.Fingerprint != "aaa111" || first.Count != 2 || first.State != chatops.StandingOpen || first.Integration != "slack" ||
		first.Trend != (groupTrend{1, 1, "steady"}) || first.Retry != "chatops dlq retry --fingerprint aaa111 --dry-run" {
		t.Errorf("%+v", first)
	}
	if unknown := list.Items[2]; unknown.Fingerprint != "" || unknown.Retry != "" {
		t.Errorf("a cause that is not known has a command: %+v", unknown)
	}
	c.must(exitOK, strings.TrimPrefix(first.Retry, "chatops "))
	if list := c.groups("dlq groups --status failed --limit 1"); len(list.Items) != 1 || list.Total.Groups != 2 || list.Total.Alerts != 2 {
		t.Errorf("%+v", list)
	}
	c.terminal("").must(exitOK, "dlq groups --limit 2")
	c.says("see what a retry would do: chatops dlq retry --fingerprint aaa111 --dry-run", "there are 1 causes more")
	c.must(exitOK, "dlq groups --fingerprint none")
	c.says("no alerts match")
	c.must(exitUsage, "dlq groups --limit 0")
	c.must(exitUsage, "dlq groups retry")
}

func TestDLQGroups_MuteDoesNotHideGrowth(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	c.must(exitOK, "dlq groups mute aaa111 --for 12h --reason ticket --yes")
	states := func() string {
		var all []string
		list := c.groups("dlq groups")
		for _, g := range list.Items {
			all = append(all, fmt.Sprintf("%s %s %d", g.Fingerprint, g.State, g.Count))
		}
		return fmt.Sprint(strings.Join(all, ", "), list.Total)
	}
	if got := states(); got != "bbb222 open 1,  open 1, aaa111 muted 2{3 4 1}" {
		t.Errorf("muted: %s", got)
	}
	c.must(exitOK, "dlq groups -o wide")
	if !strings.Contains(c.out.String(), "muted by ewa until 2026-03-11T00:00:00Z (ticket)") {
		t.Errorf("%s", &c.out)
	}
	for i := range 10 {
		c.store.alerts = slices.Insert(c.store.alerts, 0, chatops.Alert{
			ID: int64(10 + i), EventType: "slack_alert", Target: "slack:alerts", Status: chatops.AlertFailed, Fingerprint: "aaa111", CreatedAt: noon.Add(-time.Minute),
		})
	}
	if got := states(); got != "aaa111 growing 12, bbb222 open 1,  open 1{3 14 1}" {
		t.Errorf("grown: %s", got)
	}
	// The filter leaves one of its alerts, and it is growing all the same.
	if list := c.groups("dlq groups --id 19"); list.Items[0].State != chatops.StandingGrowing {
		t.Errorf("%+v", list.Items)
	}
	c.must(exitOK, "dlq groups unmute aaa111 --yes")
	if got := states(); got != "aaa111 open 12, bbb222 open 1,  open 1{3 14 0}" {
		t.Errorf("unmuted: %s", got)
	}
}

func TestDLQGroups_WhatIsSaidIsOnRecord(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	for _, tt := range []struct{ line, out string }{
		{"note aaa111 --text ticket-7", `"said":"note","alerts":2,"state":"open"`},
		{"ack aaa111", `"said":"ack","alerts":2,"state":"acknowledged"`},
		{"mute aaa111 --for 1h --reason later", `"state":"muted","muted_until":"2026-03-10T13:00:00Z","dry_run":false`},
		{"unmute aaa111", `"said":"unmute","alerts":2,"state":"acknowledged","muted_until":null`},
		{"note aaa111 --remove", `"said":"note"`},
	} {
		before := len(c.store.actions)
		c.must(exitOK, "dlq groups "+tt.line+" --dry-run -o jsonl")
		if len(c.store.actions) != before {
			t.Errorf("a dry run of %s is on record", tt.line)
		}
		c.must(exitRefused, "dlq groups "+tt.line)
		c.must(exitOK, "dlq groups "+tt.line+" --yes -o jsonl")
		if !strings.Contains(c.out.String(), tt.out) {
			t.Errorf("%s prints %s, want %s", tt.line, &c.out, tt.out)
		}
		if len(c.store.actions) != before+1 {
			t.Fatalf("%s left %d actions", tt.line, len(c.store.actions)-before)
		}
		if a := c.store.actions[before]; !strings.HasPrefix(a.Result, "ok: cause is ") || !strings.Contains(a.Filter, `"fingerprint":"aaa111"`) || a.Actor != "ewa" {
			t.Errorf("%s is on record as %+v", tt.line, a)
		}
	}
}

func TestDLQGroups_RefusesBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	for line, code := range map[string]int{
		"mute zzz --for 1h --yes":             exitNotFound,
		"ack --yes":                           exitUsage,
		"ack aaa111 bbb222 --yes":             exitUsage,
		"mute aaa111 --yes":                   exitUsage,
		"mute aaa111 --for soon --yes":        exitUsage,
		"note aaa111 --yes":                   exitUsage,
		"note aaa111 --text x --remove --yes": exitUsage,
		"note aaa111 --text " + strings.Repeat("x", 2001) + " --yes": exitUsage,
	} {
		c := newCausesConsole(t)
		c.must(code, "dlq groups "+line)
		if len(c.store.actions) > 0 || len(c.store.causes) > 0 {
			t.Errorf("%s changed something", line)
		}
	}
	c := newCausesConsole(t).profile("read_only = true\n")
	c.must(exitRefused, "dlq groups ack aaa111 --yes")
	c.must(exitOK, "dlq groups ack aaa111 --dry-run")
}

func TestDLQGroups_FingerprintsAreCompleted(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	if code := Run(t.Context(), c.Env, []string{"__complete", "dlq", "groups", "ack", ""}); code != exitOK {
		t.Fatalf("exit %d: %s", code, &c.err)
	}
	c.prints("aaa111\tit broke: aaa111\nbbb222\tit broke: bbb222\n:4\n")
}

func TestDLQGroups_IsReadAsATable(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	c.must(exitOK, "dlq groups ack bbb222 --yes")
	c.must(exitOK, "dlq groups note bbb222 --text archived --yes")
	c.terminal("").must(exitOK, "dlq groups --color never")
	c.prints(`FINGERPRINT  STATE         COUNT  TREND              INTEGRATION  CODE  ERROR             NOTE
aaa111       open              2  steady 1/h, was 1  slack              it broke: aaa111
bbb222       acknowledged      1  steady 0/h, was 0  slack              it broke: bbb222  archived
             open              1  steady 0/h, was 0  slack              it broke:

FIELD   VALUE
causes  3
alerts  4
muted   0
`)
	c.must(exitOK, "dlq groups --status failed -o csv")
	c.prints(`fingerprint,state,count,trend,integration,code,error,note,pending,failed,first_seen,last_seen,type,target,sample,said
aaa111,open,1,"rising 1/h, was 0",slack,,it broke: aaa111,,0,1,2026-03-10T12:00:00Z,2026-03-10T12:00:00Z,slack_alert,slack:alerts,4,
bbb222,acknowledged,1,"steady 0/h, was 0",slack,,it broke: bbb222,archived,0,1,2026-03-10T10:00:00Z,2026-03-10T10:00:00Z,slack_alert,slack:alerts,2,acknowledged by ewa at 2026-03-10T12:00:00Z
`)
}

func TestDLQGroups_SaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := newCausesConsole(t)
	c.must(exitUsage, "dlq groups mute aaa111")
	c.says("--for is missing: a mute needs an end, such as 12h")
	c.must(exitUsage, "dlq groups note aaa111")
	c.says("give the note by --text, or --remove to take it away")
	c.must(exitNotFound, "dlq groups ack zzz --yes")
	c.says("cause zzz: no alert has it", "chatops dlq groups --status all")
	c.must(exitUsage, "dlq groups ack")
	c.says("name one cause by its fingerprint, got 0 arguments")
}
