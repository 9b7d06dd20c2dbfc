package sqlite

import (
	"context"
	"slices"

	"chatops/internal/chatops"
)

const (
	selectConversation = `
select c.id, c.session_id, c.email, c.context_data, c.started_at, c.ended_at, c.awaiting_confirmation, c.followup_count,
       c.last_followup_at, c.last_user_message_at, c.marketing_consent, c.rodo_consent, c.needs_human_review,
       coalesce(l.id, 0), c.version
from chat_conversations c left join leads l on l.session_id = c.session_id
where c.session_id = ?`

	selectMessages = `
select id, message, sender, timestamp, is_followup from chat_messages
where conversation_id = (select id from chat_conversations where session_id = ?)
order by id desc limit ?`
)

// Conversation loads a session's conversation, or gives CodeNotFound.
func (s *Store) Conversation(ctx context.Context, sessionID string) (*chatops.Conversation, error) {
	var c chatops.Conversation
	err := s.read(ctx, func(r *readTx) error {
		var facts string
		err := r.row(selectConversation, text(sessionID)).Scan(
			&c.ID, &c.SessionID, textColumn{&c.Email}, textColumn{&facts}, timeColumn{&c.StartedAt}, timeColumn{&c.EndedAt},
			&c.AwaitingConfirmation, &c.FollowupCount, timeColumn{&c.LastFollowupAt}, timeColumn{&c.LastUserMessageAt},
			&c.MarketingConsent, &c.RODOConsent, &c.NeedsHumanReview, &c.LeadID, &c.Version)
		if err != nil {
			return err
		}
		c.Facts, err = chatops.DecodeFacts(facts)
		return err
	})
	if err != nil {
		return nil, notFound(err, "conversation of this session: not found")
	}
	return &c, nil
}

// Messages returns up to limit messages of a session, oldest first.
func (s *Store) Messages(ctx context.Context, sessionID string, limit int) ([]chatops.Message, error) {
	var list []chatops.Message
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectMessages, func(row scanner) error {
			var m chatops.Message
			err := row.Scan(&m.ID, &m.Text, &m.Sender, timeColumn{&m.At}, &m.IsFollowup)
			list = append(list, m)
			return err
		}, text(sessionID), max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(list)
	return list, nil
}
