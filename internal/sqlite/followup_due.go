package sqlite

import (
	"context"
	"maps"
	"slices"
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

// silent is a conversation that may be followed up.
type silent struct {
	chatops.DueFollowup

	had    chatops.FollowupHistory
	barred bool // suppressed
}

// eacher runs a constant query and calls scan for each row.
type eacher func(query string, scan func(row scanner) error, args ...any) error

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
		now := s.now()
		oldest := now.Add(-most)
		if after.SilentSince.After(oldest) {
			oldest = after.SilentSince
		}
		err := s.read(ctx, func(r *readTx) error {
			err := r.each(selectSilent, silentInto(&page), stamp(now.Add(-least)), stamp(oldest),
				stamp(after.SilentSince), after.ConversationID, q.Limit)
			if err != nil {
				return err
			}
			return s.judgeSilent(r.each, page)
		})
		if err != nil {
			return nil, err
		}
		for i := range page {
			if !page[i].next(q.Schedule, now) {
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

func silentInto(list *[]silent) func(row scanner) error {
	return func(row scanner) error {
		var c silent
		var facts string
		err := row.Scan(&c.ConversationID, &c.SessionID, textColumn{&c.Email}, textColumn{&facts},
			timeColumn{&c.SilentSince}, &c.had.Last, timeColumn{&c.had.LastAt})
		if f, err := decodeFacts(facts); err == nil { // a broken one says nothing, and stops nobody's mail
			c.Name, c.Language = f.Name, f.Language
		}
		if c.Language != "en" {
			c.Language = "pl"
		}
		*list = append(*list, c)
		return err
	}
}

// next completes the follow-up with its number; false: none is due.
func (c *silent) next(schedule []time.Duration, now time.Time) (due bool) {
	c.Number, c.DueAt, due = chatops.NextFollowup(schedule, c.SilentSince, now, c.had)
	return due && !c.barred
}

// judgeSilent adds to candidates what is known of their mailboxes.
func (s *Store) judgeSilent(each eacher, list []silent) error {
	people, marked := map[string][]*silent{}, map[string][]*silent{}
	for i := range list {
		c := &list[i]
		key := consent.KeyOf(c.Email)
		people[consent.LooseKey(key)] = append(people[consent.LooseKey(key)], c)
		for _, mark := range s.mailbox(key).Suppressing {
			marked[mark] = append(marked[mark], c)
		}
	}
	err := each(selectHistories, func(row scanner) error {
		var key string
		var had chatops.FollowupHistory
		err := row.Scan(&key, &had.Last, timeColumn{&had.LastAt})
		for _, c := range people[key] {
			c.had = c.had.Merge(had)
		}
		return err
	}, jsonArray(slices.AppendSeq([]string{}, maps.Keys(people))))
	if err != nil {
		return err
	}
	return each(selectSuppressed, func(row scanner) error {
		var key string
		err := row.Scan(&key)
		for _, c := range marked[key] {
			c.barred = true
		}
		return err
	}, jsonArray(slices.AppendSeq([]string{}, maps.Keys(marked))))
}
