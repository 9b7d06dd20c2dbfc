package runbook

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// parseSelection parses a command line with the flags that choose alerts, and
// nothing else: no command runs.
func parseSelection(t *testing.T, line string) *selection {
	t.Helper()
	s := &selection{}
	cmd := &cobra.Command{Use: "x"}
	s.register(cmd, "pending,failed")
	if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s
}

func TestSelection_FlagsBecomeAFilter(t *testing.T) {
	t.Parallel()
	type filter = chatops.AlertFilter
	for line, want := range map[string]filter{
		"":                                   {Statuses: unhappy},
		"--status all":                       {},
		"--status failed,all":                {},
		"--status failed --status failed":    {Statuses: []chatops.AlertStatus{chatops.AlertFailed}},
		"--status Queued,cancelled":          {Statuses: []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertCancelled}},
		"--type a,b --type c":                {Statuses: unhappy, Types: []string{"a", "b", "c"}},
		"--target slack:alerts":              {Statuses: unhappy, Targets: []string{"slack:alerts"}},
		"--error 100%_done":                  {Statuses: unhappy, Error: "100%_done"},
		"--fingerprint f1 --attempts 3":      {Statuses: unhappy, Fingerprint: "f1", MinAttempts: 3},
		"--since 2h --until 1h":              {Statuses: unhappy, Since: noon.Add(-2 * time.Hour), Until: noon.Add(-time.Hour)},
		"--id 3,1 --id 3":                    {IDs: []int64{3, 1}},
		"--id 3 --status failed":             {Statuses: []chatops.AlertStatus{chatops.AlertFailed}, IDs: []int64{3}},
		"--since 2026-03-01 --attempts 0":    {Statuses: unhappy, Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		"--until 2026-03-09T23:00:00+02:00 ": {Statuses: unhappy, Until: time.Date(2026, 3, 9, 21, 0, 0, 0, time.UTC)},
	} {
		got, err := parseSelection(t, line).filter(noon, unhappy)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q becomes %+v, %v; want %+v", line, got, err, want)
		}
	}
}

func TestSelection_KnowsWhetherAnythingRestricts(t *testing.T) {
	t.Parallel()
	if parseSelection(t, "").given() {
		t.Error("no flag counts as a filter")
	}
	for _, line := range []string{"--status all", "--type a", "--target a", "--error a", "--fingerprint a", "--since 1h", "--until 1h", "--attempts 1", "--id 1"} {
		if !parseSelection(t, line).given() {
			t.Errorf("%s does not count as a filter", line)
		}
	}
}

func TestParseID_SeparatesUsageFromNotFound(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]chatops.Code{
		"1": "", "0017": "", "9223372036854775807": "",
		"0": chatops.CodeNotFound, "-5": chatops.CodeNotFound, "9223372036854775808": chatops.CodeNotFound, "op_1": chatops.CodeNotFound,
		"": chatops.CodeUsage, "-": chatops.CodeUsage, "--5": chatops.CodeUsage, "1.5": chatops.CodeUsage, "0x10": chatops.CodeUsage,
		"1e3": chatops.CodeUsage, "1 2": chatops.CodeUsage, "１": chatops.CodeUsage, "1;drop": chatops.CodeUsage,
	} {
		if _, err := parseID(word); chatops.ErrorCode(err) != want {
			t.Errorf("parseID(%q): %v, want code %q", word, err, want)
		}
	}
}

func FuzzParseID_IsPositiveOrAnError(f *testing.F) {
	for _, s := range []string{"1", "-1", "op_1", "99999999999999999999", "abc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		id, err := parseID(word)
		code := chatops.ErrorCode(err)
		if err == nil && id <= 0 || err != nil && (id != 0 || code != chatops.CodeUsage && code != chatops.CodeNotFound) {
			t.Fatalf("parseID(%q) = %d, %v", word, id, err)
		}
	})
}

func TestParseStatuses_AcceptsEveryStatusOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(chatops.AlertStatuses()), 1, 8).Draw(t, "statuses")
		texts := make([]string, len(words))
		for i, w := range words {
			texts[i] = " " + strings.ToUpper(string(w))
		}
		got, err := parseStatuses(texts, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[chatops.AlertStatus]bool{}
		for _, s := range got {
			if seen[s] {
				t.Fatalf("%s twice in %v", s, got)
			}
			seen[s] = true
		}
		for _, w := range words {
			if !seen[w] {
				t.Fatalf("%s of %v is missing in %v", w, words, got)
			}
		}
	})
}

func TestBulkPlan_IDsStayAsTheyWereNamed(t *testing.T) {
	t.Parallel()
	b := &bulk{kind: chatops.OperationRetry, eligible: unhappy, doing: "retry", selection: selection{ids: []string{"9"}}}
	p, err := b.plan([]string{"7", "8", "7"}, noon)
	if err != nil || !reflect.DeepEqual(p.ids, []int64{7, 8, 9}) || p.filter.Statuses != nil {
		t.Errorf("plan is %+v, %v", p, err)
	}
}

func TestBulkPlan_AllMeansWhatTheOperationCanChange(t *testing.T) {
	t.Parallel()
	discardable := []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed}
	for _, tt := range []struct {
		statuses []string
		want     []chatops.AlertStatus
	}{
		{nil, unhappy},
		{[]string{"all"}, discardable},
		{[]string{"queued"}, discardable[:1]},
	} {
		b := &bulk{kind: chatops.OperationDiscard, eligible: discardable, doing: "discard", all: true, selection: selection{statuses: tt.statuses}}
		p, err := b.plan(nil, noon)
		if err != nil || !reflect.DeepEqual(p.filter.Statuses, tt.want) {
			t.Errorf("--all --status %v plans %+v, %v; want %v", tt.statuses, p, err, tt.want)
		}
	}
}

func TestDescribe_NamesEveryRestriction(t *testing.T) {
	t.Parallel()
	many := make([]int64, 11)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for want, f := range map[string]chatops.AlertFilter{
		"":                            {},
		"status pending, failed":      {Statuses: unhappy},
		"type a, b; target t":         {Types: []string{"a", "b"}, Targets: []string{"t"}},
		`error "x\ny"; fingerprint f`: {Error: "x\ny", Fingerprint: "f"},
		"since 2026-03-10T12:00:00Z; retries at least 2": {Since: noon, MinAttempts: 2},
		"until 2026-03-10T12:00:00Z":                     {Until: noon},
		"id 1, 2":                                        {IDs: []int64{1, 2}},
		"id 1, ... (11 ids)":                             {IDs: many},
	} {
		if got := describe(f); got != want {
			t.Errorf("describe(%+v) = %q, want %q", f, got, want)
		}
	}
}
