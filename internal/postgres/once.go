package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// claimKept is how long a claim whose owner has died is remembered after its
// lease: so long, the key is no other request's.
const claimKept = 24 * time.Hour

const notHeld = `'the request with this key is not held any more: another one has taken it over'`

const (
	// claimOnce claims a key that is new, has expired, or whose owner has died.
	// In any other case it locks the row and leaves it, so that readOnce sees
	// what the claim has lost against, also when it was committed just now.
	claimOnce = `
insert into idempotency_key as k (scope, key, body, owner, locked_until, created_at, expires_at)
values ($2::text, $3::text, $4::text, $5::text, ` + dbNow + ` + $6::bigint * interval '1 microsecond', ` + dbNow + `,
  ` + dbNow + ` + ($6::bigint + $7::bigint) * interval '1 microsecond')
on conflict (scope, key) do update set body = excluded.body, owner = excluded.owner,
  locked_until = excluded.locked_until, status = null, reply = null, record_id = null,
  created_at = excluded.created_at, expires_at = excluded.expires_at
where k.expires_at <= excluded.created_at
  or k.status is null and k.body = excluded.body and k.locked_until <= excluded.created_at`

	readOnce = `
select body, owner, status, coalesce(reply, ''), coalesce(record_id, 0) from idempotency_key
where scope = $1::text and key = $2::text`

	keepTurn = `
with kept as (
  update idempotency_key set status = $5::integer, reply = $6::text,
    record_id = (select id from chat_conversations where session_id = $8::text),
    expires_at = ` + dbNow + ` + $7::bigint * interval '1 microsecond', locked_until = null
  where scope = $2::text and key = $3::text and owner = $4::text and status is null
  returning 1)
select chatops_require(count(*) = 1, ` + notHeld + `) from kept`

	abandonOnce = `
delete from idempotency_key where scope = $1::text and key = $2::text and owner = $3::text and status is null`

	// deleteExpiredOnce leaves rows to requests that are just taking them over.
	deleteExpiredOnce = `
delete from idempotency_key where ctid = any (array(
  select ctid from idempotency_key where expires_at <= ` + dbNow + `
  order by expires_at limit $2::bigint for update skip locked))`
)

// BeginOnce claims a key or returns the reply that is kept for it, in one round
// trip.
func (s *Store) BeginOnce(ctx context.Context, k chatops.OnceKey, lease time.Duration) (*chatops.KeptReply, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	now := s.now()
	scope, key := chatops.CleanText(k.Scope), chatops.CleanText(k.Key)
	body, owner := chatops.CleanText(k.Body), chatops.CleanText(k.Owner)
	var status *int
	var heldBody, heldBy, reply string
	var record int64
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(claimOnce, now, scope, key, body, owner, max(lease, 0).Microseconds(), claimKept.Microseconds())
		b.Queue(readOnce, scope, key).QueryRow(func(row pgx.Row) error {
			return row.Scan(&heldBody, &heldBy, &status, &reply, &record)
		})
	})
	switch {
	case err != nil:
		return nil, err
	case heldBody != body:
		return nil, chatops.Errorf(chatops.CodeMismatch, "this key was used for a request with other content")
	case status != nil:
		return &chatops.KeptReply{Status: *status, Reply: []byte(reply), RecordID: record}, nil
	case heldBy != owner:
		return nil, chatops.Errorf(chatops.CodeConflict, "a request with this key is running")
	}
	return nil, nil //nolint:nilnil // the key is claimed
}

// replyParams are a reply as parameters: scope, key, owner, status, reply, keep.
func replyParams(r *chatops.OnceReply) []any {
	return []any{
		chatops.CleanText(r.Scope), chatops.CleanText(r.Key), chatops.CleanText(r.Owner),
		r.Status, chatops.CleanText(string(r.Reply)), max(r.Keep, 0).Microseconds(),
	}
}

// AbandonOnce gives up a claim that is still held.
func (s *Store) AbandonOnce(ctx context.Context, k chatops.OnceKey) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, abandonOnce,
			chatops.CleanText(k.Scope), chatops.CleanText(k.Key), chatops.CleanText(k.Owner))
		return err
	})
}

// DeleteExpiredOnce removes up to limit keys that have expired.
func (s *Store) DeleteExpiredOnce(ctx context.Context, limit int) (int, error) {
	now := s.now()
	var deleted int64
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, deleteExpiredOnce, now, max(limit, 0))
		deleted = tag.RowsAffected()
		return err
	})
	return int(deleted), err
}
