package chatops

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What stores refuse in JSON, once the pairs that are fine are taken out.
var (
	pairs   = regexp.MustCompile(`(?i)\\ud[89ab]..\\ud[c-f]..`)
	refused = regexp.MustCompile(`(?i)\\u(0000|d[89a-f]..)`)
)

// anyText draws text of letters, invalid UTF-8 and NUL.
func anyText() *rapid.Generator[string] {
	part := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x00", "\xff", "\xc5", "ż", "🏠", "\ufffd", "\xed\xa0\x80"}))
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
	})
}

func TestCleanText_IsCleanAndStaysAsItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		clean := CleanText(text)
		if !utf8.ValidString(clean) || strings.Contains(clean, "\x00") {
			t.Fatalf("%q became %q", text, clean)
		}
		if again := CleanText(clean); again != clean {
			t.Fatalf("%q, then %q", clean, again)
		}
		if utf8.ValidString(text) && strings.ReplaceAll(text, "\x00", "\ufffd") != clean {
			t.Fatalf("good text %q became %q", text, clean)
		}
	})
}

func TestCleanJSON_OfAnyEscapesDecodesToCleanText(t *testing.T) {
	t.Parallel()
	unit := rapid.OneOf(rapid.SampledFrom([]uint16{0, '\\', '"', 'u', 0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000}), rapid.Uint16())
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(unit, 0, 8).Draw(t, "units")
		var raw strings.Builder
		for _, u := range units {
			fmt.Fprintf(&raw, rapid.SampledFrom([]string{`\u%04x`, `\u%04X`}).Draw(t, "escape"), u)
		}
		clean := CleanJSON(json.RawMessage(`"` + raw.String() + `"`))
		var got string
		if err := json.Unmarshal(clean, &got); err != nil {
			t.Fatalf("%s became %s: %v", raw.String(), clean, err)
		}
		if want := CleanText(string(utf16.Decode(units))); got != want {
			t.Fatalf("%s is read as %q, want %q", raw.String(), got, want)
		}
		if lone := refused.FindString(pairs.ReplaceAllString(string(clean), "")); lone != "" {
			t.Fatalf("%s became %s, which holds %s", raw.String(), clean, lone)
		}
	})
}

func TestClip_KeepsTheStartAndNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, n := anyText().Draw(t, "text"), rapid.IntRange(0, 12).Draw(t, "limit")
		got, clean := clip(text, n), CleanText(text)
		if want := min(n, utf8.RuneCountInString(clean)); utf8.RuneCountInString(got) != want || !strings.HasPrefix(clean, got) {
			t.Fatalf("%q clipped to %d is %q, want its first %d", text, n, got, want)
		}
		if again := clip(got, n); again != got {
			t.Fatalf("%q, then %q", got, again)
		}
	})
}

func TestConsentOrigin_ClippedTwiceIsClippedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fill := strings.Repeat("ó", rapid.SampledFrom([]int{0, 49, 50, 51, 499, 501, 1000, 1001}).Draw(t, "length"))
		text := fill + anyText().Draw(t, "text")
		once := ConsentOrigin{IPAddress: text, UserAgent: text, Reason: text}.Clipped()
		if twice := once.Clipped(); twice != once {
			t.Fatalf("%+v, then %+v", once, twice)
		}
		if !strings.HasPrefix(once.Reason, once.UserAgent) || !strings.HasPrefix(once.UserAgent, once.IPAddress) {
			t.Fatalf("the fields of %q are not its start: %+v", text, once)
		}
	})
}

// A spelling tells who somebody is: it must never be that of somebody else.
func TestEmailSpellings_AreAllOfTheSameAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("aząłóßσςµıſèя.1"))
		key := string(rapid.SliceOfN(letters, 1, 8).Draw(t, "letters")) + "@x.pl"
		seen := map[string]bool{}
		for _, s := range EmailSpellings(key) {
			if strings.ToLower(s) != key {
				t.Fatalf("%q is a spelling of %q, not of %q", s, strings.ToLower(s), key)
			}
			if seen[s] {
				t.Fatalf("%q is listed twice", s)
			}
			seen[s] = true
		}
	})
}

func TestEmailSpellings_OfManyLettersAreTwo(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int{"ąęłó@x.pl": 16, "ąęłóż@x.pl": 2, "ą@x.pl": 2, "1@x.pl": 1, "": 1} {
		if got := EmailSpellings(key); len(got) != want {
			t.Errorf("%q has %d spellings, want %d", key, len(got), want)
		}
	}
}

func TestChecks_OfAddresses_NeverRepeatThem(t *testing.T) {
	t.Parallel()
	long := "jan.kowalski@" + strings.Repeat("ż", 243) // 256 characters
	for name, err := range map[string]error{
		"lead":        (&Lead{Email: long}).Validate(),
		"change":      (&LeadChange{Email: &long}).Validate(),
		"withdrawal":  (&ConsentWithdrawal{Action: ActionRevoke, EmailKey: long}).Validate(),
		"grant":       (&ConsentGrant{EmailKey: long, RODO: true}).Validate(),
		"suppression": (&Suppression{EmailKey: long, Scope: "all"}).Validate(),
	} {
		if want := "e-mail address of 256 characters: at most 255"; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	bad := Suppression{EmailKey: "jan@x.pl", Scope: "some"}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), `"some"`) || strings.Contains(err.Error(), "jan") {
		t.Errorf("suppression: %v, want the scope without the address", err)
	}
}

func TestOnceKey_EachPartHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	for _, part := range []struct {
		name    string
		longest int
		set     func(*OnceKey, string)
	}{
		{"scope", 200, func(k *OnceKey, s string) { k.Scope = s }},
		{"idempotency key and its body", 64, func(k *OnceKey, s string) { k.Key = s }},
		{"idempotency key and its body", 64, func(k *OnceKey, s string) { k.Body = s }},
		{"owner", 64, func(k *OnceKey, s string) { k.Owner = s }},
	} {
		k := OnceKey{Scope: "s", Key: "k", Body: "b", Owner: "o"}
		part.set(&k, strings.Repeat("x", part.longest))
		if err := k.Validate(); err != nil {
			t.Errorf("%s of %d bytes: %v", part.name, part.longest, err)
		}
		part.set(&k, strings.Repeat("x", part.longest+1))
		err := k.Validate()
		if ErrorCode(err) != CodeInvalid || !strings.HasPrefix(err.Error(), part.name) || strings.Contains(err.Error(), "xx") {
			t.Errorf("%s of %d bytes: %v", part.name, part.longest+1, err)
		}
	}
}

func TestEmailPayload_LeavesOutWhatIsEmptyAndReadsBack(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(EmailPayload{Subject: "s", Text: "t"})
	if want := `{"subject":"s","text":"t"}`; err != nil || string(raw) != want {
		t.Errorf("payload is %s, %v; want %s", raw, err, want)
	}
	full := EmailPayload{To: "jan@x.pl", Subject: "ż", Text: "a\nb", HTML: "<p>", Unsubscribe: "https://x.pl/u"}
	raw, err = json.Marshal(full)
	var back EmailPayload
	if err != nil || json.Unmarshal(CleanJSON(raw), &back) != nil || back != full {
		t.Errorf("%s was read as %+v", raw, back)
	}
}
