package runbook

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestConsentRetention_WithoutSettingKeepsEverything(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "consent retention --yes -o jsonl")
	c.says("RETENTION_MONTHS is not set")
	c.prints(`{"tables":[],"dry_run":false}` + "\n")
	if c.opened > 0 {
		t.Error("opens the store")
	}
	c.vars["RETENTION_MONTHS"] = "leads=never"
	c.must(exitUsage, "consent retention --dry-run")
	c.says("RETENTION_MONTHS", "conversations=24,leads=36,audit=72,access=24")
}

func TestConsentRetention_DeletesInBatches(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.store.people.old = map[string]int64{"chat_conversations": 1201, "leads": 3}
	c.vars["RETENTION_MONTHS"] = "conversations=24,leads=36"
	c.must(exitOK, "consent retention --dry-run")
	golden(t, "consent_retention.tsv", c.out.String())
	c.must(exitRefused, "consent retention")
	if c.store.people.old["leads"] != 3 || len(c.store.actions) > 0 {
		t.Error("something was deleted")
	}
	c.must(exitOK, "consent retention --yes -o jsonl")
	c.says("delete what is older than conversations=24,leads=36 months: 1201 of chat_conversations, 3 of leads")
	c.prints(`{"tables":[{"table":"chat_conversations","rows":1201,"how":"deleted"},{"table":"leads","rows":3,"how":"deleted"}],"dry_run":false}` + "\n")
	want := chatops.Retention{Conversations: noon.AddDate(-2, 0, 0), Leads: noon.AddDate(-3, 0, 0)}
	for i, r := range c.store.people.retained {
		if r != want {
			t.Errorf("call %d is about %+v", i, r)
		}
	}
	if a := c.store.actions; len(a) != 1 || a[0].Result != "ok: 1201 of chat_conversations, 3 of leads" ||
		!strings.Contains(a[0].Filter, `"at":"`+noon.Format(time.RFC3339)+`"`) {
		t.Errorf("operator actions: %+v", a)
	}
	c.must(exitOK, "consent retention --yes")
	if len(c.store.actions) != 1 {
		t.Error("a run that finds nothing is written down")
	}
}

func TestConsentRetention_InAReadOnlyProfile(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore()).profile("read_only = true\n")
	c.vars["RETENTION_MONTHS"] = "24"
	c.must(exitRefused, "consent retention --yes")
	c.must(exitOK, "consent retention --dry-run")
}
