package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	insertAccess = `insert into access_log (at, actor, command, purpose, subject) values (?, ?, ?, ?, ?)`

	listAccess = `
select id, at, actor, command, purpose, subject from access_log
where ?1 = '' or subject = ?1 order by id desc limit ?2`

	addSuppression = `
insert into suppression (email_key, scope, source, created_at) values (?, ?, ?, ?) on conflict (email_key) do nothing`

	countSuppressed = `select count(*) from suppression where email_key in (select value from json_each(?))`

	listKeys  = `select id, secret from consent_key order by created_at desc, id`
	insertKey = `insert into consent_key (id, secret, created_at) select ?, ?, ? where not exists (select 1 from consent_key)`
)

// orNow gives the zero time the write's own.
func (tx *writeTx) orNow(t time.Time) string {
	if t.IsZero() {
		return stamp(tx.now)
	}
	return stamp(t)
}

// LogAccess records a look-up.
func (s *Store) LogAccess(ctx context.Context, e chatops.AccessEntry) error {
	return s.write(ctx, func(tx *writeTx) error {
		_, err := tx.exec(insertAccess, tx.orNow(e.At), text(e.Actor), text(e.Command), text(e.Purpose), text(e.Subject))
		return err
	})
}

// AccessLog returns look-ups, newest first.
func (s *Store) AccessLog(ctx context.Context, subject string, limit int) ([]chatops.AccessEntry, error) {
	var list []chatops.AccessEntry
	err := s.read(ctx, func(r *readTx) error {
		list = nil
		return r.each(listAccess, func(row scanner) error {
			var e chatops.AccessEntry
			err := row.Scan(&e.ID, timeColumn{&e.At}, &e.Actor, &e.Command, &e.Purpose, &e.Subject)
			list = append(list, e)
			return err
		}, text(subject), max(limit, 0))
	})
	return list, err
}

// AddSuppressions stores addresses in one transaction.
func (s *Store) AddSuppressions(ctx context.Context, list []chatops.Suppression) (added int, err error) {
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return 0, err
		}
	}
	err = s.write(ctx, func(tx *writeTx) error {
		added = 0
		for i := range list {
			one := &list[i]
			args := []any{text(one.EmailKey), one.Scope, one.ClippedSource(), tx.orNow(one.CreatedAt)}
			n, err := tx.exec(addSuppression, args...)
			if err == nil && n == 0 {
				_, err = tx.exec(suppress, args...) // widens it
			}
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
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
		keys[i] = text(key)
	}
	err = s.read(ctx, func(r *readTx) error { return r.row(countSuppressed, jsonArray(keys)).Scan(&n) })
	return n, err
}

// StoredConsentKeys returns the stored keys, newest first, storing first when
// there is none.
func (s *Store) StoredConsentKeys(ctx context.Context, first chatops.ConsentKey) (keys []chatops.ConsentKey, err error) {
	read := func(each func(query string, scan func(row scanner) error, args ...any) error) error {
		keys = nil
		return each(listKeys, func(row scanner) error {
			var k chatops.ConsentKey
			err := row.Scan(&k.ID, &k.Secret)
			keys = append(keys, k)
			return err
		})
	}
	err = s.read(ctx, func(r *readTx) error { return read(r.each) })
	if err == nil && len(keys) == 0 {
		err = s.write(ctx, func(tx *writeTx) error {
			if _, err := tx.exec(insertKey, first.ID, first.Secret, stamp(tx.now)); err != nil {
				return err
			}
			return read(tx.each)
		})
	}
	if err != nil {
		return nil, err
	}
	s.learned.Learn(keys)
	return keys, nil
}
