package runbook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

func TestExitCodes_CoverEveryCode(t *testing.T) {
	t.Parallel()
	for _, code := range chatops.Codes() {
		exit, ok := exitCodes[code]
		if !ok || exit == exitOK {
			t.Errorf("code %s has exit code %d, %t", code, exit, ok)
		}
	}
	if len(exitCodes) != len(chatops.Codes()) {
		t.Errorf("the table has %d codes, the program %d", len(exitCodes), len(chatops.Codes()))
	}
	for code, want := range map[chatops.Code]int{
		chatops.CodeInternal: 1, chatops.CodeUsage: 2, chatops.CodeNotFound: 3, chatops.CodeFinding: 4,
		chatops.CodeUnavailable: 5, chatops.CodePartial: 6, chatops.CodeRefused: 7, chatops.CodeInterrupted: 130,
	} {
		if exitCodes[code] != want {
			t.Errorf("code %s gives %d, want %d", code, exitCodes[code], want)
		}
	}
}

func TestReport_ErrorsBecomeExitCodesAndOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		exit int
		says string
	}{
		{nil, exitOK, ""},
		{fmt.Errorf("write: %w", syscall.EPIPE), exitOK, ""},
		{errors.New("pq: secret detail"), exitFailed, "chatops: internal error\nsee the cause with -v\n"},
		{chatops.WrapError(chatops.CodeConflict, errors.New("cause"), "changed meanwhile"), exitFailed, "chatops: changed meanwhile\n"},
		{hint(chatops.Errorf(chatops.CodeNotFound, "alert 1: not found"), "see: x"), exitNotFound, "chatops: alert 1: not found\nsee: x\n"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), exitUnavailable, "chatops: no answer in time; a longer --timeout may help\n"},
	}
	for _, tt := range tests {
		c := newConsole(t, newFakeStore())
		if got := c.report(context.Background(), tt.err); got != tt.exit || c.err.String() != tt.says {
			t.Errorf("%v: exit %d with %q, want %d with %q", tt.err, got, &c.err, tt.exit, tt.says)
		}
	}
}

func TestReport_VerboseShowsTheCause(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.store.err = errors.New("tls handshake with " + dbPassword)
	c.must(exitFailed, "dlq list -v")
	c.says("chatops: tls handshake with [redacted]")
}

func TestRoot_MistypedNamesAreSuggested(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"dql list":           "did you mean: chatops dlq",
		"dlq lst":            "did you mean: chatops dlq list",
		"zzzzzzzz":           "see: chatops --help",
		"dlq list --limt 5":  "did you mean: --limit",
		"dlq retry --al":     "did you mean: --all",
		"dlq list --zzzzzz":  "see: chatops dlq list --help",
		"dlq list -Z":        "see: chatops dlq list --help",
		"completion tcsh":    `unknown shell "tcsh"`,
		"completion":         "name one shell",
		"docs generate":      "name the folder",
		"migrate up now":     `takes no arguments, got "now"`,
		"dlq list --profile": "flag needs an argument",
	} {
		c := newConsole(t, newFakeStore())
		c.must(exitUsage, line)
		c.says("chatops: ", says)
		c.prints("")
	}
}

func TestRoot_HelpVersionAndCompletionOpenNothing(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "--help", "help dlq", "dlq", "dlq list --help", "version", "--version", "version -o json", "completion bash", "completion zsh", "completion fish", "completion powershell", "__complete dlq ''"} {
		c := newConsole(t, newFakeStore())
		c.LookupEnvFunc = func(name string) (string, bool) {
			if name != "NO_COLOR" && name != "TERM" && !strings.Contains(name, "COMPLETION") {
				t.Errorf("%q reads the variable %s", line, name)
			}
			return "", false
		}
		c.must(exitOK, line)
		if c.opened != 0 || c.out.Len() == 0 || strings.Contains(c.out.String(), "\x1b") {
			t.Errorf("%q opened %d stores and printed %q", line, c.opened, &c.out)
		}
	}
}

