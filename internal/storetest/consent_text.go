package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func consentTextCases() []testCase {
	return []testCase{
		{"EnsureConsentTexts_ByManyAtOnce_StoresEachOnce", ensureTexts},
		{"AddConsentText_CountsWithinKindAndLocale", addTexts},
		{"AddConsentText_ByManyAtOnce_LosesNone", addTextsParallel},
		{"AddConsentText_OfNoUse_IsInvalid", addTextInvalid},
		{"CurrentConsentText_IsTheNewestThatIsValid", currentText},
	}
}

// addText stores a text.
func (e *env) addText(kind chatops.ConsentKind, locale, body string, from time.Time) *chatops.ConsentText {
	e.t.Helper()
	t, err := e.store.AddConsentText(e.ctx, &chatops.ConsentText{
		ID: 99, Version: 99, Kind: kind, Locale: locale, Body: body, ValidFrom: from,
	})
	e.must(err)
	return t
}

func (e *env) consentTexts() []chatops.ConsentText {
	e.t.Helper()
	list, err := e.store.ConsentTexts(e.ctx)
	e.must(err)
	return list
}

func ensureTexts(e *env) {
	e.addText(chatops.KindRODO, "pl", "Własna treść.", time.Time{})
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			if err := stores[i%2].EnsureConsentTexts(e.ctx, chatops.BuiltInConsentTexts()); err != nil {
				e.t.Errorf("ensure: %v", err)
			}
		})
	}
	wg.Wait()
	var got []string
	for _, t := range e.consentTexts() {
		got = append(got, fmt.Sprintf("%s %s %d", t.Kind, t.Locale, t.Version))
		want := chatops.BuiltInConsentText(t.Kind, t.Locale).Body
		if t.Kind == chatops.KindRODO && t.Locale == "pl" {
			want = "Własna treść." // what an installation has written is kept
		}
		if t.ID == 0 || t.Body != want || t.ValidFrom.IsZero() || t.ValidFrom.After(e.clock.Peek()) {
			e.t.Errorf("text %+v", t)
		}
	}
	if want := []string{"marketing en 1", "marketing pl 1", "rodo en 1", "rodo pl 1"}; !slices.Equal(got, want) {
		e.t.Fatalf("texts %q, want %q", got, want)
	}
	err := e.store.EnsureConsentTexts(e.ctx, []chatops.ConsentText{{Kind: "cookies", Locale: "pl", Body: "x"}})
	e.wantCode(err, chatops.CodeInvalid)
}

func addTexts(e *env) {
	from := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	for i, body := range append([]string{"one", "two", "o'three\n<b>\"&\" ł 👍"}, hostile...) {
		body = strings.TrimSpace(chatops.CleanText(body))
		if body == "" || len([]rune(body)) > 5000 {
			continue
		}
		t := e.addText(chatops.KindRODO, "de", body, from)
		want := chatops.ConsentText{ID: t.ID, Kind: chatops.KindRODO, Locale: "de", Version: t.Version, Body: body, ValidFrom: from}
		if *t != want || t.ID == 99 || i < 3 && t.Version != i+1 {
			e.t.Fatalf("stored %+v, want %+v", *t, want)
		}
		got, err := e.store.ConsentText(e.ctx, t.ID)
		e.must(err)
		if *got != want {
			e.t.Fatalf("loaded %+v, want %+v", *got, want)
		}
	}
	for _, other := range []*chatops.ConsentText{
		e.addText(chatops.KindRODO, "de-AT", "x", from), e.addText(chatops.KindMarketing, "de", "x", from),
	} {
		if other.Version != 1 {
			e.t.Errorf("the first of %s in %s has version %d", other.Kind, other.Locale, other.Version)
		}
	}
	// Somebody else has written a row of their own.
	e.exec(`INSERT INTO consent_text (kind, version, locale, text) VALUES ('rodo', '2024-draft', 'fr', 'x'), ('rodo', '9', 'fr', 'y')`)
	if t := e.addText(chatops.KindRODO, "fr", "z", from); t.Version != 10 {
		e.t.Errorf("after version 9 comes %d", t.Version)
	}
	for _, id := range []int64{0, -1, 4711, 1<<63 - 1} {
		_, err := e.store.ConsentText(e.ctx, id)
		e.wantCode(err, chatops.CodeNotFound)
	}
}

func addTextsParallel(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			t := &chatops.ConsentText{Kind: chatops.KindMarketing, Locale: "pl", Body: "x"}
			if _, err := stores[i%2].AddConsentText(e.ctx, t); err != nil {
				e.t.Errorf("add: %v", err)
			}
		})
	}
	wg.Wait()
	for i, t := range e.consentTexts() {
		if t.Version != i+1 {
			e.t.Errorf("text %d has version %d", i, t.Version)
		}
	}
	if n := len(e.consentTexts()); n != 8 {
		e.t.Fatalf("%d of 8 texts are stored", n)
	}
}

func addTextInvalid(e *env) {
	for _, t := range []chatops.ConsentText{
		{Kind: "x", Locale: "pl", Body: "b"}, {Kind: chatops.KindRODO, Locale: "polski", Body: "b"}, {Kind: chatops.KindRODO, Locale: "pl"},
	} {
		_, err := e.store.AddConsentText(e.ctx, &t)
		e.wantCode(err, chatops.CodeInvalid)
	}
	if n := len(e.consentTexts()); n != 0 {
		e.t.Fatalf("%d texts stored", n)
	}
}

func currentText(e *env) {
	now := e.clock.Now()
	wantCurrent := func(version int) {
		e.t.Helper()
		t, err := e.store.CurrentConsentText(e.ctx, chatops.KindMarketing, "pl")
		if version == 0 {
			e.wantCode(err, chatops.CodeNotFound)
			return
		}
		e.must(err)
		if t.Version != version {
			e.t.Fatalf("version %d is current, want %d", t.Version, version)
		}
	}
	e.addText(chatops.KindMarketing, "pl", "later", now.Add(time.Hour))
	wantCurrent(0)
	e.addText(chatops.KindMarketing, "pl", "long since", now.Add(-100*time.Hour))
	e.addText(chatops.KindMarketing, "pl", "tomorrow", now.Add(24*time.Hour))
	e.addText(chatops.KindRODO, "pl", "another kind", time.Time{})
	e.addText(chatops.KindMarketing, "en", "another locale", time.Time{})
	wantCurrent(2)
	e.clock.Advance(2 * time.Hour)
	wantCurrent(2) // a version that was added later replaces those before it
	e.clock.Advance(24 * time.Hour)
	wantCurrent(3)
	_, err := e.store.CurrentConsentText(e.ctx, "x\x00", "\xff")
	e.wantCode(err, chatops.CodeNotFound)
}
