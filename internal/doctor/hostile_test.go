package doctor

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// evil is text that tries to command a terminal or to be more than one line.
const evil = "\x1b[2J\x1b]52;c;cm0gLXJm\x07'; rm -rf / #\n\u202e"

// hostile is a system in which every text of others is evil, and everything is
// wrong.
func hostile() *body {
	b := healthy()
	s := b.store
	s.stats.Counts = append(s.stats.Counts, chatops.AlertCount{EventType: evil, Status: chatops.AlertFailed, Count: 1},
		chatops.AlertCount{EventType: evil, Status: chatops.AlertQueued, Count: 1000})
	s.stats.OldestWaiting = noon.Add(-time.Hour)
	s.groups = []chatops.AlertGroup{
		{Pending: 1, Target: evil, Sample: evil + " is not configured"},
		{Failed: 1, Target: evil, Sample: evil},
	}
	s.controls.Breakers = []chatops.BreakerOrder{{Name: evil, Mode: chatops.BreakerTripped, Actor: evil, Reason: evil}}
	s.controls.Overrides = []chatops.LimitOverride{{Name: evil, Value: evil, Actor: evil, Reason: evil}}
	s.controls.Blocks = []chatops.ClientBlock{{Network: "0.0.0.0/0", Actor: evil, Reason: evil}, {Network: evil}}
	r := &s.replicas[0]
	r.Name, r.Version, r.Revision = evil, evil, 0
	r.Report.Clock = noon.Add(time.Hour)
	r.Report.Breakers = []chatops.BreakerReport{{Name: evil + "2", State: chatops.StateOpen, Reason: evil}}
	r.Report.Limiter = chatops.LimiterReport{Backend: "local", Limits: []chatops.LimitReport{
		{Name: evil, Value: evil + " 7", Denied: 9, TopDenied: []chatops.DeniedClient{{Client: evil, Count: 1}, {}, {}, {}, {}}},
	}}
	s.replicas = append(s.replicas, chatops.Instance{Name: evil, Age: time.Hour})
	s.jobs = []chatops.JobState{
		{Name: evil, Paused: true, PausedBy: evil, PausedReason: evil},
		{Name: evil + "2", LastResult: evil, NextRun: noon.Add(time.Hour)},
	}
	b.Settings.Problems, b.Settings.Warnings = []string{evil}, []string{evil}
	b.Integrations = []Integration{{evil, refused}}
	b.RedisFunc = refused
	return b
}

func TestExamine_HostileTextIsHarmlessAndInOneLine(t *testing.T) {
	t.Parallel()
	b := hostile()
	b.store.replicas[0].Revision = 7 // do not wait for it
	bad := func(text string) bool { return strings.ContainsAny(text, "\x1b\x07\n\u202e") }
	spoken := 0
	for _, r := range Examine(t.Context(), b.Patient, Checks(), time.Minute) {
		if bad(r.Text) {
			t.Errorf("%s says %q", r.Name, r.Text)
		}
		for _, f := range r.Findings {
			spoken++
			if bad(f.Text + f.Cause + f.Command) {
				t.Errorf("%s finds %q", r.Name, f)
			}
			if strings.Contains(unquoted(f.Command), "rm") {
				t.Errorf("%s gives a command that does something else: %s", r.Name, f.Command)
			}
		}
	}
	if spoken < 15 {
		t.Errorf("only %d findings: the test lost its grip", spoken)
	}
}

// unquoted is what a shell sees outside of quotes.
func unquoted(command string) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case !inside && c == '\\':
			i++
		case c == '\'':
			inside = !inside
		case !inside:
			b.WriteByte(c)
		}
	}
	return b.String()
}
