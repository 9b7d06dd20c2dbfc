package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	insertAccess = `
insert into access_log (at, actor, command, purpose, subject)
values (coalesce($2::timestamptz, ` + dbNow + `), $3::text, $4::text, $5::text, $6::text)`

	listAccess = `
select id, at, actor, command, purpose, subject from access_log
where $1::text = '' or subject = $1::text order by id desc limit $2::bigint`

	addSuppressions = `
with given as (
  select email_key, scope, source, created_at
  from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) g (email_key, scope, source, created_at)),
stored as (
  insert into suppression as s (email_key, scope, source, created_at)
  select email_key, scope, source, coalesce(created_at, ` + dbNow + `) from given order by email_key
  on conflict (email_key) do update set scope = excluded.scope, source = excluded.source
  where s.scope = 'marketing' and excluded.scope = 'all'
  returning xmax = 0 as made)
select count(*) filter (where made) from stored`

	countSuppressed = `select count(*) from suppression where email_key = any ($1::text[])`

	lockKeys  = `select pg_advisory_xact_lock($1::integer, 0)` // nobody's number is needed here
	insertKey = `
insert into consent_key (id, secret, created_at)
select $2::text, $3::bytea, ` + dbNow + ` where not exists (select from consent_key)`
	listKeys = `select id, secret from consent_key order by created_at desc, id`
)

// LogAccess records a look-up.
func (s *Store) LogAccess(ctx context.Context, e chatops.AccessEntry) error {
	clean := chatops.CleanText
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, insertAccess, s.now(), null(e.At), clean(e.Actor), clean(e.Command), clean(e.Purpose), clean(e.Subject))
		return err
	})
}

// AccessLog returns look-ups, newest first.
func (s *Store) AccessLog(ctx context.Context, subject string, limit int) ([]chatops.AccessEntry, error) {
	var list []chatops.AccessEntry
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, listAccess, chatops.CleanText(subject), max(limit, 0))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e chatops.AccessEntry, err error) {
			err = row.Scan(&e.ID, &e.At, &e.Actor, &e.Command, &e.Purpose, &e.Subject)
			e.At = e.At.UTC()
			return e, err
		})
		return err
	})
	return list, err
}

// AddSuppressions stores addresses in one round trip. One that is given twice
// counts once, with the wider scope.
func (s *Store) AddSuppressions(ctx context.Context, list []chatops.Suppression) (added int, err error) {
	widest := map[string]chatops.Suppression{}
	for _, one := range list {
		if err := one.Validate(); err != nil {
			return 0, err
		}
		one.EmailKey = chatops.CleanText(one.EmailKey)
		if known, ok := widest[one.EmailKey]; !ok || known.Scope == "marketing" && one.Scope == "all" {
			widest[one.EmailKey] = one
		}
	}
	sorted := make([]chatops.Suppression, 0, len(widest))
	for _, one := range widest {
		sorted = append(sorted, one)
	}
	slices.SortFunc(sorted, func(a, b chatops.Suppression) int { return cmp.Compare(a.EmailKey, b.EmailKey) })
	var keys, scopes, sources []string
	var times []*time.Time
	for i := range sorted {
		keys, scopes = append(keys, sorted[i].EmailKey), append(scopes, sorted[i].Scope)
		sources, times = append(sources, sorted[i].ClippedSource()), append(times, null(sorted[i].CreatedAt))
	}
	if len(keys) == 0 {
		return 0, nil
	}
	err = s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, addSuppressions, s.now(), keys, scopes, sources, times).Scan(&added)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// CountSuppressed counts addresses that are suppressed.
func (s *Store) CountSuppressed(ctx context.Context, emailKeys []string) (n int, err error) {
	keys := make([]string, len(emailKeys))
	for i, key := range emailKeys {
		keys[i] = chatops.CleanText(key)
	}
	err = s.do(ctx, func(ctx context.Context) error { return s.pool.QueryRow(ctx, countSuppressed, keys).Scan(&n) })
	return n, err
}

// StoredConsentKeys returns the stored keys, newest first, storing first when
// there is none.
func (s *Store) StoredConsentKeys(ctx context.Context, first chatops.ConsentKey) ([]chatops.ConsentKey, error) {
	keys, err := s.consentKeys(ctx)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		err = s.batch(ctx, func(b *pgx.Batch) {
			b.Queue(lockKeys, int32(personLocks))
			b.Queue(insertKey, s.now(), first.ID, first.Secret)
		})
		if err != nil {
			return nil, err
		}
		if keys, err = s.consentKeys(ctx); err != nil {
			return nil, err
		}
	}
	s.learned.Learn(keys)
	return keys, nil
}

func (s *Store) consentKeys(ctx context.Context) (keys []chatops.ConsentKey, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, listKeys)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (k chatops.ConsentKey, err error) {
			return k, row.Scan(&k.ID, &k.Secret)
		})
		return err
	})
	return keys, err
}
