package runbook

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// changing are the commands that change something, each with a command line that
// would. Whatever is not here only looks; a new command has to be in one of the
// two lists.
var changing = map[string]string{
	"serve":                 "",
	"dashboard":             "--write",
	"breaker auto":          "slack",
	"breaker reset":         "slack",
	"breaker trip":          "slack",
	"consent erase":         "jan@firma.example",
	"consent grant":         "jan@firma.example --marketing --reason call",
	"consent import":        "list.txt",
	"consent retention":     "",
	"consent revoke":        "jan@firma.example",
	"consent texts add":     "text.txt --kind marketing --locale pl",
	"consent unsubscribe":   "jan@firma.example",
	"dlq ack":               "",
	"dlq edit":              "17 --set a=b --reason x",
	"dlq discard":           "--all",
	"dlq groups ack":        "abc",
	"dlq groups mute":       "abc --for 1h",
	"dlq groups note":       "abc --text x",
	"dlq groups unmute":     "abc",
	"dlq import":            "alerts.jsonl --reason restored",
	"dlq operations cancel": "op_1",
	"dlq operations pause":  "op_1",
	"dlq operations rate":   "op_1 5",
	"dlq operations resume": "op_1",
	"dlq retry":             "--all",
	"followup duplicates":   "--fix",
	"jobs pause":            "followups",
	"jobs resume":           "followups",
	"jobs run":              "followups",
	"limiter block":         "203.0.113.7",
	"limiter set":           "chat 10/minute",
	"limiter unblock":       "203.0.113.7",
	"limiter unset":         "chat",
	"migrate down":          "",
	"migrate redo":          "",
	"migrate up":            "",
}

// looking are the commands that change nothing, or only write down who looked.
var looking = []string{
	"audit list", "breaker status", "chat", "completion", "config check", "config view", "consent access-log", "consent audit anchor",
	"consent audit verify", "consent export", "consent lookup", "consent texts list", "dlq export", "dlq groups", "dlq list", "dlq operations failures",
	"dlq operations list", "dlq operations show", "dlq show", "dlq stats", "docs generate", "doctor", "drill", "drill list", "followup due", "followup list", "jobs list",
	"knowledge check", "knowledge search", "limiter status", "migrate status", "version", "whoami",
}

// walk calls visit for every command that does something itself.
func walk(cmd *cobra.Command, visit func(path string, cmd *cobra.Command)) {
	if path := strings.TrimPrefix(cmd.CommandPath(), "chatops "); !cmd.HasSubCommands() || path == "dlq groups" || path == "drill" {
		visit(path, cmd)
	}
	for _, sub := range cmd.Commands() {
		walk(sub, visit)
	}
}

func TestReadOnly_EveryChangingCommandIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, path := range looking {
		known[path] = true
	}
	walk(newRoot(newConsole(t, newFakeStore()).Env), func(path string, cmd *cobra.Command) {
		args, changes := changing[path]
		switch {
		case changes == known[path]:
			t.Errorf("%s is in both lists of this test, or in neither: does it change something?", path)
		case cmd.Flags().Lookup("dry-run") != nil && !changes:
			t.Errorf("%s has --dry-run and is said to change nothing", path)
		case changes:
			refusedReadOnly(t, strings.TrimSpace(path+" "+args))
		}
	})
}

// refusedReadOnly runs a command in a read-only profile, with and without --yes.
func refusedReadOnly(t *testing.T, line string) {
	t.Helper()
	for _, yes := range []string{"", " --yes"} {
		c := newConsole(t, newFakeStore()).terminal("y\ny\ny\n").profile("read_only = true\nlabel = \"Archive\"\n")
		c.migrator = &fakeMigrator{current: 1}
		c.files["text.txt"], c.files["list.txt"] = "Zgoda na marketing.", "jan@firma.example\n"
		c.must(exitRefused, line+yes)
		c.says("profile prod is read-only: nothing was changed")
		if text := c.err.String(); strings.Contains(text, "Continue?") || strings.Contains(text, "Type ") {
			t.Errorf("%s is asked about: %s", line, text)
		}
		if len(c.store.actions) > 0 || c.opened > 0 && !strings.HasPrefix(line, "migrate") {
			t.Errorf("%s%s opened %d databases and left %d actions", line, yes, c.opened, len(c.store.actions))
		}
	}
}
