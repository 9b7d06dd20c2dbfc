package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// contacted holds when somebody has been in touch with the person of
// conversation c already.
const contacted = `(
  exists (select 1 from leads l where lower(l.email) = lower(c.email) and l.status in ('contacted', 'converted', 'lost'))
  or exists (select 1 from leads l where l.session_id = c.session_id and l.status in ('contacted', 'converted', 'lost')))`

// silentPeople are conversations that may be followed up, as far as SQL can say
// it: candidates. Of a person's conversations that is the newest.
const silentPeople = `
select c.id, c.session_id, c.email, c.context_data, c.last_user_message_at,
  coalesce((select max(f.followup_number) from chat_conversations o join followup_event f on f.conversation_id = o.id
    where lower(o.email) = lower(c.email)), 0),
  (select max(f.sent_at) from chat_conversations o join followup_event f on f.conversation_id = o.id
    where lower(o.email) = lower(c.email))
from chat_conversations c
where c.email is not null and c.email <> '' and c.marketing_consent and c.rodo_consent
  and not exists (select 1 from chat_conversations o where lower(o.email) = lower(c.email)
    and (o.last_user_message_at > c.last_user_message_at
      or o.last_user_message_at = c.last_user_message_at and o.id > c.id))
  and not ` + contacted

const (
	// selectSilent is a page of candidates, the longest silent first.
	selectSilent = silentPeople + `
  and c.last_user_message_at <= ?1 and c.last_user_message_at >= ?2
  and (c.last_user_message_at > ?3 or c.last_user_message_at = ?3 and c.id > ?4)
order by c.last_user_message_at, c.id limit ?5`

	selectSilentOne = silentPeople + `
  and c.id = ?1 and c.email = ?2 and c.last_user_message_at is not null`

	selectHistories = `
select person_key, max(followup_number), max(sent_at) from followup_event
where person_key is not null and person_key in (select value from json_each(?)) group by person_key`

	selectSuppressed = `select loose_key from suppression where loose_key in (select value from json_each(?))`
)

// eacher runs a constant query and calls scan for each row.
type eacher func(query string, scan func(row scanner) error, args ...any) error

// DueFollowups returns a page of due follow-ups.
func (s *Store) DueFollowups(ctx context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error) {
	least, most := chatops.FollowupWindow(q.Schedule)
	return chatops.CollectDue(q, func(after chatops.DueCursor) (page []chatops.FollowupCandidate, err error) {
		now := s.now()
		oldest := now.Add(-most)
		if after.SilentSince.After(oldest) {
			oldest = after.SilentSince
		}
		err = s.read(ctx, func(r *readTx) error {
			err := r.each(selectSilent, silentInto(&page, now), stamp(now.Add(-least)), stamp(oldest),
				stamp(after.SilentSince), after.ConversationID, q.Limit)
			if err != nil {
				return err
			}
			return s.judgeSilent(r.each, page)
		})
		return page, err
	})
}

func silentInto(list *[]chatops.FollowupCandidate, now time.Time) func(row scanner) error {
	return func(row scanner) error {
		c := chatops.FollowupCandidate{Now: now}
		var facts string
		err := row.Scan(&c.ConversationID, &c.SessionID, textColumn{&c.Email}, textColumn{&facts},
			timeColumn{&c.SilentSince}, &c.Had.Last, timeColumn{&c.Had.LastAt})
		c.Know(facts)
		*list = append(*list, c)
		return err
	}
}

// judgeSilent adds to candidates what is known of their mailboxes.
func (s *Store) judgeSilent(each eacher, list []chatops.FollowupCandidate) error {
	candidates := consent.NewCandidates(list, s.mailbox)
	err := each(selectHistories, func(row scanner) error {
		var key string
		var had chatops.FollowupHistory
		err := row.Scan(&key, &had.Last, timeColumn{&had.LastAt})
		candidates.Had(key, had)
		return err
	}, jsonArray(candidates.People()))
	if err != nil {
		return err
	}
	return s.bar(each, candidates)
}

// bar notes which candidates are suppressed.
func (s *Store) bar(each eacher, candidates *consent.Candidates) error {
	marks := candidates.Marks()
	if len(marks) == 0 {
		return nil
	}
	return each(selectSuppressed, func(row scanner) error {
		var key string
		err := row.Scan(&key)
		candidates.Bar(key)
		return err
	}, jsonArray(marks))
}
