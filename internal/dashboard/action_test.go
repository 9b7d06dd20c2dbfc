package dashboard

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// counts answers dry runs with a count, and runs with a result.
func counts(dry, done string) func([]string) Outcome {
	return func(args []string) Outcome {
		if slices.Contains(args, "--dry-run") {
			return Outcome{Out: []byte(dry)}
		}
		return Outcome{Out: []byte(done)}
	}
}

func (d *desk) ranCommands(want ...string) {
	d.t.Helper()
	var got []string
	for _, args := range d.ran {
		got = append(got, strings.Join(args, " "))
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("ran\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAction_OnACause_AsksWithTheExactCountAndStaysVisible(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.outcome = counts(`{"matched":125,"skipped":0}`, `{"operation_id":"op_1","matched":125,"requeued":120,"skipped":5}`)
	d.press("2", "r")
	d.shows("environment  production", "database     db.example:5432/chatops", "change       retry 125 alerts (cause 85b54c5f5c4b)", "command      chatops dlq retry --fingerprint 85b54c5f5c4b", "Continue? [y/N]")
	d.press("z", "enter") // neither is a yes
	d.ranCommands("dlq retry --fingerprint 85b54c5f5c4b --dry-run -o json")
	d.press("tab", "slack is back", "enter")
	d.shows("reason       slack is back")
	d.press("y")
	d.shows("12:00:00Z done: retry 125 alerts (cause 85b54c5f5c4b): requeued 120, skipped 5")
	d.ranCommands("dlq retry --fingerprint 85b54c5f5c4b --dry-run -o json", "dlq retry --fingerprint 85b54c5f5c4b --reason slack is back --yes -o json")
	d.poll()
	d.shows("done: retry 125 alerts")
	d.press("down")
	d.hides("done: retry")
}

func TestAction_MakesTheCommandThatIsMeant(t *testing.T) {
	t.Parallel()
	orders := counts(`{"orders":[{}],"replicas":2}`, `{"orders":[{}],"replicas":2,"obeyed":2}`)
	bulk := counts(`{"matched":2,"skipped":0}`, `{"matched":2,"discarded":2}`)
	tests := []struct {
		name    string
		outcome func([]string) Outcome
		keys    []string
		change  string
		command string
		result  string
	}{
		{"retry all", bulk, []string{"1", "R"}, "retry 2 alerts (all types)", "dlq retry --all", "discarded 2"},
		{"discard one", bulk, []string{"1", "enter", "x"}, "discard 2 alerts (id 31)", "dlq discard 31", "discarded 2"},
		{"the one shown", bulk, []string{"1", "enter", "enter", "r"}, "retry 2 alerts (id 31)", "dlq retry 31", "discarded 2"},
		{"marked", bulk, []string{"1", "enter", "space", "space", "r"}, "retry 2 alerts (id 30, 31)", "dlq retry 30 31", "discarded 2"},
		{"unmarked", bulk, []string{"1", "enter", "space", "up", "space", "r"}, "retry 2 alerts (id 30)", "dlq retry 30", "discarded 2"},
		{"filter", bulk, []string{"2", "enter", "X"}, "discard 2 alerts (--status pending,failed --fingerprint 85b54c5f5c4b)", "dlq discard --status pending,failed --fingerprint 85b54c5f5c4b", "discarded 2"},
		{"reset", orders, []string{"3", "r"}, "reset breaker slack on 2 replicas", "breaker reset slack", "obeyed by 2 of 2 replicas"},
		{"auto", orders, []string{"3", "a"}, "leave breaker slack to itself on 2 replicas", "breaker auto slack", "obeyed by 2 of 2"},
		{"trip", orders, []string{"3", "t", "enter"}, "trip breaker slack on 2 replicas for 10m", "breaker trip slack --for 10m", "obeyed by 2 of 2"},
		{"trip without end", orders, []string{"3", "t", "ctrl+u", "enter"}, "trip breaker slack on 2 replicas", "breaker trip slack", "obeyed by 2 of 2"},
		{"set", orders, []string{"4", "s", " for 30m", "enter"}, "set limit chat to 100 per minute on 2 replicas for 30m", "limiter set chat 100 per minute --for 30m", "obeyed by 2"},
		{"unset", orders, []string{"4", "u"}, "unset limit chat on 2 replicas", "limiter unset chat", "obeyed by 2"},
		{"block who is refused most", orders, []string{"4", "down", "down", "b", "enter"}, "block 203.0.113.7 on 2 replicas for 1h", "limiter block 203.0.113.7 --for 1h", "obeyed by 2"},
		{"block an address", orders, []string{"4", "b", "192.0.2.1", "enter"}, "block 192.0.2.1 on 2 replicas", "limiter block 192.0.2.1", "obeyed by 2"},
		{"unblock", orders, []string{"4", "end", "u"}, "unblock 198.51.100.0/24 on 2 replicas", "limiter unblock 198.51.100.0/24", "obeyed by 2"},
		{"run", counts(`{"jobs":[{}]}`, `{"jobs":[{"name":"followups","state":"ok","result":"ok: 1 mail"}]}`), []string{"5", "r"}, "run 1 job (followups)", "jobs run followups", "followups ok ok: 1 mail"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t)
			d.outcome = tt.outcome
			d.press(tt.keys...)
			d.shows(tt.change, "Continue? [y/N]")
			d.press("y")
			d.shows("done: ", tt.result)
			d.ranCommands(tt.command+" --dry-run -o json", tt.command+" --yes -o json")
		})
	}
}

