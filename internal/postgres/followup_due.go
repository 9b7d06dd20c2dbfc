package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// contacted holds when somebody has been in touch with the person of
// conversation c already.
const contacted = `(
  exists (select from leads l where lower(l.email) = lower(c.email) and l.status in ('contacted', 'converted', 'lost'))
  or exists (select from leads l where l.session_id = c.session_id and l.status in ('contacted', 'converted', 'lost')))`

// silentPeople are conversations that may be followed up, as far as SQL can say
// it: candidates. Of a person's conversations that is the newest.
const silentPeople = `
select c.id, c.session_id, c.email, coalesce(c.context_data::text, ''), c.last_user_message_at,
  coalesce(had.last, 0), had.at, ` + dbNow + `
from chat_conversations c cross join lateral (
  select max(f.followup_number) as last, max(f.sent_at) as at
  from chat_conversations o join followup_event f on f.conversation_id = o.id
  where lower(o.email) = lower(c.email)) had
where c.email is not null and c.email <> '' and c.marketing_consent and c.rodo_consent
  and not exists (select from chat_conversations o where lower(o.email) = lower(c.email)
    and (o.last_user_message_at, o.id) > (c.last_user_message_at, c.id))
  and not ` + contacted

const (
	// selectSilent is a page of candidates, the longest silent first.
	selectSilent = silentPeople + `
  and c.last_user_message_at <= ` + dbNow + ` - $2::bigint * interval '1 microsecond'
  and c.last_user_message_at >= ` + dbNow + ` - $3::bigint * interval '1 microsecond'
  and (c.last_user_message_at, c.id) > ($4::timestamptz, $5::bigint)
order by c.last_user_message_at, c.id limit $6::bigint`

	// lockSilent is one candidate, locked.
	lockSilent = silentPeople + `
  and c.id = $2::bigint and c.email = $3::text
for update of c`

	selectHistories = `
select person_key, max(followup_number), max(sent_at) from followup_event
where person_key = any ($1::text[]) group by person_key`

	selectSuppressed = `select loose_key from suppression where loose_key = any ($1::text[])`
)

// DueFollowups returns a page of due follow-ups.
func (s *Store) DueFollowups(ctx context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error) {
	least, most := chatops.FollowupWindow(q.Schedule)
	return chatops.CollectDue(q, func(after chatops.DueCursor) (page []chatops.FollowupCandidate, err error) {
		err = s.do(ctx, func(ctx context.Context) error {
			rows, err := s.pool.Query(ctx, selectSilent, s.now(), least.Microseconds(), most.Microseconds(),
				after.SilentSince, after.ConversationID, q.Limit)
			if err != nil {
				return err
			}
			if page, err = pgx.CollectRows(rows, scanSilent); err != nil {
				return err
			}
			return s.judgeSilent(ctx, s.pool, page)
		})
		return page, err
	})
}

func scanSilent(row pgx.CollectableRow) (chatops.FollowupCandidate, error) {
	var c chatops.FollowupCandidate
	var facts string
	var at *time.Time
	err := row.Scan(&c.ConversationID, &c.SessionID, &c.Email, &facts, &c.SilentSince, &c.Had.Last, &at, &c.Now)
	c.SilentSince, c.Had.LastAt, c.Now = c.SilentSince.UTC(), utc(at), c.Now.UTC()
	c.Know(facts)
	return c, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// judgeSilent adds to candidates what is known of their mailboxes.
func (s *Store) judgeSilent(ctx context.Context, db querier, list []chatops.FollowupCandidate) error {
	candidates := consent.NewCandidates(list, s.mailbox)
	b := &pgx.Batch{}
	b.Queue(selectHistories, candidates.People()).Query(func(rows pgx.Rows) error {
		var key string
		var had chatops.FollowupHistory
		_, err := pgx.ForEachRow(rows, []any{&key, &had.Last, &had.LastAt}, func() error {
			candidates.Had(key, had)
			return nil
		})
		return err
	})
	queueBar(b, candidates)
	return db.SendBatch(ctx, b).Close()
}

// queueBar notes which candidates are suppressed.
func queueBar(b *pgx.Batch, candidates *consent.Candidates) {
	b.Queue(selectSuppressed, candidates.Marks()).Query(func(rows pgx.Rows) error {
		var key string
		_, err := pgx.ForEachRow(rows, []any{&key}, func() error {
			candidates.Bar(key)
			return nil
		})
		return err
	})
}

// bar notes which candidates are suppressed, if there are any.
func bar(ctx context.Context, db querier, candidates *consent.Candidates) error {
	if len(candidates.Marks()) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	queueBar(b, candidates)
	return db.SendBatch(ctx, b).Close()
}
