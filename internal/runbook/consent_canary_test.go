package runbook

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// TestConsent_TheAddressIsWrittenDownNowhere runs every command about a person,
// in every way it can end, and looks for the person's data in what is left of
// the run: the record of operator actions, the access log, and standard error,
// which is where logs and errors go.
func TestConsent_TheAddressIsWrittenDownNowhere(t *testing.T) {
	t.Parallel()
	why := " --reason mail-of-" + janKey
	for _, tt := range []struct {
		line    string
		refused int // without --yes
	}{
		{"consent lookup " + janTyped + " --purpose " + janTyped, exitOK},
		{"consent export " + janTyped + " --purpose " + janTyped, exitOK},
		{"consent access-log " + janTyped, exitOK},
		{"consent unsubscribe " + janTyped + why, exitRefused},
		{"consent revoke " + janTyped + why, exitRefused},
		{"consent grant " + janTyped + " --marketing" + why, exitRefused},
		{"consent erase " + janTyped + why, exitRefused},
	} {
		verb := strings.Fields(tt.line)[1]
		for _, how := range []struct {
			name    string
			code    int
			flags   string
			prepare func(c *console)
		}{
			{"done", exitOK, "--yes", nil},
			{"dry run", exitOK, "--dry-run", nil},
			{"refused", tt.refused, "", nil},
			{"unreachable", exitUnavailable, "--yes", func(c *console) {
				c.store.err = chatops.Errorf(chatops.CodeUnavailable, "connection refused")
			}},
			{"mistyped flag", exitUsage, "--yess", nil},
			{"two addresses", exitUsage, "ola@x.example", nil},
		} {
			reads := verb == "lookup" || verb == "export" || verb == "access-log"
			if how.name == "dry run" && reads {
				continue
			}
			t.Run(verb+" "+how.name, func(t *testing.T) {
				t.Parallel()
				c := newConsole(t, withJan())
				if how.prepare != nil {
					how.prepare(c)
				}
				c.must(how.code, tt.line+" -v "+how.flags)
				c.wroteNothingPersonal()
				if verb != "export" {
					quietAbout(t, "standard output", c.out.String())
				}
				if how.code != exitOK && c.out.Len() > 0 {
					t.Errorf("a command that ended with %d prints %s", how.code, &c.out)
				}
			})
		}
	}
}

// hostilePerson is a person whose texts try to command a terminal, a
// spreadsheet or a reader's eye.
func hostilePerson() *fakeStore {
	f := withJan()
	p := f.people.persons[janKey]
	p.Leads[0].Name = "\x1b[2J\x1b]52;c;cm0=\x07 =cmd|'/C calc'!A0"
	p.Leads[0].Phone = "+48\u202e501\n234567"
	p.Audit[1].Reason = "=1+1 \u200bstop\x00\xff"
	p.Audit[1].IPAddress = "203.0.113.7\x1b[31m"
	p.Conversations[0].SessionID = "\x1b[31msession\x1b[0m"
	p.Conversations[0].Context = `{"name": "` + "\x1b" + `"`
	return f
}

func TestConsentLookup_HostileTextIsHarmlessInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, format := range outputFormats {
		c := newConsole(t, hostilePerson())
		c.must(exitOK, "consent lookup "+janKey+" --purpose t --reveal -o "+format)
		if text := strings.NewReplacer("\n", "", "\t", "").Replace(c.out.String()); strings.ContainsFunc(text, chatops.Harmful) {
			t.Errorf("%s is not harmless: %q", format, text)
		}
	}
	for _, format := range exportFormats {
		c := newConsole(t, hostilePerson())
		c.must(exitOK, "consent export "+janKey+" --purpose t --format "+format)
		if text := strings.ReplaceAll(c.out.String(), "\n", ""); strings.ContainsFunc(text, chatops.Harmful) {
			t.Errorf("%s is not harmless: %q", format, text)
		}
	}
}

func TestConsentLookup_TellsOnATerminalThatItMasks(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withJan()).terminal("")
	c.must(exitOK, "consent lookup "+janKey+" --purpose t")
	c.says("personal data is masked: --reveal shows it")
	c.must(exitOK, "consent lookup "+janKey+" --purpose t --reveal")
	if strings.Contains(c.err.String(), "masked") {
		t.Errorf("says %s", &c.err)
	}
}

func TestConfirm_EachQuestionTakesALineOfItsOwn(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*maxAnswer)
	for _, tt := range []struct {
		name, input string
		want        []string
	}{
		{"two lines", "one\ntwo\n", []string{"one", "two", ""}},
		{"spaces and CRLF", "  one \r\ntwo", []string{"one", "two", ""}},
		{"the end", "", []string{"", ""}},
		{"a line without end", long, []string{long[:maxAnswer], long[:maxAnswer], long[:maxAnswer], ""}},
	} {
		e := &Env{In: strings.NewReader(tt.input)}
		for i, want := range tt.want {
			if got, err := e.readLine(t.Context()); err != nil || got != want {
				t.Errorf("%s: answer %d is %.20q, %v; want %.20q", tt.name, i, got, err, want)
			}
		}
	}
}
