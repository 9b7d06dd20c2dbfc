package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestChoose_KeepsTheOrderAndNamesWhatThereIsNot(t *testing.T) {
	t.Parallel()
	chosen, unknown := Choose([]string{"jobs", "config", "jobs"})
	if len(unknown) > 0 || len(chosen) != 2 || chosen[0].Name != "config" || chosen[1].Name != "jobs" {
		t.Errorf("chosen %v, unknown %q", chosen, unknown)
	}
	if all, _ := Choose(nil); len(all) != len(Names()) {
		t.Errorf("%d checks without names", len(all))
	}
	if chosen, unknown := Choose([]string{"jobs", "job", ""}); len(chosen) > 0 || !slices.Equal(unknown, []string{"job", ""}) {
		t.Errorf("%d are chosen, unknown %q", len(chosen), unknown)
	}
}

func TestChecks_HaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(slices.Values(Names()))
	if len(slices.Compact(names)) != len(Checks()) {
		t.Errorf("a name is given twice: %v", names)
	}
	for _, c := range Checks() {
		if c.About == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("check %q says %q", c.Name, c.About)
		}
	}
}

func TestWorst_IsTheWorstOfAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var results []Result
		at := slices.Index(States(), OK) // what is skipped makes nothing better
		for _, i := range rapid.SliceOf(rapid.IntRange(0, len(States())-1)).Draw(t, "states") {
			results = append(results, Result{State: States()[i]})
			at = max(at, i)
		}
		if want := States()[at]; Worst(results) != want {
			t.Fatalf("worst of %v is %s, want %s", results, Worst(results), want)
		}
	})
}

func TestFound_PutsTheWorstFirstAndTellsAll(t *testing.T) {
	t.Parallel()
	r := found([]Finding{{State: Warning, Text: "a"}, {State: Problem, Text: "b"}, {State: Warning, Text: "c"}}, "fine")
	if r.State != Problem || r.Text != "b; a; c" {
		t.Errorf("found %+v", r)
	}
	if r := found(nil, "fine"); r.State != OK || r.Text != "fine" {
		t.Errorf("found nothing: %+v", r)
	}
}

func TestQuote_NoTextOfOthersBecomesACommand(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.String().Draw(t, "word")
		got := quote(word)
		if strings.ContainsAny(got, "\n\x1b") {
			t.Fatalf("%q is quoted as %q", word, got)
		}
		inside, quoted := strings.CutPrefix(got, "'")
		if quoted && strings.Contains(strings.ReplaceAll(strings.TrimSuffix(inside, "'"), `'\''`, ""), "'") {
			t.Fatalf("%q is quoted as %q", word, got)
		}
		if !quoted && strings.ContainsAny(got, " $`;&|<>(){}*?!#~\"\\") {
			t.Fatalf("%q is not quoted: %q", word, got)
		}
	})
}

func TestRaised_DoublesEachPart(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]string{
		"30 per minute": "60 per minute", "200 per hour;50 per minute": "400 per hour;100 per minute", "10/second": "20/second",
		"": "", "x'; rm -rf /": "x; rm -rf /",
	} {
		if got := raised(limit); got != want {
			t.Errorf("%q is raised to %q, want %q", limit, got, want)
		}
	}
}

func TestSize_IsReadable(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 20: "5 MiB", 3 << 40: "3 TiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}

func TestReplicas_AnOrderOnItsWayIsNoFinding(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.store.replicas[0].Revision, b.store.replicas[0].Age = 6, time.Minute // silent, and of older orders
	if got := disobeying(&chatops.Fleet{Controls: &b.store.controls, Replicas: b.store.replicas}); got != nil {
		t.Errorf("a silent replica is said to disobey: %v", got)
	}
}

func TestIntegrations_ASettingThatIsWrongIsMendedThere(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.Integrations = []Integration{
		{"monday", func(context.Context) error {
			return chatops.Errorf(chatops.CodeInvalid, "MONDAY_BOARD_ID: must be set where MONDAY_API_KEY is")
		}},
		{"slack", func(context.Context) error {
			return chatops.Errorf(chatops.CodeUnavailable, "the connection is refused")
		}},
	}
	r := one(t, b, "integrations")
	if len(r.Findings) != 2 || r.Findings[0].Command != "chatops config check" || !strings.HasPrefix(r.Findings[1].Command, "chatops breaker trip slack") {
		t.Errorf("it finds %+v", r.Findings)
	}
}
