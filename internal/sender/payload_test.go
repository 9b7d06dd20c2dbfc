package sender

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestHeaderKey_KeepsPlainKeysAndDigestsOthers(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"":                  "alert:9",
		"lead:s-1_x:slack":  "lead:s-1_x:slack",
		"lead:a.b:slack":    "key_" + chatops.Digest("lead:a.b:slack", 32),
		"x\r\nEvil: header": "key_" + chatops.Digest("x\r\nEvil: header", 32),
	} {
		if got := headerKey(&chatops.Alert{ID: 9, IdempotencyKey: key}); got != want {
			t.Errorf("%q gives %q, want %q", key, got, want)
		}
	}
}

func TestHeaderKey_IsSafeAndStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alert := &chatops.Alert{ID: rapid.Int64().Draw(t, "id"), IdempotencyKey: rapid.String().Draw(t, "key")}
		got := headerKey(alert)
		if !plainKey().MatchString(got) || got != headerKey(alert) {
			t.Fatalf("got %q", got)
		}
	})
}

func TestOneLine_LeavesNothingThatBreaksALine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		got := oneLine(text, limit)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit || strings.ContainsFunc(got, unicode.IsControl) ||
			strings.ContainsAny(got, "\u2028\u2029") || got != strings.TrimSpace(got) {
			t.Fatalf("oneLine(%q, %d) = %q", text, limit, got)
		}
	})
	if got := oneLine("  Zażółć\r\n gęślą\tjaźń ", 40); got != "Zażółć gęślą jaźń" {
		t.Errorf("got %q", got)
	}
}

func TestShortCode_ShowsCodesOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"channel_is_archived\n": "channel_is_archived", "ComplexityException": "ComplexityException",
		"": "", "two words": "", "<html>": "", "jan@x.example": "", "123": "", "x" + strings.Repeat("y", 64): "",
	} {
		if got := shortCode(text); got != want {
			t.Errorf("shortCode(%q) = %q, want %q", text, got, want)
		}
	}
}
