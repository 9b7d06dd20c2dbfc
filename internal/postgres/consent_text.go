package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// The statements of consent texts. created_at is when a version begins to hold.
// Versions that are no numbers are not ours and stand before them all.
const (
	textColumns = `id, kind, locale, ` + textVersion + ` as number, text, created_at`
	textVersion = `case when version ~ '^[0-9]{1,9}$' then version::integer else 0 end`

	// ensureTexts may be run by several processes at once: the others find the
	// row of the first.
	ensureTexts = `
insert into consent_text (kind, locale, version, text, created_at)
select g.kind, g.locale, '1', g.body, ` + dbNow + `
from unnest($2::text[], $3::text[], $4::text[]) g (kind, locale, body)
where not exists (select from consent_text t where t.kind = g.kind and t.locale = g.locale)
on conflict do nothing`

	// addText follows lockKeys, so that one version after another is counted.
	addText = `
insert into consent_text (kind, locale, version, text, created_at)
select $2::text, $3::text, (coalesce(max(` + textVersion + `), 0) + 1)::text, $4::text, coalesce($5::timestamptz, ` + dbNow + `)
from consent_text where kind = $2::text and locale = $3::text
returning ` + textColumns

	listTexts = `select ` + textColumns + ` from consent_text order by kind, locale, number, id`

	currentText = `
select ` + textColumns + ` from consent_text
where kind = $2::text and locale = $3::text and created_at <= ` + dbNow + `
order by number desc, id desc limit 1`

	textByID = `select ` + textColumns + ` from consent_text where id = $1::bigint`
)

func scanText(row pgx.Row, t *chatops.ConsentText) error {
	err := row.Scan(&t.ID, &t.Kind, &t.Locale, &t.Version, &t.Body, &t.ValidFrom)
	t.ValidFrom = t.ValidFrom.UTC()
	return err
}

// EnsureConsentTexts stores version 1 where there is none, in one round trip.
func (s *Store) EnsureConsentTexts(ctx context.Context, texts []chatops.ConsentText) error {
	var kinds, locales, bodies []string
	for i := range texts {
		t := &texts[i]
		if err := t.Validate(); err != nil {
			return err
		}
		kinds, locales, bodies = append(kinds, string(t.Kind)), append(locales, t.Locale), append(bodies, t.Body)
	}
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, ensureTexts, s.now(), kinds, locales, bodies)
		return err
	})
}

// AddConsentText stores the next version of a text, in one round trip.
func (s *Store) AddConsentText(ctx context.Context, t *chatops.ConsentText) (*chatops.ConsentText, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	var stored chatops.ConsentText
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(lockKeys, int32(personLocks))
		b.Queue(addText, s.now(), string(t.Kind), t.Locale, t.Body, null(t.ValidFrom)).QueryRow(func(row pgx.Row) error {
			return scanText(row, &stored)
		})
	})
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// ConsentTexts returns every version.
func (s *Store) ConsentTexts(ctx context.Context) (list []chatops.ConsentText, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, listTexts)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t chatops.ConsentText, err error) {
			return t, scanText(row, &t)
		})
		return err
	})
	return list, err
}

// CurrentConsentText returns the newest version that is valid now.
func (s *Store) CurrentConsentText(ctx context.Context, kind chatops.ConsentKind, locale string) (*chatops.ConsentText, error) {
	t, err := s.oneText(ctx, currentText, s.now(), chatops.CleanText(string(kind)), chatops.CleanText(locale))
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
	err := s.do(ctx, func(ctx context.Context) error { return scanText(s.pool.QueryRow(ctx, query, args...), &t) })
	if err != nil {
		return nil, err
	}
	return &t, nil
}
