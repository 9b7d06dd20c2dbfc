package postgres

import (
	"context"
	"maps"
	"slices"
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

// silent is a conversation that may be followed up.
type silent struct {
	chatops.DueFollowup

	had    chatops.FollowupHistory
	barred bool // suppressed
	now    time.Time
}

// DueFollowups returns a page of due follow-ups. It reads on until the page is
// full, because not all that decides is known to the first query.
func (s *Store) DueFollowups(ctx context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error) {
	var due []chatops.DueFollowup
	least, most := chatops.FollowupWindow(q.Schedule)
	if q.Limit <= 0 || most == 0 {
		return nil, nil
	}
	for after := q.After; ; {
		var page []silent
		err := s.do(ctx, func(ctx context.Context) (err error) {
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
		if err != nil {
			return nil, err
		}
		for i := range page {
			if !page[i].next(q.Schedule) {
				continue
			}
			if due = append(due, page[i].DueFollowup); len(due) == q.Limit {
				return due, nil
			}
		}
		if len(page) < q.Limit {
			return due, nil
		}
		after = page[len(page)-1].Cursor()
	}
}

func scanSilent(row pgx.CollectableRow) (silent, error) {
	var c silent
	var facts string
	var at *time.Time
	err := row.Scan(&c.ConversationID, &c.SessionID, &c.Email, &facts, &c.SilentSince, &c.had.Last, &at, &c.now)
	c.SilentSince, c.had.LastAt, c.now = c.SilentSince.UTC(), utc(at), c.now.UTC()
	if f, err := decodeFacts(facts); err == nil { // a broken one says nothing, and stops nobody's mail
		c.Name, c.Language = f.Name, f.Language
	}
	if c.Language != "en" {
		c.Language = "pl"
	}
	return c, err
}

// next completes the follow-up with its number; false: none is due.
func (c *silent) next(schedule []time.Duration) (due bool) {
	c.Number, c.DueAt, due = chatops.NextFollowup(schedule, c.SilentSince, c.now, c.had)
	return due && !c.barred
}

// querier is a pool or a transaction.
type querier interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// judgeSilent adds to candidates what is known of their mailboxes.
func (s *Store) judgeSilent(ctx context.Context, db querier, list []silent) error {
	people, marked := map[string][]*silent{}, map[string][]*silent{}
	for i := range list {
		c := &list[i]
		key := consent.KeyOf(c.Email)
		people[consent.LooseKey(key)] = append(people[consent.LooseKey(key)], c)
		for _, mark := range s.mailbox(key).Suppressing {
			marked[mark] = append(marked[mark], c)
		}
	}
	b := &pgx.Batch{}
	b.Queue(selectHistories, slices.AppendSeq([]string{}, maps.Keys(people))).Query(func(rows pgx.Rows) error {
		var key string
		var had chatops.FollowupHistory
		_, err := pgx.ForEachRow(rows, []any{&key, &had.Last, &had.LastAt}, func() error {
			for _, c := range people[key] {
				c.had = c.had.Merge(had)
			}
			return nil
		})
		return err
	})
	b.Queue(selectSuppressed, slices.AppendSeq([]string{}, maps.Keys(marked))).Query(func(rows pgx.Rows) error {
		var key string
		_, err := pgx.ForEachRow(rows, []any{&key}, func() error {
			for _, c := range marked[key] {
				c.barred = true
			}
			return nil
		})
		return err
	})
	return db.SendBatch(ctx, b).Close()
}
