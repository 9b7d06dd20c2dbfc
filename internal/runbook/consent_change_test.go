package runbook

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestConsentWithdraw_CountsAsksAndWritesDown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		verb          string
		action        chatops.ConsentAction
		conversations string
	}{
		{"unsubscribe", chatops.ActionUnsubscribe, "1 conversation and 1 lead"},
		{"revoke", chatops.ActionRevoke, "2 conversations and 1 lead"},
	} {
		t.Run(tt.verb, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, withJan())
			c.words(exitOK, "consent", tt.verb, janTyped, "--reason", "phone call of "+janKey, "--yes", "-o", "jsonl")
			c.says("change       " + tt.verb + " j***@f***.example: withdraw consent of " + tt.conversations + ", suppress the address")
			if got := c.out.String(); !strings.Contains(got, `"changed":1,"suppressed":true,"dry_run":false}`) {
				t.Errorf("prints %s", got)
			}
			w := c.store.people.withdrawn
			if len(w) != 1 || w[0].Action != tt.action || w[0].EmailKey != janKey || w[0].Origin.UserAgent != "chatops, operator ewa" {
				t.Errorf("withdrawn: %+v", w)
			}
			if len(c.store.actions) != 1 {
				t.Fatalf("%d operator actions", len(c.store.actions))
			}
			a := c.store.actions[0]
			if a.Command != "chatops consent "+tt.verb+` 'J***@F***.example' --reason 'phone call of j***@f***.example' --yes -o jsonl` ||
				a.Reason != "phone call of j***@f***.example" || !strings.HasPrefix(a.Filter, `{"subject":"hmac:test:`) ||
				a.Result != "ok: 1 conversations and leads changed, suppressed" {
				t.Errorf("operator action: %+v", a)
			}
			c.wroteNothingPersonal()
			quietAbout(t, "the output", c.out.String())
		})
	}
}

func TestConsentWithdraw_DryRunAndRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line, profile string
		code          int
		accesses      int
	}{
		{"consent unsubscribe " + janTyped + " --dry-run", "", exitOK, 1},
		{"consent revoke " + janTyped + " --dry-run", "read_only = true\n", exitOK, 1},
		{"consent unsubscribe " + janTyped, "", exitRefused, 1},
		{"consent revoke " + janTyped + " --yes", "read_only = true\n", exitRefused, 0},
		{"consent revoke nobody --yes", "", exitUsage, 0},
	} {
		c := newConsole(t, withJan())
		if tt.profile != "" {
			c.profile(tt.profile)
		}
		c.must(tt.code, tt.line)
		if p := &c.store.people; len(p.withdrawn) > 0 || len(c.store.actions) > 0 || len(p.access) != tt.accesses {
			t.Errorf("%s: %d withdrawn, %d actions, %d look-ups", tt.line, len(p.withdrawn), len(c.store.actions), len(p.access))
		}
		c.wroteNothingPersonal()
	}
}

func TestConsentWithdraw_OfSomebodyUnknownSuppressesAllTheSame(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "consent unsubscribe "+janTyped+" --yes -o jsonl")
	c.says("it is suppressed all the same")
	c.prints(`{"email":"j***@f***.example","action":"unsubscribe","conversations":0,"leads":0,"changed":0,"suppressed":true,"dry_run":false}` + "\n")
}

func TestConsentWithdraw_FailureIsWrittenDown(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.store.beginErr = chatops.Errorf(chatops.CodeUnavailable, "begin: connection refused")
	c.must(exitUnavailable, "consent revoke "+janTyped+" --yes")
	if len(c.store.people.withdrawn) > 0 {
		t.Error("withdrawn without a record")
	}
	if c.out.Len() > 0 {
		t.Errorf("prints %s", &c.out)
	}
}

func TestConsentGrant_NeedsWhatAndWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, says string }{
		{"--reason x", "which consent?"},
		{"--marketing", "--reason is required"},
		{"--marketing --reason x --channel pigeon", `--channel "pigeon": must be one of phone`},
		{"--rodo --reason x --text -1", "--text -1"},
	} {
		c := newConsole(t, withJan())
		c.must(exitUsage, "consent grant "+janKey+" "+tt.args)
		c.says(tt.says)
	}
	c := newConsole(t, newFakeStore())
	c.must(exitNotFound, "consent grant "+janKey+" --marketing --reason x --yes")
}

func TestConsentGrant_LiftsTheSuppressionAndSaysHow(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	text := chatops.ConsentText{ID: 2, Kind: chatops.KindRODO, Locale: "pl", Version: 1, Body: "Zgadzam się.", ValidFrom: noon}
	c.store.people.texts = []chatops.ConsentText{{ID: 1, Kind: chatops.KindMarketing, Locale: "pl", Version: 1, Body: "Chcę.", ValidFrom: noon}, text}
	c.store.people.persons[janKey].Suppression = &chatops.Suppression{EmailKey: janKey, Scope: "marketing"}
	line := "consent grant " + janTyped + " --marketing --rodo --channel phone --text 2 --reason call-4711 -o jsonl"
	c.must(exitOK, line+" --dry-run")
	c.prints(`{"email":"j***@f***.example","marketing":true,"rodo":true,"conversations":1,"leads":0,"changed":0,"unsuppressed":true,"dry_run":true}` + "\n")
	if len(c.store.people.grants) > 0 {
		t.Error("a dry run grants")
	}
	c.must(exitOK, line+" --yes")
	c.says("grant marketing, rodo to j***@f***.example: 1 conversation and 0 leads, lift the suppression, by text 2 (rodo, pl, version 1)")
	want := chatops.ConsentGrant{EmailKey: janKey, Marketing: true, RODO: true, Text: text, Notes: "channel=phone; operator=ewa",
		Origin: chatops.ConsentOrigin{UserAgent: "chatops, operator ewa", Reason: "call-4711"}}
	if g := c.store.people.grants; len(g) != 1 || g[0] != want {
		t.Errorf("granted %+v", g)
	}
	c.wroteNothingPersonal()
}

