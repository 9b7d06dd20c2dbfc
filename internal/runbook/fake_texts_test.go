package runbook

import (
	"context"

	"chatops/internal/chatops"
)

func (f *fakeStore) EnsureConsentTexts(_ context.Context, texts []chatops.ConsentText) error {
	f.people.ensured++
	if len(f.people.texts) == 0 {
		for _, t := range texts {
			t.ID, t.Version, t.ValidFrom = int64(len(f.people.texts)+1), 1, noon
			f.people.texts = append(f.people.texts, t)
		}
	}
	return f.err
}

func (f *fakeStore) AddConsentText(_ context.Context, t *chatops.ConsentText) (*chatops.ConsentText, error) {
	stored := *t
	stored.ID, stored.Version = int64(len(f.people.texts)+1), 1
	for _, known := range f.people.texts {
		if known.Kind == t.Kind && known.Locale == t.Locale {
			stored.Version = known.Version + 1
		}
	}
	if stored.ValidFrom.IsZero() {
		stored.ValidFrom = noon
	}
	f.people.texts = append(f.people.texts, stored)
	return &stored, f.err
}

func (f *fakeStore) CountSuppressed(_ context.Context, keys []string) (n int, err error) {
	f.people.batches++
	for _, key := range keys {
		if _, ok := f.people.suppressed[key]; ok {
			n++
		}
	}
	return n, f.err
}

func (f *fakeStore) ConsentTexts(context.Context) ([]chatops.ConsentText, error) {
	return f.people.texts, f.err
}

func (f *fakeStore) ConsentText(_ context.Context, id int64) (*chatops.ConsentText, error) {
	for i := range f.people.texts {
		if f.people.texts[i].ID == id {
			return &f.people.texts[i], f.err
		}
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "consent text %d: not found", id)
}
