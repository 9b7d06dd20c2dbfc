package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

// The statements of consent texts. created_at is when a version begins to hold.
// Versions that are no numbers are not ours and stand before them all.
const (
	textColumns = `id, kind, locale, ` + textVersion + `, text, created_at`
	textVersion = `case when version glob '*[^0-9]*' or length(version) > 9 then 0 else cast(version as integer) end`

	ensureText = `
insert into consent_text (kind, locale, version, text, created_at)
select ?1, ?2, '1', ?3, ?4 where not exists (select 1 from consent_text where kind = ?1 and locale = ?2)`

	addText = `
insert into consent_text (kind, locale, version, text, created_at)
select ?1, ?2, coalesce(max(` + textVersion + `), 0) + 1, ?3, ?4 from consent_text where kind = ?1 and locale = ?2
returning ` + textColumns

	listTexts = `select ` + textColumns + ` from consent_text order by kind, locale, 4, id`

	currentText = `
select ` + textColumns + ` from consent_text where kind = ?1 and locale = ?2 and created_at <= ?3
order by 4 desc, id desc limit 1`

	textByID = `select ` + textColumns + ` from consent_text where id = ?`
)

func scanText(row scanner, t *chatops.ConsentText) error {
	return row.Scan(&t.ID, &t.Kind, &t.Locale, &t.Version, textColumn{&t.Body}, timeColumn{&t.ValidFrom})
}

// EnsureConsentTexts stores version 1 where there is none.
func (s *Store) EnsureConsentTexts(ctx context.Context, texts []chatops.ConsentText) error {
	for i := range texts {
		if err := texts[i].Validate(); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx *writeTx) error {
		for i := range texts {
			t := &texts[i]
			if _, err := tx.exec(ensureText, string(t.Kind), t.Locale, t.Body, stamp(tx.now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddConsentText stores the next version of a text.
func (s *Store) AddConsentText(ctx context.Context, t *chatops.ConsentText) (*chatops.ConsentText, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	var stored chatops.ConsentText
	err := s.write(ctx, func(tx *writeTx) error {
		return scanText(tx.row(addText, string(t.Kind), t.Locale, t.Body, tx.orNow(t.ValidFrom)), &stored)
	})
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// ConsentTexts returns every version.
func (s *Store) ConsentTexts(ctx context.Context) (list []chatops.ConsentText, err error) {
	err = s.read(ctx, func(r *readTx) error {
		list = nil
		return r.each(listTexts, func(row scanner) error {
			var t chatops.ConsentText
			err := scanText(row, &t)
			list = append(list, t)
			return err
		})
	})
	return list, err
}

// CurrentConsentText returns the newest version that is valid now.
func (s *Store) CurrentConsentText(ctx context.Context, kind chatops.ConsentKind, locale string) (*chatops.ConsentText, error) {
	t, err := s.oneText(ctx, currentText, text(string(kind)), text(locale), stamp(s.now()))
	if err != nil {
		return nil, notFound(err, "consent text for %s in %q: there is none", kind, locale)
	}
	return t, nil
}

// ConsentText returns one version.
func (s *Store) ConsentText(ctx context.Context, id int64) (*chatops.ConsentText, error) {
	t, err := s.oneText(ctx, textByID, id)
	if err != nil {
		return nil, notFound(err, "consent text %d: not found", id)
	}
	return t, nil
}

func (s *Store) oneText(ctx context.Context, query string, args ...any) (*chatops.ConsentText, error) {
	var t chatops.ConsentText
	if err := s.read(ctx, func(r *readTx) error { return scanText(r.row(query, args...), &t) }); err != nil {
		return nil, err
	}
	return &t, nil
}
