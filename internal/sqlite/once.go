package sqlite

import (
	"context"
	"database/sql"
	"time"

	"chatops/internal/chatops"
)

// claimKept is how long a claim whose owner has died is remembered after its
// lease: so long, the key is no other request's.
const claimKept = 24 * time.Hour

const (
	readOnce = `
select body, status, reply, record_id from idempotency_key where scope = ? and key = ?`

	// claimOnce claims a key that is new, has expired, or whose owner has died.
	claimOnce = `
insert into idempotency_key as k (scope, key, body, owner, locked_until, created_at, expires_at)
values (?, ?, ?, ?, ?, ?, ?)
on conflict (scope, key) do update set body = excluded.body, owner = excluded.owner,
  locked_until = excluded.locked_until, status = null, reply = null, record_id = null,
  created_at = excluded.created_at, expires_at = excluded.expires_at
where k.expires_at <= excluded.created_at
  or k.status is null and k.body = excluded.body and k.locked_until <= excluded.created_at`

	keepOnce = `
update idempotency_key set status = ?, reply = ?, record_id = ?, expires_at = ?, locked_until = null
where scope = ? and key = ? and owner = ? and status is null`

	abandonOnce = `
delete from idempotency_key where scope = ? and key = ? and owner = ? and status is null`

	deleteExpiredOnce = `
delete from idempotency_key where (scope, key) in (
  select scope, key from idempotency_key where expires_at <= ? order by expires_at limit ?)`
)

// BeginOnce claims a key or returns the reply that is kept for it.
func (s *Store) BeginOnce(ctx context.Context, k chatops.OnceKey, lease time.Duration) (*chatops.KeptReply, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	var kept *chatops.KeptReply
	err := s.write(ctx, func(tx *writeTx) error {
		kept = nil
		until := tx.now.Add(max(lease, 0))
		claimed, err := tx.exec(claimOnce, text(k.Scope), text(k.Key), text(k.Body), text(k.Owner),
			stamp(until), stamp(tx.now), stamp(until.Add(claimKept)))
		if err != nil || claimed > 0 {
			return err
		}
		kept, err = tx.keptReply(&k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// keptReply says why a key could not be claimed.
func (tx *writeTx) keptReply(k *chatops.OnceKey) (*chatops.KeptReply, error) {
	var body, reply string
	var status, record sql.NullInt64
	err := tx.row(readOnce, text(k.Scope), text(k.Key)).Scan(&body, &status, textColumn{&reply}, &record)
	switch {
	case err != nil:
		return nil, err
	case body != text(k.Body):
		return nil, chatops.Errorf(chatops.CodeMismatch, "this key was used for a request with other content")
	case !status.Valid:
		return nil, chatops.Errorf(chatops.CodeConflict, "a request with this key is running")
	}
	return &chatops.KeptReply{Status: int(status.Int64), Reply: []byte(reply), RecordID: record.Int64}, nil
}

// keepReply stores the reply of the request that holds the key, or gives
// CodeConflict when another one has taken it over.
func (tx *writeTx) keepReply(r *chatops.OnceReply, record int64) error {
	held, err := tx.exec(keepOnce, r.Status, text(string(r.Reply)), record, stamp(tx.now.Add(max(r.Keep, 0))),
		text(r.Scope), text(r.Key), text(r.Owner))
	if err == nil && held == 0 {
		return chatops.Errorf(chatops.CodeConflict, "the request with this key is not held any more: another one has taken it over")
	}
	return err
}

// validateOnce checks a reply that may be missing.
func validateOnce(r *chatops.OnceReply) error {
	if r == nil {
		return nil
	}
	return r.Validate()
}

// AbandonOnce gives up a claim that is still held.
func (s *Store) AbandonOnce(ctx context.Context, k chatops.OnceKey) error {
	return s.write(ctx, func(tx *writeTx) error {
		_, err := tx.exec(abandonOnce, text(k.Scope), text(k.Key), text(k.Owner))
		return err
	})
}

// DeleteExpiredOnce removes up to limit keys that have expired.
func (s *Store) DeleteExpiredOnce(ctx context.Context, limit int) (int, error) {
	var deleted int64
	err := s.write(ctx, func(tx *writeTx) (err error) {
		deleted, err = tx.exec(deleteExpiredOnce, stamp(tx.now), max(limit, 0))
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}
