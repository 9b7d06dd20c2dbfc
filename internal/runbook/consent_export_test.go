package runbook

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestConsentExport_HoldsEverything(t *testing.T) {
	t.Parallel()
	for _, format := range exportFormats {
		c := newConsole(t, withJan())
		c.must(exitOK, "consent export "+janTyped+" --purpose request --format "+format)
		golden(t, "consent_export."+format, c.out.String())
		for _, datum := range []string{janKey, janName, janPhone, janIP, janReason, janText, janNamed, "Mozilla", "Dzień dobry"} {
			if !strings.Contains(c.out.String(), datum) {
				t.Errorf("the %s lacks %q", format, datum)
			}
		}
		if len(c.store.people.access) != 1 || c.store.people.access[0].Command != "consent export" {
			t.Errorf("on record: %+v", c.store.people.access)
		}
		c.wroteNothingPersonal()
	}
}

func TestConsentExport_WritesAFileForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jan.json")
	c := newConsole(t, withJan())
	c.must(exitOK, "consent export "+janTyped+" --purpose request --out "+path)
	raw, err := os.ReadFile(path)
	if err != nil || !json.Valid(raw) || c.out.Len() > 0 {
		t.Fatalf("%s, %v; printed %q", raw, err, &c.out)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	c.must(exitUsage, "consent export "+janTyped+" --purpose request --out "+path)
	c.says("the file exists; nothing was written")
	c.must(exitFailed, "consent export "+janTyped+" --purpose request --out "+filepath.Join(path, "sub"))
	if c.out.Len() > 0 {
		t.Errorf("prints %s", &c.out)
	}
	c.wroteNothingPersonal()
}

func TestConsentExport_Refusals(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.must(exitUsage, "consent export "+janTyped)
	c.says("--purpose is required")
	c.must(exitUsage, "consent export "+janTyped+" --purpose x --format xml")
	c.must(exitNotFound, "consent export ola@x.example --purpose x")
	if c.out.Len() > 0 || len(c.store.people.access) != 1 {
		t.Errorf("prints %q; %d on record", &c.out, len(c.store.people.access))
	}
}

func TestConsentExport_NoCellIsAFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching("[=+@\t\r\n-].*")).Draw(t, "text")
		p := &chatops.Person{
			Conversations: []chatops.PersonConversation{{ID: 1, SessionID: text, Context: text, Messages: []chatops.PersonMessage{{Sender: "user", Text: text}}}},
			Leads:         []chatops.Lead{{ID: 2, Name: text, Notes: text}},
			Audit:         []chatops.AuditEntry{{ID: 3, Reason: text}},
		}
		x := newExport(text, p, &chatops.ConsentStatus{}, noon)
		raw, err := (&consentExport{format: "csv"}).encode(x)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			for _, cell := range record {
				if defuse(cell) != cell || strings.ContainsFunc(cell, chatops.Harmful) {
					t.Fatalf("cell %q", cell)
				}
			}
		}
		if raw, err = (&consentExport{format: "json"}).encode(x); err != nil || !json.Valid(raw) {
			t.Fatalf("%s, %v", raw, err)
		}
	})
}

func TestConsentRecords_FollowTheAuditLog(t *testing.T) {
	t.Parallel()
	states := func(r consentRecord) string {
		var list []string
		for _, e := range r.Events {
			list = append(list, e.State)
		}
		return strings.Join(append(list, "now "+r.State), " ")
	}
	for _, tt := range []struct {
		action                chatops.ConsentAction
		notes                 string
		marketing, processing string
	}{
		{chatops.ActionGrant, "text=2; marketing=true; rodo=true; channel=phone", "given now withdrawn", "given now given"},
		{chatops.ActionGrant, "marketing=true; channel=phone", "given now withdrawn", "now given"},
		{chatops.ActionGrant, "channel=rodo=true", "now withdrawn", "now given"},
		{chatops.ActionErase, "", "withdrawn now withdrawn", "withdrawn now given"},
		{chatops.ActionUnsubscribe, "", "withdrawn now withdrawn", "now given"},
		{chatops.ActionRevoke, "", "withdrawn now withdrawn", "withdrawn now given"},
		{chatops.ActionRODOGiven, "", "now withdrawn", "given now given"},
		{chatops.ActionRODOWithdraw, "", "now withdrawn", "withdrawn now given"},
		{"something else", "", "now withdrawn", "now given"},
	} {
		p := &chatops.Person{Audit: []chatops.AuditEntry{{ID: 1, Action: tt.action, Notes: tt.notes}}}
		records := consentRecords(janKey, p, &chatops.ConsentStatus{RODOConsent: true})
		if len(records) != 2 || states(records[0]) != tt.marketing || states(records[1]) != tt.processing {
			t.Errorf("%s: marketing %q, processing %q", tt.action, states(records[0]), states(records[1]))
		}
	}
}

func TestEventState_KnowsEveryActionOfEachConsent(t *testing.T) {
	t.Parallel()
	for action, want := range map[chatops.ConsentAction][2]string{ // marketing, processing
		chatops.ActionMarketingGiven: {"given", ""}, chatops.ActionMarketingWithdraw: {"withdrawn", ""},
		chatops.ActionRODOGiven: {"", "given"}, chatops.ActionRODOWithdraw: {"", "withdrawn"},
		chatops.ActionUnsubscribe: {"withdrawn", ""}, chatops.ActionRevoke: {"withdrawn", "withdrawn"},
		chatops.ActionErase: {"withdrawn", "withdrawn"}, "something else": {"", ""},
	} {
		for i, purpose := range []string{purposeMarketing, purposeProcessing} {
			state, ok := eventState(purpose, &chatops.AuditEntry{Action: action})
			if ok != (want[i] != "") || ok && state != want[i] {
				t.Errorf("%s does %q (%v) to %s, want %q", action, state, ok, purpose, want[i])
			}
		}
	}
}
