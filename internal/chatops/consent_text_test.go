package chatops

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConsentText_ValidateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := ConsentText{Kind: KindRODO, Locale: "pl", Body: "Zgadzam się."}
	for _, tt := range []struct {
		name   string
		change func(*ConsentText)
		says   string
	}{
		{"good", func(*ConsentText) {}, ""},
		{"a region", func(c *ConsentText) { c.Locale = "de-AT" }, ""},
		{"as long as may be", func(c *ConsentText) { c.Body = strings.Repeat("ż", 5000) }, ""},
		{"no kind", func(c *ConsentText) { c.Kind = "" }, `kind "": must be one of marketing, rodo`},
		{"another kind", func(c *ConsentText) { c.Kind = "cookies" }, `kind "cookies"`},
		{"no locale", func(c *ConsentText) { c.Locale = "" }, `locale ""`},
		{"a name of a language", func(c *ConsentText) { c.Locale = "Polish" }, `locale "Polish": must be a language such as pl`},
		{"capitals", func(c *ConsentText) { c.Locale = "PL" }, `locale "PL"`},
		{"blank", func(c *ConsentText) { c.Body = " \n\t" }, "must say what is agreed to"},
		{"too long", func(c *ConsentText) { c.Body = strings.Repeat("ż", 5001) }, "consent text of 5001 characters: at most 5000"},
		{"NUL", func(c *ConsentText) { c.Body = "a\x00b" }, "must be UTF-8 without NUL"},
		{"no Unicode", func(c *ConsentText) { c.Body = "a\xff" }, "must be UTF-8 without NUL"},
	} {
		c := good
		tt.change(&c)
		err := c.Validate()
		if tt.says == "" && err != nil || tt.says != "" && (ErrorCode(err) != CodeInvalid || !strings.Contains(ErrorMessage(err), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}

func TestConsentText_AuditNotesNameTextVersionAndLocale(t *testing.T) {
	t.Parallel()
	stored := ConsentText{ID: 7, Kind: KindMarketing, Locale: "en", Version: 3, Body: "I agree."}
	if got := stored.AuditNotes(); got != "text=7; version=3; locale=en" {
		t.Errorf("notes %q", got)
	}
	unknown := BuiltInConsentText(KindMarketing, "en")
	if got := unknown.AuditNotes(); got != "" {
		t.Errorf("a text that is not stored is noted as %q", got)
	}
}

func TestBuiltInConsentTexts_AreValidAndOfEveryKindInBothLanguages(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range BuiltInConsentTexts() {
		if err := c.Validate(); err != nil {
			t.Errorf("%s %s: %v", c.Kind, c.Locale, err)
		}
		if c.ID != 0 || c.Version != 0 || !c.ValidFrom.IsZero() {
			t.Errorf("%+v says what only a store knows", c)
		}
		seen[string(c.Kind)+c.Locale] = true
	}
	for _, p := range ConsentKinds() {
		if !seen[string(p)+"pl"] || !seen[string(p)+"en"] {
			t.Errorf("%s lacks a language", p)
		}
	}
}

func TestBuiltInConsentText_IsOfTheKindWhateverTheLocale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(ConsentKinds()).Draw(t, "kind")
		locale := rapid.SampledFrom([]string{"pl", "en", "de", "", "pl-PL"}).Draw(t, "locale")
		got := BuiltInConsentText(kind, locale)
		want := locale
		if locale != "pl" {
			want = "en"
		}
		if got.Kind != kind || got.Locale != want || got.Body == "" {
			t.Fatalf("got %+v", got)
		}
	})
}
