package chatops_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"chatops/internal/chatops"
)

func TestCleanText_ReplacesWhatStoresRefuse(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                      "",
		"Zażółć gęślą jaźń 🏠":   "Zażółć gęślą jaźń 🏠",
		"a\x00b":                "a\uFFFDb",
		"a\xffb":                "a\uFFFDb",
		"a\xc5":                 "a\uFFFD",
		"'; DROP TABLE x; --\\": "'; DROP TABLE x; --\\",
	}
	for in, want := range tests {
		if got := chatops.CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanJSON_ReplacesInsideStringsOnly(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{"a":1}`:                   `{"a":1}`,
		`{"a":"x\u0000y"}`:          `{"a":"x\ufffdy"}`,
		`{"a":"x\\u0000y"}`:         `{"a":"x\\u0000y"}`,
		`{"a":"x\\\u0000y"}`:        `{"a":"x\\\ufffdy"}`,
		`"\ud83c\udfe0"`:            `"\ud83c\udfe0"`,
		`"\uD83C\uDFE0\n"`:          `"\uD83C\uDFE0\n"`,
		`"\ud83cx"`:                 `"\ufffdx"`,
		`"\udfe0\ud83c"`:            `"\ufffd\ufffd"`,
		`"\ud83c\u0041"`:            `"\ufffd\u0041"`,
		"\"a\xffb\"":                "\"a\uFFFDb\"",
		`"\u0142\u00f3d\u017a \"q"`: `"\u0142\u00f3d\u017a \"q"`,
	}
	for in, want := range tests {
		if got := string(chatops.CleanJSON(json.RawMessage(in))); got != want {
			t.Errorf("CleanJSON(%s) = %s, want %s", in, got, want)
		}
	}
}

func FuzzCleanJSON_KeepsValidity(f *testing.F) {
	f.Add([]byte(`{"a":"\u0000\ud800\\u0000"}`))
	f.Add([]byte("\"\xff\\ud83c\\udfe0\""))
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) {
			return
		}
		out := chatops.CleanJSON(in)
		if !json.Valid(out) || !utf8.Valid(out) {
			t.Fatalf("CleanJSON(%q) = %q", in, out)
		}
		if again := chatops.CleanJSON(out); string(again) != string(out) {
			t.Fatalf("not stable: %q then %q", out, again)
		}
	})
}
