package dashboard

import (
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// typedBase is the filter of the list in which the others are typed.
var typedBase = chatops.AlertFilter{
	Statuses: unhappy,
	Types:    []string{"slack_alert"},
}

var typedFilters = []struct {
	name  string
	typed string
	want  chatops.AlertFilter
}{
	{
		name:  "nothing",
		typed: "",
		want:  typedBase,
	},
	{
		name:  "blanks",
		typed: "   ",
		want:  typedBase,
	},
	{
		name:  "text of the error",
		typed: "HTTP  503",
		want: chatops.AlertFilter{
			Statuses: unhappy,
			Types:    []string{"slack_alert"},
			Error:    "HTTP 503",
		},
	},
	{
		name:  "a status",
		typed: "status=failed",
		want: chatops.AlertFilter{
			Statuses: []chatops.AlertStatus{chatops.AlertFailed},
			Types:    []string{"slack_alert"},
		},
	},
	{
		name:  "two statuses",
		typed: "status=failed,delivered",
		want: chatops.AlertFilter{
			Statuses: []chatops.AlertStatus{chatops.AlertFailed, chatops.AlertDelivered},
			Types:    []string{"slack_alert"},
		},
	},
	{
		name:  "every status",
		typed: "status=all",
		want: chatops.AlertFilter{
			Types: []string{"slack_alert"},
		},
	},
	{
		name:  "a type",
		typed: "type=monday_item",
		want: chatops.AlertFilter{
			Statuses: unhappy,
			Types:    []string{"monday_item"},
		},
	},
	{
		name:  "a target",
		typed: "target=slack:alerts",
		want: chatops.AlertFilter{
			Statuses: unhappy,
			Types:    []string{"slack_alert"},
			Targets:  []string{"slack:alerts"},
		},
	},
	{
		name:  "a cause",
		typed: "cause=85b5",
		want: chatops.AlertFilter{
			Statuses:    unhappy,
			Types:       []string{"slack_alert"},
			Fingerprint: "85b5",
		},
	},
	{
		name:  "everything",
		typed: "timeout status=pending type=a,b target=c cause=d again",
		want: chatops.AlertFilter{
			Statuses:    []chatops.AlertStatus{chatops.AlertPending},
			Types:       []string{"a", "b"},
			Targets:     []string{"c"},
			Fingerprint: "d",
			Error:       "timeout again",
		},
	},
	{
		name:  "a word with a sign that is no filter",
		typed: "code=5",
		want: chatops.AlertFilter{
			Statuses: unhappy,
			Types:    []string{"slack_alert"},
			Error:    "code=5",
		},
	},
}

func TestParseFilter_ReadsWordsAndText(t *testing.T) {
	t.Parallel()
	for _, tt := range typedFilters {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(filterArgs(parseFilter(typedBase, tt.typed)), " ")
			if want := strings.Join(filterArgs(tt.want), " "); got != want {
				t.Errorf("%q is %s, want %s", tt.typed, got, want)
			}
		})
	}
}

func TestFilterArgs_AreTheFlagsOfTheRunbook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		filter chatops.AlertFilter
		want   string
	}{
		{
			name:   "no statuses are all of them",
			filter: chatops.AlertFilter{},
			want:   "--status all",
		},
		{
			name: "everything",
			filter: chatops.AlertFilter{
				Statuses:    []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed},
				Types:       []string{"slack_alert", "x"},
				Targets:     []string{"slack:alerts"},
				Fingerprint: "85b5",
				Error:       "HTTP 503",
			},
			want: "--status pending,failed --type slack_alert,x --target slack:alerts --fingerprint 85b5 --error HTTP 503",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(filterArgs(tt.filter), " "); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestCommandLine_QuotesAsAShellNeedsIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{
			args: nil,
			want: "chatops",
		},
		{
			args: []string{"dlq", "retry", "--status", "pending,failed"},
			want: "chatops dlq retry --status pending,failed",
		},
		{
			args: []string{"limiter", "set", "api", "200 per hour;50 per minute"},
			want: "chatops limiter set api '200 per hour;50 per minute'",
		},
		{
			args: []string{"dlq", "list", "--error", "it's $(rm -rf /) `x`"},
			want: `chatops dlq list --error 'it'\''s $(rm -rf /) ` + "`x`'",
		},
		{
			args: []string{"dlq", "list", "--error", ""},
			want: "chatops dlq list --error ''",
		},
	}
	for _, tt := range tests {
		if got := commandLine(tt.args); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.args, got, tt.want)
		}
	}
}

