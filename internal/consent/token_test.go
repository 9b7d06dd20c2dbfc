package consent

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

const jan = "jan@x.pl"

// testKey is a key whose secret is one letter, repeated.
func testKey(id string) chatops.ConsentKey {
	return chatops.ConsentKey{ID: id, Secret: []byte(strings.Repeat(id, minSecret)[:minSecret])}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTokens(tb rapid.TB, now time.Time, ids ...string) *Tokens {
	tb.Helper()
	var keys []chatops.ConsentKey
	for _, id := range ids {
		keys = append(keys, testKey(id))
	}
	tokens, err := NewTokens(keys, func() time.Time { return now })
	if err != nil {
		tb.Fatal(err)
	}
	return tokens
}

// wantRefused fails unless the token is refused as all are.
func wantRefused(tb rapid.TB, tokens *Tokens, purpose, token string) {
	tb.Helper()
	email, err := tokens.Verify(purpose, token)
	if email != "" || chatops.ErrorCode(err) != chatops.CodeInvalid || err.Error() != "this link is not valid, or not any more" {
		tb.Fatalf("token %q for %s gives %q, %v", token, purpose, email, err)
	}
}

func TestTokens_BringTheAddressBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tokens := newTokens(t, noon, "a")
		purpose := rapid.SampledFrom([]string{chatops.PurposeUnsubscribe, "revoke", chatops.PurposeConfirm}).Draw(t, "purpose")
		key := rapid.StringN(0, 255, 1000).Draw(t, "key")
		token := tokens.Sign(purpose, key, noon.Add(time.Hour))
		if got, err := tokens.Verify(purpose, token); err != nil || got != key {
			t.Fatalf("%q came back as %q, %v", key, got, err)
		}
		if again := newTokens(t, noon, "a", "b").Sign(purpose, key, noon.Add(time.Hour)); again != token {
			t.Fatal("the same contents have two tokens")
		}
		if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q needs escaping in a URL", token)
		}
		for _, other := range []string{chatops.PurposeUnsubscribe, "revoke", chatops.PurposeConfirm, ""} {
			if other != purpose {
				wantRefused(t, tokens, other, token)
			}
		}
	})
}

func TestTokens_ShowNoAddress(t *testing.T) {
	t.Parallel()
	raw, err := base64.RawURLEncoding.DecodeString(newTokens(t, noon, "a").Sign(chatops.PurposeUnsubscribe, "somebody@example.pl", time.Time{}))
	if err != nil || strings.Contains(string(raw), "some") || strings.Contains(string(raw), "example") {
		t.Errorf("token holds %q, %v", raw, err)
	}
}

func TestTokens_WithAnyBitChanged_AreRefused(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, noon, "a", "b")
	token := tokens.Sign(chatops.PurposeUnsubscribe, jan, time.Time{})
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		changed := append([]byte(nil), raw...)
		changed[i/8] ^= 1 << (i % 8)
		wantRefused(t, tokens, chatops.PurposeUnsubscribe, base64.RawURLEncoding.EncodeToString(changed))
	}
	for i := range len(token) {
		wantRefused(t, tokens, chatops.PurposeUnsubscribe, token[:i])
		wantRefused(t, tokens, chatops.PurposeUnsubscribe, token[i+1:])
		wantRefused(t, tokens, chatops.PurposeUnsubscribe, token[:i]+"\n"+token[i:])
		for bit := range 6 {
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			c := alphabet[strings.IndexByte(alphabet, token[i])^1<<bit]
			wantRefused(t, tokens, chatops.PurposeUnsubscribe, token[:i]+string(c)+token[i+1:])
		}
	}
	for _, bad := range []string{
		"", " ", token + "=", token + "A", token + "AAAA", token + token, "+" + token[1:], strings.Repeat("A", 100), strings.Repeat("A", 1<<20),
		"Af8" + strings.Repeat("A", 60), "żółw", "\x00",
	} {
		wantRefused(t, tokens, chatops.PurposeUnsubscribe, bad)
	}
}

