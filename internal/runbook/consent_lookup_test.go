package runbook

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestConsentLookup_ShowsMaskedOrInFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, args string }{
		{"consent_lookup.json", "-o json"},
		{"consent_lookup.table", "-o table"},
		{"consent_lookup.tsv", ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, withJan())
			c.must(exitOK, "consent lookup "+janTyped+" --purpose ticket-4711 "+tt.args)
			quietAbout(t, "the masked output", c.out.String())
			golden(t, tt.file, c.out.String())
			c.wroteNothingPersonal()
		})
	}
	c := newConsole(t, withJan())
	c.must(exitOK, "consent lookup "+janTyped+" --purpose ticket --reveal -o json")
	golden(t, "consent_lookup_reveal.json", c.out.String())
	c.wroteNothingPersonal()
}

func TestConsentLookup_IsOnRecordBeforeAnythingIsShown(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.words(exitOK, "consent", "lookup", janTyped, "--purpose", "ticket 4711 of "+janTyped)
	if len(c.store.people.access) != 1 {
		t.Fatalf("%d look-ups are on record", len(c.store.people.access))
	}
	e := c.store.people.access[0]
	if e.Actor != "ewa" || e.Command != "consent lookup" || e.Purpose != "ticket 4711 of J***@F***.example" || !e.At.Equal(noon) {
		t.Errorf("on record is %+v", e)
	}
	c.wroteNothingPersonal()

	c = newConsole(t, withJan())
	c.store.people.accessErr = chatops.Errorf(chatops.CodeUnavailable, "log the access: connection refused")
	c.must(exitUnavailable, "consent lookup "+janTyped+" --purpose ticket")
	if c.out.Len() > 0 {
		t.Errorf("shown without a record: %s", &c.out)
	}
}

func TestConsentLookup_OfNobodyIsOnRecordToo(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitNotFound, "consent lookup "+janTyped+" --purpose ticket -o json")
	c.says("nothing is stored about this address", "chatops consent access-log")
	if c.out.Len() > 0 || len(c.store.people.access) != 1 {
		t.Errorf("shown %q, %d on record", &c.out, len(c.store.people.access))
	}
	c.wroteNothingPersonal()
}

func TestConsentLookup_NeedsAPurposeAndOneAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, says string }{
		{"consent lookup " + janKey, "--purpose is required"},
		{"consent lookup " + janKey + " --purpose=", "--purpose is required"},
		{"consent lookup " + janKey + " --purpose " + strings.Repeat("x", 501), "at most 500 characters"},
		{"consent lookup --purpose t", "whose data?"},
		{"consent lookup a@x.pl b@x.pl --purpose t", "got 2 arguments"},
		{"consent lookup " + janKey + " --stdin --purpose t", "not both"},
		{"consent lookup kowalski@ --purpose t", "is no e-mail address"},
		{"consent lookup --stdin --purpose t", "the address is empty"},
		{"consent lokup " + janKey, "did you mean: chatops consent lookup"},
	} {
		c := newConsole(t, withJan())
		c.must(exitUsage, tt.line)
		c.says(tt.says)
		if c.opened > 0 {
			t.Errorf("%s opens the store", tt.line)
		}
		quietAbout(t, "the error of a mistake", c.err.String())
	}
}

func TestConsentLookup_ReadsTheAddressFromStandardInput(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.In = strings.NewReader("  " + janTyped + " \r\nsomething else")
	c.must(exitOK, "consent lookup --stdin --purpose ticket -o jsonl")
	if !strings.HasPrefix(c.out.String(), `{"email":"j***@f***.example","is_unsubscribed":true,"marketing_consent":false,"rodo_consent":true,"suppressed":false,"conversations":[{`) {
		t.Errorf("prints %s", &c.out)
	}
	c = newConsole(t, withJan()).terminal(janTyped + "\n")
	c.must(exitOK, "consent lookup --stdin --purpose ticket -o jsonl")
	c.says("Address: ")
}

func TestConsentLookup_OfSomebodyWithoutStatus(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.store.people.status = nil
	c.store.people.persons[janKey] = &chatops.Person{EmailKey: janKey, Suppression: &chatops.Suppression{Scope: "all"}}
	c.must(exitOK, "consent lookup "+janKey+" --purpose ticket -o jsonl")
	c.prints(`{"email":"j***@f***.example","is_unsubscribed":false,"marketing_consent":false,"rodo_consent":false,"suppressed":true,"conversations":[],"leads":[],"audit":[]}` + "\n")
}

func TestConsentAccessLog_OfAllAndOfOne(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan())
	c.must(exitOK, "consent lookup "+janTyped+" --purpose first")
	c.must(exitNotFound, "consent lookup ola@x.example --purpose second")
	c.must(exitOK, "consent access-log")
	golden(t, "access_log.tsv", c.out.String())
	c.must(exitOK, "consent access-log "+janTyped+" -o jsonl")
	if got := c.out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"purpose":"first"`) {
		t.Errorf("of one person: %s", got)
	}
	c.must(exitOK, "consent access-log --limit 1 -o wide")
	if got := c.out.String(); strings.Contains(got, "first") || !strings.Contains(got, "hmac:test:") {
		t.Errorf("the newest: %s", got)
	}
	c.must(exitUsage, "consent access-log --limit 0")
	c.must(exitUsage, "consent access-log nobody")
	c.must(exitOK, "consent access-log nobody@x.example -o json")
	c.prints("{\n  \"items\": []\n}\n")
	c.wroteNothingPersonal()
}
