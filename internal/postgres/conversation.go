package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const selectConversation = `
select c.id, c.session_id, coalesce(c.email, ''), coalesce(c.context_data::text, '{}'), c.started_at, c.ended_at,
       c.awaiting_confirmation, c.followup_count, c.last_followup_at, c.last_user_message_at,
       c.marketing_consent, c.rodo_consent, c.needs_human_review, coalesce(l.id, 0), c.version
from chat_conversations c left join leads l on l.session_id = c.session_id
where c.session_id = $1::text`

// Conversation loads a session's conversation, or gives CodeNotFound.
func (s *Store) Conversation(ctx context.Context, sessionID string) (*chatops.Conversation, error) {
	var c chatops.Conversation
	err := s.do(ctx, func(ctx context.Context) error {
		var facts string
		var ended, lastFollowup, lastMessage *time.Time
		err := s.pool.QueryRow(ctx, selectConversation, chatops.CleanText(sessionID)).Scan(
			&c.ID, &c.SessionID, &c.Email, &facts, &c.StartedAt, &ended,
			&c.AwaitingConfirmation, &c.FollowupCount, &lastFollowup, &lastMessage,
			&c.MarketingConsent, &c.RODOConsent, &c.NeedsHumanReview, &c.LeadID, &c.Version)
		if err != nil {
			return err
		}
		c.StartedAt, c.EndedAt = c.StartedAt.UTC(), utc(ended)
		c.LastFollowupAt, c.LastUserMessageAt = utc(lastFollowup), utc(lastMessage)
		c.Facts, err = chatops.DecodeFacts(facts)
		return err
	})
	if err != nil {
		return nil, notFound(err, "conversation of this session: not found")
	}
	return &c, nil
}

const selectMessages = `
select m.id, m.message, m.sender, m.timestamp, m.is_followup
from chat_messages m
where m.conversation_id = (select id from chat_conversations where session_id = $1::text)
order by m.id desc limit $2::bigint`

// Messages returns up to limit messages of a session, oldest first.
func (s *Store) Messages(ctx context.Context, sessionID string, limit int) ([]chatops.Message, error) {
	var list []chatops.Message
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, selectMessages, chatops.CleanText(sessionID), max(limit, 0))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (chatops.Message, error) {
			var m chatops.Message
			err := row.Scan(&m.ID, &m.Text, &m.Sender, &m.At, &m.IsFollowup)
			m.At = m.At.UTC()
			return m, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, nil
}

// utc returns a nullable time, zero for null.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// null returns nil for the zero time.
func null(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
