package chatops

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ConsentKind is what is agreed to, as consent_text.kind has it.
type ConsentKind string

// The kinds of consent. Each is agreed to by itself.
const (
	KindMarketing ConsentKind = "marketing" // messages such as follow-ups
	KindRODO      ConsentKind = "rodo"      // processing of personal data
)

// ConsentKinds lists every kind.
func ConsentKinds() []ConsentKind { return []ConsentKind{KindMarketing, KindRODO} }

// ConsentText is one wording that people agree to. It is never changed: a new
// wording is a new version, so that a consent on record can be shown with the
// words that were agreed to.
type ConsentText struct {
	ID      int64
	Kind    ConsentKind
	Locale  string // "pl", "en", "de-AT"
	Version int    // counted up from 1 within a kind and locale
	Body    string
	// ValidFrom is when it replaces the version before it.
	ValidFrom time.Time
}

// ConsentTextStore keeps the wordings that people agree to.
type ConsentTextStore interface {
	// EnsureConsentTexts stores a text as version 1 where its kind has none in
	// its locale; ID, Version and ValidFrom are ignored, and the text is valid at
	// once. What is there stays. Several processes may do it at once.
	EnsureConsentTexts(ctx context.Context, texts []ConsentText) error
	// AddConsentText stores a text as the next version of its kind and locale
	// and returns it as it is stored. ID and Version of t are ignored; a zero
	// ValidFrom means now.
	AddConsentText(ctx context.Context, t *ConsentText) (*ConsentText, error)
	// ConsentTexts returns every version, by kind, locale and version.
	ConsentTexts(ctx context.Context) ([]ConsentText, error)
	// CurrentConsentText returns the newest version that is valid now, or
	// CodeNotFound.
	CurrentConsentText(ctx context.Context, kind ConsentKind, locale string) (*ConsentText, error)
	// ConsentText returns one version by its number, or CodeNotFound.
	ConsentText(ctx context.Context, id int64) (*ConsentText, error)
}

// maxConsentText bounds a wording, in characters.
const maxConsentText = 5000

var consentLocale = Pattern(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// Validate reports what makes a text unfit to be agreed to, as CodeInvalid.
func (t *ConsentText) Validate() error {
	n := utf8.RuneCountInString(t.Body)
	switch {
	case !slices.Contains(ConsentKinds(), t.Kind):
		return Errorf(CodeInvalid, "kind %q: must be one of %s", t.Kind, joinTexts(ConsentKinds()))
	case !consentLocale().MatchString(t.Locale):
		return Errorf(CodeInvalid, "locale %q: must be a language such as pl, en or de-AT", t.Locale)
	case strings.TrimSpace(t.Body) == "":
		return Errorf(CodeInvalid, "consent text: must say what is agreed to")
	case t.Body != CleanText(t.Body):
		return Errorf(CodeInvalid, "consent text: must be UTF-8 without NUL")
	case n > maxConsentText:
		return Errorf(CodeInvalid, "consent text of %d characters: at most %d", n, maxConsentText)
	}
	return nil
}

// AuditNotes name the text in the notes of an audit row; empty for a text that
// is not stored.
func (t *ConsentText) AuditNotes() string {
	if t.ID == 0 {
		return ""
	}
	return "text=" + strconv.FormatInt(t.ID, 10) + "; version=" + strconv.Itoa(t.Version) + "; locale=" + t.Locale
}

// BuiltInConsentTexts are the wordings of an installation that has added none:
// version 1 of each kind, in Polish and English.
func BuiltInConsentTexts() []ConsentText {
	return []ConsentText{
		{
			Kind: KindMarketing, Locale: "pl",
			Body: "Chcę otrzymywać e-mailem przypomnienia i informacje handlowe związane z moją rozmową. Zgodę mogę wycofać w każdej chwili.",
		},
		{
			Kind: KindMarketing, Locale: "en",
			Body: "I want to receive reminders and commercial information about my conversation by e-mail. I can withdraw this consent at any time.",
		},
		{
			Kind: KindRODO, Locale: "pl",
			Body: "Zgadzam się na przetwarzanie danych, które podam w rozmowie, w celu przygotowania oferty i kontaktu ze mną (RODO). Zgodę mogę wycofać w każdej chwili.",
		},
		{
			Kind: KindRODO, Locale: "en",
			Body: "I agree that the data I give in this conversation are processed to prepare an offer and to contact me (GDPR). I can withdraw this consent at any time.",
		},
	}
}

// BuiltInConsentText is the built-in wording of a kind in a locale, else in
// English.
func BuiltInConsentText(kind ConsentKind, locale string) ConsentText {
	var found ConsentText
	for _, t := range BuiltInConsentTexts() {
		if t.Kind == kind && (t.Locale == locale || t.Locale == "en" && found.Body == "") {
			found = t
		}
	}
	return found
}
