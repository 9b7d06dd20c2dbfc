package postgres

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// matchLike is SQL's LIKE with a backslash as the escape character.
func matchLike(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '%':
		return matchLike(pattern[1:], s) || (len(s) > 0 && matchLike(pattern, s[1:]))
	case len(s) == 0:
		return false
	case pattern[0] == '_':
		return matchLike(pattern[1:], s[1:])
	case pattern[0] == '\\' && len(pattern) > 1:
		return pattern[1] == s[0] && matchLike(pattern[2:], s[1:])
	}
	return pattern[0] == s[0] && matchLike(pattern[1:], s[1:])
}

func TestEscapeLike_MatchesExactlyWhatContainsTheText(t *testing.T) {
	t.Parallel()
	few := rapid.StringOfN(rapid.SampledFrom([]rune(`a%_\b`)), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		search, s := few.Draw(t, "search"), few.Draw(t, "text")
		pattern := "%" + escapeLike(search) + "%"
		if got, want := matchLike([]rune(pattern), []rune(s)), strings.Contains(s, search); got != want {
			t.Fatalf("%q like %q is %v, want %v", s, pattern, got, want)
		}
	})
}

func TestSelectAlerts_PutsEveryValueIntoAParameter(t *testing.T) {
	t.Parallel()
	hostile := rapid.SampledFrom([]string{"x'; drop table leads; --", `\`, "%", "a", "ł"})
	rapid.Check(t, func(t *rapid.T) {
		f := chatops.AlertFilter{
			Types:       rapid.SliceOfN(hostile, 0, 3).Draw(t, "types"),
			Targets:     rapid.SliceOfN(hostile, 0, 30).Draw(t, "targets"),
			Error:       hostile.Draw(t, "error"),
			Fingerprint: rapid.SampledFrom([]string{"", "x'y"}).Draw(t, "fingerprint"),
			OperationID: rapid.SampledFrom([]string{"", "op'"}).Draw(t, "operation"),
			Statuses: rapid.SliceOfN(rapid.SampledFrom([]chatops.AlertStatus{
				"failed", "pending", "queued", "x' or true --",
			}), 0, 4).Draw(t, "statuses"),
		}
		sel := selectAlerts(f, chatops.AlertStatuses(), nil)
		query := sel.list("d.id", newestFirst, 10)
		for _, bad := range []string{"drop table", "or true", "op'", "x'y"} {
			if strings.Contains(query, bad) {
				t.Fatalf("query holds the caller's text:\n%s", query)
			}
		}
		for i := range sel.args {
			if !strings.Contains(query, fmt.Sprintf("$%d::", i+1)) {
				t.Fatalf("parameter %d of %d is not used:\n%s", i+1, len(sel.args), query)
			}
		}
		if len(sel.branches) > maxBranches {
			t.Fatalf("%d scans", len(sel.branches))
		}
	})
}

func TestSelectAlerts_OfStatusesThatAreNotAllowed_SelectsNothing(t *testing.T) {
	t.Parallel()
	f := chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertDelivered}}
	sel := selectAlerts(f, chatops.OperationRetry.Statuses(), nil)
	if len(sel.branches) != 0 || !strings.Contains(sel.count(), "0") {
		t.Errorf("a retry of delivered alerts selects by %q", sel.branches)
	}
	f.IDs = []int64{1}
	if sel := selectAlerts(f, chatops.OperationRetry.Statuses(), nil); len(sel.branches) != 0 {
		t.Errorf("a retry of a delivered alert selects by %q", sel.branches)
	}
}