func TestConsentGrant_RefusesATextThatWasNotAgreedTo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, says string }{
		{"--marketing --text 7", "--text 7: there is no such consent text"},
		{"--marketing --text 2", "--text 2 is a text of the rodo consent, which is not given here"},
		{"--rodo --text 1", "--text 1 is a text of the marketing consent"},
	} {
		c := newConsole(t, withJan())
		c.store.people.texts = []chatops.ConsentText{{ID: 1, Kind: chatops.KindMarketing}, {ID: 2, Kind: chatops.KindRODO}}
		c.must(exitUsage, "consent grant "+janKey+" --reason x --yes "+tt.args)
		c.says(tt.says, "the numbers: chatops consent texts list")
		if p := &c.store.people; len(p.grants)+len(p.access)+len(c.store.actions) > 0 {
			t.Errorf("%s: %d grants, %d look-ups, %d actions", tt.args, len(p.grants), len(p.access), len(c.store.actions))
		}
	}
}

func TestConsentErase_DryRunListsTablesAndRecipients(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.must(exitOK, "consent erase "+janTyped+" --dry-run -o table")
	golden(t, "consent_erase_dry.table", c.out.String())
	c.says("tell them by hand: slack:alerts")
	if _, ok := c.store.people.persons[janKey]; !ok || len(c.store.actions) > 0 || !c.store.people.erasures[0].DryRun {
		t.Error("a dry run erases")
	}
	c.wroteNothingPersonal()
}

func TestConsentErase_WantsTheWordTyped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, input, profile, flags string
		code                        int
	}{
		{"y is not enough", "y\n", "", "", exitRefused},
		{"nothing", "", "", "", exitRefused},
		{"the word", "erase\n", "", "", exitOK},
		{"protected: the word is not enough", "erase\n", protectedProd, "", exitRefused},
		{"protected: its name", "prod\n", protectedProd, "", exitOK},
		{"address and word", janTyped + "\nerase\n", "", "--stdin", exitOK},
		{"--yes", "", "", "--yes", exitOK},
		{"read-only", "erase\n", "read_only = true\n", "", exitRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, withJan()).terminal(tt.input)
			if tt.profile != "" {
				c.profile(tt.profile)
			}
			whose := janTyped
			if tt.flags == "--stdin" {
				whose = ""
			}
			c.must(tt.code, "consent erase "+whose+" "+tt.flags+" -o json")
			if _, known := c.store.people.persons[janKey]; known != (tt.code != exitOK) {
				t.Errorf("erased: %t", !known)
			}
			if tt.code != exitOK && c.out.Len() > 0 {
				t.Errorf("a refused erasure prints %s", &c.out)
			}
			c.wroteNothingPersonal()
		})
	}
}

func TestConsentErase_GivesAReceipt(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.must(exitOK, "consent erase "+janTyped+" --yes --reason letter -o json")
	golden(t, "consent_erase.json", c.out.String())
	c.says("erase j***@f***.example for good: 2 of chat_conversations, 1 of leads", "tell them by hand: slack:alerts")
	if e := c.store.people.erasures[1]; e.DryRun || !e.MondayDeletion || e.Origin.Reason != "letter" {
		t.Errorf("erased with %+v", e)
	}
	if c.store.announced != 1 || c.store.actions[0].Result != "ok: erased: 2 of chat_conversations, 1 of leads" {
		t.Errorf("announced %d times; %+v", c.store.announced, c.store.actions[0])
	}
	c.wroteNothingPersonal()
	c.must(exitNotFound, "consent erase "+janTyped+" --yes")
}

func TestConsentErase_WaitsForTheRecipients(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status chatops.AlertStatus
		wait   string
		code   int
	}{
		{chatops.AlertDelivered, "10s", exitOK},
		{chatops.AlertFailed, "10s", exitPartial},
		{chatops.AlertPending, "10ms", exitPartial},
	} {
		c := newConsole(t, withJan())
		c.store.announceFunc = func() { c.store.alerts[len(c.store.alerts)-1].Status = tt.status }
		c.must(tt.code, "consent erase "+janTyped+" --yes -o jsonl --wait "+tt.wait)
		if got := c.out.String(); !strings.Contains(got, `"request_id":9,"status":"`+string(tt.status)+`"`) {
			t.Errorf("%s: prints %s", tt.status, got)
		}
		if tt.code == exitPartial {
			c.says("chatops dlq list --status all --id 9")
		}
	}
	c := newConsole(t, withJan())
	c.must(exitUsage, "consent erase "+janTyped+" --wait soon")
	c.says(`--wait "soon"`)
}