func TestAction_IsRefusedWithoutWrite(t *testing.T) {
	t.Parallel()
	d := desktop(t, func(o *Options) { o.Write = false })
	for _, keys := range [][]string{{"1", "R"}, {"2", "r"}, {"3", "t"}, {"4", "b"}, {"5", "r"}} {
		d.press(keys...)
		d.shows("read-only: nothing was changed; start with --write")
		d.hides("Continue?", "retry all")
	}
	d.ranCommands()
}

func TestAction_CanBeGivenUp(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"n", "esc"} {
		d := desktop(t)
		d.press("2", "r", key)
		d.shows("nothing was changed")
		d.ranCommands("dlq retry --fingerprint 85b54c5f5c4b --dry-run -o json")
	}
}

func TestAction_InAProtectedPlace_AsksForItsName(t *testing.T) {
	t.Parallel()
	d := desktop(t, func(o *Options) { o.ConfirmWord = "prod" })
	d.press("2", "r")
	d.shows("Type prod and enter to continue: _")
	d.press("y", "enter")
	if len(d.ran) != 1 {
		t.Fatalf("a y was enough: %v", d.ran)
	}
	d.press("backspace", "prod", "enter")
	if len(d.ran) != 2 {
		t.Fatalf("the name was not enough: %v", d.ran)
	}
}

func TestAction_ThatCannotBeDone_SaysWhy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		outcome Outcome
		want    string
	}{
		{"the database is away", Outcome{Code: 5, Err: "database db: \x1b[2Jconnection refused"}, `not possible: database db: \x1b[2Jconnection refused`},
		{"nothing matches", Outcome{Out: []byte(`{"matched":1,"skipped":1}`)}, "not possible: no alert can be changed"},
		{"nothing to order", Outcome{Out: []byte(`{"orders":[],"replicas":2}`)}, "not possible: there is nothing to order"},
		{"no JSON", Outcome{Out: []byte(`x`)}, "the count could not be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t)
			d.outcome = func([]string) Outcome { return tt.outcome }
			d.press("2", "r", "y")
			d.shows(tt.want)
			d.press("esc")
			d.hides(tt.want)
			if len(d.ran) != 1 {
				t.Errorf("it was carried out: %v", d.ran)
			}
		})
	}
	d := desktop(t)
	d.press("2", "end", "r")
	d.shows("these have no common cause")
	// One that goes wrong half way says so, and what was done.
	d.outcome = func(args []string) Outcome {
		if slices.Contains(args, "--dry-run") {
			return Outcome{Out: []byte(`{"matched":9}`)}
		}
		return Outcome{Code: 6, Err: "not every alert", Out: []byte(`{"matched":9,"requeued":4,"skipped":1}`)}
	}
	d.press("home", "r", "y")
	d.shows("NOT DONE (exit 6): not every alert, requeued 4, skipped 1")
}

func TestCopy_PutsTheCommandIntoTheClipboard(t *testing.T) {
	t.Parallel()
	tests := []struct {
		keys []string
		want string
	}{
		{[]string{"c"}, "chatops dashboard --once"},
		{[]string{"1", "c"}, "chatops dlq stats"},
		{[]string{"2", "c"}, "chatops dlq list --fingerprint 85b54c5f5c4b"},
		{[]string{"2", "enter", "c"}, "chatops dlq show 31"},
		{[]string{"3", "c"}, "chatops breaker status slack"},
		{[]string{"4", "c"}, "chatops limiter status"},
		{[]string{"5", "c"}, "chatops jobs list followups"},
		{[]string{"4", "s", "enter", "c"}, "chatops limiter set chat '100 per minute'"},
	}
	for _, tt := range tests {
		d := desktop(t)
		d.outcome = counts(`{"orders":[{}],"replicas":2}`, "")
		d.press(tt.keys...)
		if want := ansi.SetSystemClipboard(tt.want); d.out.String() != want {
			t.Errorf("after %v the terminal was sent %q, want %q", tt.keys, d.out.String(), want)
		}
	}
}
