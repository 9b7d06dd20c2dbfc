package chatops

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLeadChecks_RefuseWhatNoStoreKeeps(t *testing.T) {
	t.Parallel()
	long, bad := strings.Repeat("ł", 256), LeadStatus("won")
	for name, err := range map[string]error{
		"lead's address": (&Lead{Email: long}).Validate(),
		"lead's state":   (&Lead{Status: bad}).Validate(),
		"lead's score":   (&Lead{LeadScore: math.MaxInt32 + 1}).Validate(),
		"new address":    (&LeadChange{Email: &long}).Validate(),
		"new state":      (&LeadChange{Status: &bad}).Validate(),
		"filter's state": (&LeadFilter{Status: bad}).Validate(),
		"filter's sort":  (&LeadFilter{Sort: "id; drop table leads"}).Validate(),
	} {
		if ErrorCode(err) != CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole, empty := strings.Repeat("ł", 255), ""
	for name, err := range map[string]error{
		"lead":   (&Lead{Email: whole, Status: LeadLost, LeadScore: 100}).Validate(),
		"empty":  (&Lead{}).Validate(),
		"change": (&LeadChange{Email: &empty}).Validate(),
		"filter": (&LeadFilter{Sort: SortLeadScore, Status: LeadNew}).Validate(),
		"all":    (&LeadFilter{}).Validate(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLeadFilter_NamesTheSortsThatExist(t *testing.T) {
	t.Parallel()
	err := (&LeadFilter{Sort: "phone"}).Validate()
	want := `sort leads by "phone": must be one of created_at, updated_at, name, email, status, lead_score`
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestOnceKey_RefusesEmptyAndLongParts(t *testing.T) {
	t.Parallel()
	good := OnceKey{Scope: strings.Repeat("s", 200), Key: strings.Repeat("k", 64), Body: "b", Owner: "o"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*OnceKey, string){
		"scope": func(k *OnceKey, s string) { k.Scope = s },
		"key":   func(k *OnceKey, s string) { k.Key = s },
		"body":  func(k *OnceKey, s string) { k.Body = s },
		"owner": func(k *OnceKey, s string) { k.Owner = s },
	} {
		for _, value := range []string{"", strings.Repeat("x", 201)} {
			k := good
			spoil(&k, value)
			if err := k.Validate(); ErrorCode(err) != CodeInvalid {
				t.Errorf("%s of %d bytes: %v", name, len(value), err)
			}
		}
	}
}

func TestConsentWithdrawal_MustNameSomebodyAndSomething(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]ConsentWithdrawal{
		"nobody":       {Action: ActionRevoke},
		"nothing":      {EmailKey: "a@b.pl"},
		"other action": {Action: ActionRODOGiven, EmailKey: "a@b.pl"},
		"long address": {Action: ActionRevoke, EmailKey: strings.Repeat("a", 256)},
	} {
		if err := w.Validate(); ErrorCode(err) != CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := ConsentWithdrawal{Action: ActionUnsubscribe, LeadID: 1}
	if err := w.Validate(); err != nil {
		t.Error(err)
	}
}

func TestConsentOrigin_IsClippedByCharacters(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ż", 2000)
	o := ConsentOrigin{IPAddress: long, UserAgent: long, Reason: "\x00" + long}.Clipped()
	for want, text := range map[int]string{50: o.IPAddress, 500: o.UserAgent, 1000: o.Reason} {
		if n := utf8.RuneCountInString(text); n != want || !utf8.ValidString(text) {
			t.Errorf("clipped to %d characters, want %d", n, want)
		}
	}
	short := ConsentOrigin{IPAddress: "2001:db8::1", UserAgent: "curl", Reason: "nie chcę"}
	if got := short.Clipped(); got != short {
		t.Errorf("a short origin became %+v", got)
	}
	if strings.Contains(o.Reason, "\x00") {
		t.Error("a NUL was kept")
	}
}

// foldASCII is lower() of SQLite, and of PostgreSQL in the C locale.
func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func TestEmailSpellings_FindAnAddressWhateverItsCase(t *testing.T) {
	t.Parallel()
	if got := EmailSpellings("jan@example.pl"); !slices.Equal(got, []string{"jan@example.pl"}) {
		t.Errorf("an address in ASCII has the spellings %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]rune("abzłóżß.+1")), 1, 6).Draw(t, "letters")
		key := string(letters) + "@x.pl"
		typed := []rune(key)
		for i := range typed {
			if rapid.Bool().Draw(t, "upper") && typed[i] != 'ß' {
				typed[i] = []rune(strings.ToUpper(string(typed[i])))[0]
			}
		}
		list := EmailSpellings(key)
		if list[0] != key {
			t.Fatalf("the first spelling of %q is %q", key, list[0])
		}
		many := 0
		for _, r := range key {
			if strings.ContainsRune("łóż", r) {
				many++
			}
		}
		if many <= fewLetters && !slices.Contains(list, foldASCII(string(typed))) {
			t.Fatalf("spellings of %q are %q, without that of %q", key, list, string(typed))
		}
		if !slices.Contains(list, foldASCII(strings.ToUpper(key))) && !strings.Contains(key, "ß") {
			t.Fatalf("spellings of %q are %q, without capitals", key, list)
		}
		if len(list) > 1<<fewLetters {
			t.Fatalf("%d spellings", len(list))
		}
	})
}

func TestConsentGrant_MustNameSomebodyAndSomething(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		grant ConsentGrant
		good  bool
	}{
		{ConsentGrant{EmailKey: "jan@x.pl", Marketing: true}, true},
		{ConsentGrant{EmailKey: "jan@x.pl", RODO: true}, true},
		{ConsentGrant{EmailKey: "jan@x.pl"}, false},
		{ConsentGrant{Marketing: true, RODO: true}, false},
		{ConsentGrant{EmailKey: strings.Repeat("a", 300), RODO: true}, false},
	} {
		if err := c.grant.Validate(); (err == nil) != c.good || err != nil && ErrorCode(err) != CodeInvalid {
			t.Errorf("%+v: %v", c.grant, err)
		}
	}
}

func TestConsentGrant_NotesSayWhatWasAgreedTo(t *testing.T) {
	t.Parallel()
	for want, g := range map[string]ConsentGrant{
		"":               {},
		"marketing=true": {Marketing: true},
		"text=7; version=2; locale=pl; rodo=true; channel=phone": {Text: ConsentText{ID: 7, Version: 2, Locale: "pl"}, RODO: true, Notes: "channel=phone"},
		"marketing=true; rodo=true":                              {Marketing: true, RODO: true},
		strings.Repeat("n", maxOriginText):                       {Notes: strings.Repeat("n", 2*maxOriginText)},
		"text=1; version=1; locale=en; marketing=true; a\ufffdb": {Text: ConsentText{ID: 1, Version: 1, Locale: "en"}, Marketing: true, Notes: "a\x00b"},
	} {
		if got := g.AuditNotes(); got != want {
			t.Errorf("%+v has the notes %q, want %q", g, got, want)
		}
	}
}

func TestSuppression_MustNameSomebodyAndAScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    Suppression
		good bool
	}{
		{Suppression{EmailKey: "jan@x.pl", Scope: "marketing"}, true},
		{Suppression{EmailKey: "hmac:k:00", Scope: "all"}, true},
		{Suppression{EmailKey: "jan@x.pl"}, false},
		{Suppression{Scope: "all"}, false},
		{Suppression{EmailKey: strings.Repeat("a", 256), Scope: "all"}, false},
	} {
		if err := c.s.Validate(); (err == nil) != c.good || err != nil && ErrorCode(err) != CodeInvalid {
			t.Errorf("%+v: %v", c.s, err)
		}
	}
	long := Suppression{Source: strings.Repeat("ż", 80)}
	if got := long.ClippedSource(); got != strings.Repeat("ż", 50) {
		t.Errorf("source is kept as %q", got)
	}
}
