package runbook

import (
	"context"
	"io"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

const protectedProd = "label = \"Production\"\ncolour = \"red\"\nprotected = true\n"

func TestConfirm_AsksAndTakesOnlyTheRightAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, profile, line, input string
		tty                        bool
		code                       int
		says                       []string
	}{
		{"yes", "", "", "y\n", true, exitOK, []string{"Continue? [y/N] "}},
		{"yes in full", "", "", "YES\n", true, exitOK, nil},
		{"no", "", "", "n\n", true, exitRefused, []string{"not confirmed: nothing was changed"}},
		{"just return", "", "", "\n", true, exitRefused, nil},
		{"closed input", "", "", "", true, exitRefused, nil},
		{"no terminal", "", "", "y\n", false, exitRefused, []string{"confirm with --yes"}},
		{"no input wanted", "", "--no-input", "y\n", true, exitRefused, []string{"confirm with --yes"}},
		{"--yes", "", "--yes", "", false, exitOK, []string{"database     db.example:5432/chatops"}},
		{"protected, y is not enough", protectedProd, "", "y\n", true, exitRefused, []string{"environment  Production (profile prod)", "Type prod to continue: "}},
		{"protected, name typed", protectedProd, "", "prod\n", true, exitOK, nil},
		{"protected, label is not the name", protectedProd, "", "Production\n", true, exitRefused, nil},
		{"protected, --yes", protectedProd, "--yes", "", false, exitOK, nil},
		{"read-only, --yes", "read_only = true\n", "--yes", "", false, exitRefused, []string{"profile prod is read-only"}},
		{"read-only, y", "read_only = true\n", "", "y\n", true, exitRefused, nil},
		{"read-only, dry run", "read_only = true\n", "--dry-run", "", false, exitOK, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, fourAlerts())
			if tt.tty {
				c.terminal(tt.input)
			}
			if tt.profile != "" {
				c.profile(tt.profile)
			}
			c.must(tt.code, "dlq retry --all --status pending,failed "+tt.line)
			c.says(tt.says...)
			changed := c.store.alerts[0].Status == chatops.AlertPending
			if want := tt.code == exitOK && tt.line != "--dry-run"; changed != want || (len(c.store.actions) == 1) != want {
				t.Errorf("changed %t with %d actions, want %t", changed, len(c.store.actions), want)
			}
			if tt.code != exitOK && c.out.Len() > 0 {
				t.Errorf("a refused change prints %q", &c.out)
			}
		})
	}
}

func TestConfirm_InterruptWhileAskingChangesNothing(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts()).terminal("")
	in, typing := io.Pipe()
	defer func() { _ = typing.Close() }()
	c.In = in
	ctx, cancel := context.WithCancel(t.Context())
	c.Err = watcher{w: &c.err, text: "Continue?", then: cancel}
	if code := Run(ctx, c.Env, []string{"dlq", "retry", "--all"}); code != exitInterrupted {
		t.Fatalf("exit %d, want %d: %s", code, exitInterrupted, &c.err)
	}
	c.says("chatops: interrupted: nothing was changed")
	if len(c.store.actions) != 0 {
		t.Error("something was changed")
	}
}

// watcher calls then when text was written.
type watcher struct {
	w    io.Writer
	text string
	then func()
}

func (w watcher) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.then()
	}
	return w.w.Write(p)
}

func TestConfirm_LabelIsColouredOnATerminal(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts()).terminal("prod\n").profile(protectedProd)
	c.must(exitOK, "dlq retry --all --status pending,failed --color always")
	c.says("environment  \x1b[31mProduction (profile prod)\x1b[0m")
}

func TestConfirm_EnvironmentThatOverridesTheProfileIsTold(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts()).profile("database_url = \"postgres://x@prod.example/d\"\n")
	c.must(exitOK, "dlq retry --all --status pending,failed --yes")
	c.says("warning: DATABASE_URL overrides database_url of profile prod", "database     db.example:5432/chatops")
}

func TestCommandLine_HoldsNoPassword(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"chatops dlq retry --all":                            {"dlq", "retry", "--all"},
		"chatops x --database-url [redacted] y":              {"x", "--database-url", "postgres://u:p@h/d", "y"},
		"chatops x --redis-url=[redacted]":                   {"x", "--redis-url=redis://:p@h"},
		"chatops x --error 'dial postgres://[redacted]@h/d'": {"x", "--error", "dial postgres://u:p@h/d"},
		"chatops x --reason 'it'\\''s over' ''":              {"x", "--reason", "it's over", ""},
	} {
		if got := commandLine(args); got != want {
			t.Errorf("commandLine(%q) = %q, want %q", args, got, want)
		}
	}
}

func TestActor_IsThePersonBehindSudo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		vars map[string]string
		want string
	}{
		{map[string]string{"SUDO_USER": "ewa", "USER": "root"}, "ewa"},
		{map[string]string{"USER": "jan"}, "jan"},
		{map[string]string{"CHATOPS_ACTOR": "ci", "USER": "jan"}, "ci"},
	} {
		if got := actor(func(name string) string { return tt.vars[name] }); got != tt.want {
			t.Errorf("actor of %v = %q, want %q", tt.vars, got, tt.want)
		}
	}
}
