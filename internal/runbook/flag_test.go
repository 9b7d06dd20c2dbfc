package runbook

import (
	"testing"
	"time"
)

func TestFlags_ThatHaveTakenAnotherFlagAreRefused(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq retry --all --yes --reason --dry-run", exitUsage, "--reason has taken the flag --dry-run for its value: nothing was done\ngive --reason a value"},
		{"dlq retry --yes --target --dry-run", exitUsage, "--target has taken the flag --dry-run for its value: nothing was done\ngive --target a value"},
		{"dlq list --error --status=failed", exitUsage, "--error has taken the flag --status for its value: nothing was done\ngive --error a value"},
	})
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "dlq list --error --no-such-flag --reason -- -o json") // text like any other
}

func TestFlags_OfAWrongKindSayWhatTheyMustBe(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq retry --attempts x", exitUsage, "--attempts \"x\": must be a whole number\nsee: chatops dlq retry --help"},
		{"dlq list --limit 1.5", exitUsage, "--limit \"1.5\": must be a whole number\nsee: chatops dlq list --help"},
		{"dlq retry --all --dry-run=perhaps", exitUsage, "--dry-run \"perhaps\": must be true or false\nsee: chatops dlq retry --help"},
		{"dlq list --timeout -1s", exitUsage, "invalid argument \"-1s\" for \"--timeout\" flag: must be a duration such as 90s or 5m\nsee: chatops dlq list --help"},
		{"doctor --timeout soon", exitUsage, "invalid argument \"soon\" for \"--timeout\" flag: must be a duration such as 90s or 5m\nsee: chatops doctor --help"},
		{"dlq retry --attempts -1", exitUsage, "--attempts -1: must be 0 or more"},
		{"dlq retry --attempts -1 --status failed", exitUsage, "--attempts -1: must be 0 or more"},
	})
}

// A script whose variable is unset must not sweep in what it did not ask for.
func TestSelection_AFilterThatIsEmptyIsRefusedAndNotIgnored(t *testing.T) {
	t.Parallel()
	var list []refusal
	for _, command := range []string{"dlq retry --all --yes", "dlq discard --all --yes --reason r", "dlq list", "dlq groups", "dlq export", "dlq stats"} {
		for _, flag := range []string{"status", "type", "target", "error", "fingerprint", "since", "until", "id"} {
			list = append(list, refusal{command + " --" + flag + "=", exitUsage, "--" + flag + " is empty: it would leave out no alert\ngive it a value, or leave it out"})
		}
	}
	list = append(list,
		refusal{"dlq retry --fingerprint=", exitUsage, "--fingerprint is empty: it would leave out no alert\ngive it a value, or leave it out"},
		refusal{"dlq retry --all --yes --operation=", exitUsage, "--operation is empty: it would leave out no alert\ngive it a value, or leave it out"},
		refusal{"dlq retry --yes --target slack:alerts,,", exitUsage, "--target is empty: it would leave out no alert\ngive it a value, or leave it out"},
	)
	refused(t, list)
}

func TestPatience_IsZeroOrMore(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"0": 0, "0s": 0, "90s": 90 * time.Second, "1ms": time.Millisecond, "1d": 24 * time.Hour} {
		var p patience
		if err := p.Set(text); err != nil || time.Duration(p) != want {
			t.Errorf("%s is %s, %v", text, time.Duration(p), err)
		}
		if shown := p.String(); (shown == "") != (want == 0) {
			t.Errorf("%s is shown as %q", text, shown)
		}
	}
	for _, text := range []string{"", "-1s", "5", "soon"} {
		if err := new(patience).Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