func TestInput_TakesTextAndNothingElse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		keys []tea.KeyMsg
		want string
	}{
		{
			name: "letters",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune("zażółć")},
				{Type: tea.KeySpace, Runes: []rune(" ")},
				{Type: tea.KeyRunes, Runes: []rune("x")},
			},
			want: "zażółć x",
		},
		{
			name: "one taken back",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune("aż")},
				{Type: tea.KeyBackspace},
			},
			want: "a",
		},
		{
			name: "more taken back than there is",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune("a")},
				{Type: tea.KeyBackspace},
				{Type: tea.KeyBackspace},
			},
			want: "",
		},
		{
			name: "all taken back",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune("abc")},
				{Type: tea.KeyCtrlU},
			},
			want: "",
		},
		{
			name: "what could command a terminal",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune("a\x1b[2J\u202eb\n")},
			},
			want: "a[2Jb",
		},
		{
			name: "keys without text",
			keys: []tea.KeyMsg{
				{Type: tea.KeyF1},
				{Type: tea.KeyUp},
				{Type: tea.KeyHome},
			},
			want: "",
		},
		{
			name: "too much",
			keys: []tea.KeyMsg{
				{Type: tea.KeyRunes, Runes: []rune(strings.Repeat("a", 1000))},
			},
			want: strings.Repeat("a", maxInput),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var i input
			for _, key := range tt.keys {
				i.key(key)
			}
			if i.text != tt.want {
				t.Errorf("%q, want %q", i.text, tt.want)
			}
		})
	}
}

func TestResult_IsWorded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		out  string
		want string
	}{
		{
			name: "a retry",
			out:  `{"operation_id":"op_1","matched":9,"requeued":7,"skipped":2}`,
			want: "requeued 7, skipped 2",
		},
		{
			name: "a discard",
			out:  `{"operation_id":"op_1","matched":9,"discarded":9,"skipped":0}`,
			want: "discarded 9, skipped 0",
		},
		{
			name: "an order",
			out:  `{"orders":[{"name":"slack"}],"replicas":3,"obeyed":2,"waiting":["c"]}`,
			want: "obeyed by 2 of 3 replicas",
		},
		{
			name: "jobs",
			out:  `{"jobs":[{"name":"a","state":"ok","result":"ok: 1"},{"name":"b","state":"failed","result":"failed: \u001b[2J"}]}`,
			want: `a ok ok: 1, b failed failed: \x1b[2J`,
		},
		{
			name: "no JSON",
			out:  "x",
			want: "",
		},
		{
			name: "nothing",
			out:  "{}",
			want: "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := resultWords([]byte(tt.out)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestCount_IsWorded(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0:       "0 alerts",
		1:       "1 alert",
		2:       "2 alerts",
		1000000: "1000000 alerts",
	} {
		if got := chatops.Count(n, "alert"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Whatever is typed, in whatever order, and whatever the sources do meanwhile: the
// screen fits, nothing is changed without a question, and nothing panics.
func TestKeys_InAnyOrder_DoNoHarm(t *testing.T) {
	t.Parallel()
	keys := []string{
		"1", "2", "3", "4", "5", "6",
		"enter", "esc", "up", "down", "home", "end", "pgdown", "space", "backspace", "tab",
		"r", "x", "R", "X", "t", "a", "s", "u", "b", "o", "n", "c", "/", "?",
		"status=failed", "for 5m",
	}
	rapid.Check(t, func(t *rapid.T) {
		sources := incident()
		d := newDesk(tbOf{TB: nil, rapid: t}, sources, rapid.IntRange(1, 130).Draw(t, "width"), rapid.IntRange(1, 45).Draw(t, "height"), func(o *Options) {
			o.Write = rapid.Bool().Draw(t, "write")
		})
		asked := false
		d.outcome = func(args []string) Outcome {
			if !slices.Contains(args, "--dry-run") && !asked {
				t.Fatalf("%v was carried out without a question", args)
			}
			return Outcome{Out: []byte(`{"matched":3,"replicas":2,"orders":[{}],"requeued":3}`)}
		}
		d.poll()
		for range rapid.IntRange(1, 25).Draw(t, "keys") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				sources.err = rapid.SampledFrom([]error{nil, errAway}).Draw(t, "error")
				d.poll()
			case 1:
				if d.modal != nil && d.modal.stage == stageAsking {
					asked = true
					d.press("y")
					asked = false
				}
			default:
				d.press(rapid.SampledFrom(keys).Draw(t, "key"))
			}
			lines := strings.Split(d.View(), "\n")
			if len(lines) > d.height {
				t.Fatalf("%d lines on a screen of %d", len(lines), d.height)
			}
		}
		if !d.opts.Write && len(d.ran) > 0 {
			t.Fatalf("without --write %v ran", d.ran)
		}
	})
}
