package runbook

import (
	"encoding/base64"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestCursor_ComesBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := chatops.AlertCursor{
			CreatedAt: time.UnixMicro(rapid.Int64Range(-62e15, 253e15).Draw(t, "at")).UTC(),
			ID:        rapid.Int64Range(1, 1<<62).Draw(t, "id"),
		}
		got, err := decodeCursor(encodeCursor(&want))
		if err != nil || got.ID != want.ID || !got.CreatedAt.Equal(want.CreatedAt) {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}

func TestCursor_EmptyIsTheStart(t *testing.T) {
	t.Parallel()
	if got, err := decodeCursor(""); err != nil || got != (chatops.AlertCursor{}) || encodeCursor(nil) != "" {
		t.Errorf("start is %+v, %v", got, err)
	}
}

func TestCursor_BadOnesAreUsageErrors(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, text := range []string{"x", "!!", encode("1:2"), encode("2:1:1"), encode("1:a:1"), encode("1:1:-1"), encode("1:1:0"), encode("1:01:1"), encode("1:99999999999999999999:1"), encodeCursor(&chatops.AlertCursor{ID: 1}) + "="} {
		if _, err := decodeCursor(text); chatops.ErrorCode(err) != chatops.CodeUsage {
			t.Errorf("%q: %v, want a usage error", text, err)
		}
	}
}

func FuzzCursor_AcceptsOnlyWhatItMakes(f *testing.F) {
	f.Add(encodeCursor(&chatops.AlertCursor{CreatedAt: noon, ID: 7}))
	f.Add("MTox")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := decodeCursor(text)
		if err == nil && text != "" && encodeCursor(&c) != text {
			t.Fatalf("%q decodes to %+v, which is %q", text, c, encodeCursor(&c))
		}
	})
}