func TestTokens_OutliveTheRotationOfKeysAsLongAsTheirKeyIsKept(t *testing.T) {
	t.Parallel()
	old := newTokens(t, noon, "a").Sign(chatops.PurposeUnsubscribe, jan, time.Time{})
	both := newTokens(t, noon, "b", "a")
	if got, err := both.Verify(chatops.PurposeUnsubscribe, old); err != nil || got != jan {
		t.Errorf("a token of the key before: %q, %v", got, err)
	}
	fresh := both.Sign(chatops.PurposeUnsubscribe, jan, time.Time{})
	if fresh == old {
		t.Error("the newest key does not sign")
	}
	wantRefused(t, newTokens(t, noon, "b"), chatops.PurposeUnsubscribe, old)
	wantRefused(t, newTokens(t, noon, "a"), chatops.PurposeUnsubscribe, fresh)

	renamed := chatops.ConsentKey{ID: "b", Secret: testKey("a").Secret} // the same secret under another id
	other, err := NewTokens([]chatops.ConsentKey{renamed}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, other, chatops.PurposeUnsubscribe, old)
}

func TestTokens_ExpireUnlessTheyUnsubscribe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		purpose string
		expires time.Time
		now     time.Time
		good    bool
	}{
		{chatops.PurposeConfirm, noon.Add(time.Minute), noon, true},
		{chatops.PurposeConfirm, noon.Add(time.Minute), noon.Add(59 * time.Second), true},
		{chatops.PurposeConfirm, noon.Add(time.Minute), noon.Add(time.Minute), false},
		{chatops.PurposeConfirm, noon.Add(-time.Second), noon, false},
		{chatops.PurposeConfirm, time.Time{}, noon, false},
		{chatops.PurposeConfirm, time.Time{}, time.Unix(-5, 0), false},
		{chatops.PurposeConfirm, time.Unix(-10, 0), noon, false},
		{chatops.PurposeUnsubscribe, time.Time{}, noon.AddDate(50, 0, 0), true},
		{chatops.PurposeUnsubscribe, noon, noon.AddDate(50, 0, 0), true},
	} {
		token := newTokens(t, noon, "a").Sign(c.purpose, jan, c.expires)
		got, err := newTokens(t, c.now, "a").Verify(c.purpose, token)
		if (err == nil) != c.good || c.good && got != jan {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
		if !c.good {
			wantRefused(t, newTokens(t, c.now, "a"), c.purpose, token)
		}
	}
}

func TestNewTokens_WithoutAGoodKey_IsInvalid(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]chatops.ConsentKey{
		nil, {{ID: "a", Secret: make([]byte, minSecret-1)}}, {{ID: "", Secret: make([]byte, minSecret)}}, {testKey("a"), testKey("a")},
	} {
		if _, err := NewTokens(keys, time.Now); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%d keys: %v", len(keys), err)
		}
	}
}

func FuzzTokens(f *testing.F) {
	tokens := newTokens(f, noon, "a", "b")
	good := tokens.Sign(chatops.PurposeUnsubscribe, jan, time.Time{})
	f.Add(good)
	f.Add("AQFh" + good[4:])
	f.Add("AP8")
	f.Fuzz(func(t *testing.T, token string) {
		if token != good {
			wantRefused(t, tokens, chatops.PurposeUnsubscribe, token)
		}
		wantRefused(t, tokens, chatops.PurposeConfirm, token)
	})
}

// Whatever is wrong with a token, it costs what a good one costs: the signature
// is computed in any case.
func BenchmarkTokens_Verify(b *testing.B) {
	tokens := newTokens(b, noon, "a", "b")
	good := tokens.Sign(chatops.PurposeUnsubscribe, jan, time.Time{})
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	for _, c := range []struct{ name, purpose, token string }{
		{"good", chatops.PurposeUnsubscribe, good},
		{"changed", chatops.PurposeUnsubscribe, string(flipped)},
		{"of an unknown key", chatops.PurposeUnsubscribe, newTokens(b, noon, "c").Sign(chatops.PurposeUnsubscribe, jan, time.Time{})},
		{"for another purpose", chatops.PurposeConfirm, good},
		{"expired", chatops.PurposeConfirm, tokens.Sign(chatops.PurposeConfirm, jan, noon.Add(-time.Hour))},
		{"no token", chatops.PurposeUnsubscribe, "x"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := tokens.Verify(c.purpose, c.token); (err == nil) != (c.name == "good") {
					b.Fatal(err)
				}
			}
		})
	}
}
