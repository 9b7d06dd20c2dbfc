package chatops

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ConsentPurpose is what a consent is asked for, as consent_text.kind has it.
type ConsentPurpose string

// The purposes. Each is agreed to by itself.
const (
	PurposeMarketing ConsentPurpose = "marketing" // messages such as follow-ups
	PurposeRODO      ConsentPurpose = "rodo"      // processing of personal data
)

// ConsentPurposes lists every purpose.
func ConsentPurposes() []ConsentPurpose { return []ConsentPurpose{PurposeMarketing, PurposeRODO} }

// ConsentText is one wording that people agree to. It is never changed: a new
// wording is a new version, so that a consent on record can be shown with the
// words that were agreed to.
type ConsentText struct {
	ID      int64
	Purpose ConsentPurpose
	Locale  string // "pl", "en", "de-AT"
	Version int    // counted up from 1 within a purpose and locale
	Body    string
	// ValidFrom is when it replaces the version before it.
	ValidFrom time.Time
}

// ConsentTextStore keeps the wordings that people agree to.
type ConsentTextStore interface {
	// EnsureConsentTexts stores a text as version 1 where its purpose has none in
	// its locale; ID, Version and ValidFrom are ignored, and the text is valid at
	// once. What is there stays. Several processes may do it at once.
	EnsureConsentTexts(ctx context.Context, texts []ConsentText) error
	// AddConsentText stores a text as the next version of its purpose and locale
	// and returns it as it is stored. ID and Version of t are ignored; a zero
	// ValidFrom means now.
	AddConsentText(ctx context.Context, t *ConsentText) (*ConsentText, error)
	// ConsentTexts returns every version, by purpose, locale and version.
	ConsentTexts(ctx context.Context) ([]ConsentText, error)
	// CurrentConsentText returns the newest version that is valid now, or
	// CodeNotFound.
	CurrentConsentText(ctx context.Context, purpose ConsentPurpose, locale string) (*ConsentText, error)
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
	case !slices.Contains(ConsentPurposes(), t.Purpose):
		return Errorf(CodeInvalid, "purpose %q: must be one of %s", t.Purpose, joinTexts(ConsentPurposes()))
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
// version 1 of each purpose, in Polish and English.
func BuiltInConsentTexts() []ConsentText {
	return []ConsentText{
		{
			Purpose: PurposeMarketing, Locale: "pl",
			Body: "Chcę otrzymywać e-mailem przypomnienia i informacje handlowe związane z moją rozmową. Zgodę mogę wycofać w każdej chwili.",
		},
		{
			Purpose: PurposeMarketing, Locale: "en",
			Body: "I want to receive reminders and commercial information about my conversation by e-mail. I can withdraw this consent at any time.",
		},
		{
			Purpose: PurposeRODO, Locale: "pl",
			Body: "Zgadzam się na przetwarzanie danych, które podam w rozmowie, w celu przygotowania oferty i kontaktu ze mną (RODO). Zgodę mogę wycofać w każdej chwili.",
		},
		{
			Purpose: PurposeRODO, Locale: "en",
			Body: "I agree that the data I give in this conversation are processed to prepare an offer and to contact me (GDPR). I can withdraw this consent at any time.",
		},
	}
}

// BuiltInConsentText is the wording of a purpose in a locale, else in English.
func BuiltInConsentText(purpose ConsentPurpose, locale string) ConsentText {
	var found ConsentText
	for _, t := range BuiltInConsentTexts() {
		if t.Purpose == purpose && (t.Locale == locale || t.Locale == "en" && found.Body == "") {
			found = t
		}
	}
	return found
}