func TestRoot_EveryCommandIsDocumentedAndHasTheGlobalFlags(t *testing.T) {
	t.Parallel()
	root := newRoot(newConsole(t, newFakeStore()).Env)
	var walk func(cmd *cobra.Command)
	paths := []string{}
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its short text is %q", cmd.CommandPath(), cmd.Short)
		}
		if !cmd.HasSubCommands() {
			paths = append(paths, strings.TrimPrefix(cmd.CommandPath(), "chatops "))
		}
		for _, name := range []string{"output", "no-headers", "color", "profile", "config", "database-url", "redis-url", "timeout", "yes", "no-input", "reason", "verbose"} {
			if cmd != root && cmd.InheritedFlags().Lookup(name) == nil {
				t.Errorf("%s lacks --%s", cmd.CommandPath(), name)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	slices.Sort(paths)
	want := []string{
		"audit list",
		"breaker auto", "breaker reset", "breaker status", "breaker trip",
		"chat", "completion", "config check", "config view", "consent access-log", "consent audit anchor", "consent audit verify", "consent erase", "consent export",
		"consent grant", "consent import", "consent lookup", "consent retention", "consent revoke", "consent texts add", "consent texts list", "consent unsubscribe",
		"dashboard",
		"dlq ack", "dlq discard", "dlq edit", "dlq export",
		"dlq groups ack", "dlq groups mute", "dlq groups note", "dlq groups unmute",
		"dlq import", "dlq list",
		"dlq operations cancel", "dlq operations failures", "dlq operations list", "dlq operations pause",
		"dlq operations rate", "dlq operations resume", "dlq operations show", "dlq retry", "dlq show", "dlq stats",
		"docs generate", "doctor", "drill list", "followup due", "followup duplicates", "followup list",
		"jobs list", "jobs pause", "jobs resume", "jobs run",
		"knowledge check", "knowledge search",
		"limiter block", "limiter set", "limiter status", "limiter unblock", "limiter unset",
		"migrate down", "migrate redo", "migrate status", "migrate up", "serve", "version",
		"whoami",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("commands are %q, want %q", paths, want)
	}
	for _, path := range []string{
		"dlq retry", "dlq discard", "dlq operations pause", "dlq operations resume", "dlq operations cancel", "dlq operations rate", "migrate up", "migrate down", "migrate redo", "breaker auto", "breaker reset", "breaker trip",
		"limiter block", "limiter set", "limiter unblock", "limiter unset", "jobs pause", "jobs resume", "jobs run",
		"dlq groups ack", "dlq groups mute", "dlq groups note", "dlq groups unmute", "dlq import", "dlq edit",
	} {
		if cmd, _, err := root.Find(strings.Fields(path)); err != nil || cmd.Flags().Lookup("dry-run") == nil {
			t.Errorf("%s changes something and lacks --dry-run", path)
		}
	}
}

// brokenPipe is an output whose reader has gone.
type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

func TestRender_ClosedPipeEndsQuietlyAndAFullDiskDoesNot(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"dlq list", "version", "completion bash"} {
		c := newConsole(t, newFakeStore())
		c.Out = brokenPipe{syscall.EPIPE}
		c.must(exitOK, line)
		if c.err.Len() > 0 {
			t.Errorf("%s into a closed pipe says %q", line, &c.err)
		}
		c.Out = brokenPipe{syscall.ENOSPC}
		c.must(exitFailed, line)
		c.says("chatops: write the output: no space left on device")
	}
}

func TestServe_RunsWithItsSettingsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	ctx, cancel := context.WithCancel(t.Context())
	c.ServeFunc = func(ctx context.Context, cfg *config.Config, _ ReloadFunc, log *slog.Logger) error {
		if cfg.Port != 9 || cfg.ListenAddress() != "127.0.0.1:9" || !log.Enabled(ctx, slog.LevelDebug) {
			t.Errorf("serve got %+v", cfg)
		}
		log.InfoContext(ctx, "ready")
		cancel()
		<-ctx.Done()
		return nil
	}
	args := strings.Fields("serve --port 9 --listen 127.0.0.1 --log-level debug --log-format json")
	if code := Run(ctx, c.Env, args); code != exitOK {
		t.Errorf("exit %d: %s", code, &c.err)
	}
	c.says(`"msg":"ready"`)
}

func TestServe_ErrorsWhileStoppingAreNotAnInterrupt(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	ctx, cancel := context.WithCancel(t.Context())
	c.ServeFunc = func(context.Context, *config.Config, ReloadFunc, *slog.Logger) error {
		cancel()
		return chatops.Errorf(chatops.CodeInternal, "drain: 3 requests were cut off")
	}
	if code := Run(ctx, c.Env, []string{"serve"}); code != exitFailed {
		t.Errorf("exit %d: %s", code, &c.err)
	}
	c.says("chatops: drain: 3 requests were cut off")
	c.ServeFunc = func(ctx context.Context, _ *config.Config, _ ReloadFunc, _ *slog.Logger) error {
		return fmt.Errorf("open: %w", ctx.Err())
	}
	if code := Run(ctx, c.Env, []string{"serve"}); code != exitOK {
		t.Errorf("stopped before ready: exit %d: %s", code, &c.err)
	}
}
