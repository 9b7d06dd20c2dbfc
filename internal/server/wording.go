package server

import (
	"context"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// ConsentTexts is where the wordings come from that the pages ask people to
// agree to; chatops.ConsentTextStore has it.
type ConsentTexts interface {
	CurrentConsentText(ctx context.Context, kind chatops.ConsentKind, locale string) (*chatops.ConsentText, error)
	ConsentText(ctx context.Context, id int64) (*chatops.ConsentText, error)
}

const (
	// wordingFresh is how long a wording is shown before the store is asked
	// again: a page shows a new version that much later at most. What is recorded
	// is the number of what was shown.
	wordingFresh = 5 * time.Second
	// wordingWait is how long a page waits for the store.
	wordingWait = time.Second
)

// wordings keeps the current wordings.
type wordings struct {
	store   ConsentTexts // nil: there are only the built-in ones
	nowFunc func() time.Time
	mu      sync.Mutex
	known   map[wordingKey]wording
}

type wordingKey struct {
	kind chatops.ConsentKind
	lang string
}

type wording struct {
	text  chatops.ConsentText
	until time.Time
}

// current is the wording that a page shows. A page has to be shown also when
// the store cannot be asked: it shows what it showed before, else the built-in
// wording.
func (w *wordings) current(ctx context.Context, kind chatops.ConsentKind, lang string) chatops.ConsentText {
	if w.store == nil {
		return chatops.BuiltInConsentText(kind, lang)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key, now := wordingKey{kind, lang}, w.nowFunc()
	known, ok := w.known[key]
	if ok && now.Before(known.until) {
		return known.text
	}
	if !ok {
		known.text = chatops.BuiltInConsentText(kind, lang)
	}
	// Not the visitor's own context: others wait for the answer as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wordingWait)
	defer cancel()
	text, err := w.store.CurrentConsentText(ctx, kind, lang)
	if err == nil {
		known.text = *text
	}
	known.until = now.Add(wordingFresh)
	if w.known == nil {
		w.known = map[wordingKey]wording{}
	}
	w.known[key] = known
	return known.text
}

// shown is the marketing text that a form says it has shown, by its number in
// decimal; the current one where it says none. False: there is no such text.
func (w *wordings) shown(ctx context.Context, number, lang string) (text chatops.ConsentText, ok bool, err error) {
	if number == "" || w.store == nil {
		return w.current(ctx, chatops.KindMarketing, lang), true, nil
	}
	id, ok := parseID(number)
	if !ok {
		return text, false, nil
	}
	known, err := w.store.ConsentText(ctx, id)
	switch {
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return text, false, nil
	case err != nil:
		return text, false, err
	}
	return *known, known.Kind == chatops.KindMarketing, nil
}
