package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"chatops/internal/chatops"
)

const (
	insertConversation = `
insert into chat_conversations (email, context_data, started_at, ended_at, awaiting_confirmation, followup_count,
  last_followup_at, last_user_message_at, marketing_consent, rodo_consent, needs_human_review, version, session_id)
values (?, ?, coalesce(?, ?), ?, ?, ?, ?, ?,
  ? and not exists (select 1 from suppression where loose_key in (select value from json_each(?))), ?, ?, ? + 1, ?)
on conflict (session_id) do nothing
returning id, version`

	updateConversation = `
update chat_conversations set email = ?, context_data = ?, started_at = coalesce(?, started_at, ?), ended_at = ?,
  awaiting_confirmation = ?, followup_count = ?, last_followup_at = ?, last_user_message_at = ?,
  marketing_consent = ? and not exists (select 1 from suppression where loose_key in (select value from json_each(?))),
  rodo_consent = ?, needs_human_review = ?, version = version + 1
where version = ? and session_id = ?
returning id, version`

	insertMessages = `
insert into chat_messages (conversation_id, message, sender, timestamp) values (?1, ?2, 'user', ?4), (?1, ?3, 'bot', ?4)`
)

// SaveTurn stores a turn in one transaction.
func (s *Store) SaveTurn(ctx context.Context, turn *chatops.Turn) (*chatops.TurnResult, error) {
	if err := validateAlerts(turn.Alerts); err != nil {
		return nil, err
	}
	if err := validateOnce(turn.Once); err != nil {
		return nil, err
	}
	facts, err := json.Marshal(turn.Conversation.Facts)
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInvalid, err, "facts of the conversation cannot be stored")
	}
	facts = chatops.CleanJSON(facts)
	var res chatops.TurnResult
	err = s.write(ctx, func(tx *writeTx) error {
		res = chatops.TurnResult{}
		if err := tx.saveConversation(&turn.Conversation, string(facts), s.suppressing(turn.Conversation.Email), &res); err != nil {
			return err
		}
		_, err := tx.exec(insertMessages, res.ConversationID, text(turn.UserMessage), text(turn.BotMessage), stamp(tx.now))
		if err == nil && turn.Lead != nil {
			err = tx.saveTurnLead(turn, s.suppressing(turn.Lead.Email), &res)
		}
		if err == nil {
			err = tx.auditTurn(text(turn.Conversation.SessionID), turn.Said)
		}
		if err == nil && turn.Once != nil {
			err = tx.keepReply(turn.Once, res.ConversationID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

// saveTurnLead stores the turn's lead, and its alerts when the lead is new.
func (tx *writeTx) saveTurnLead(turn *chatops.Turn, suppressing string, res *chatops.TurnResult) error {
	err := tx.saveLead(text(turn.Conversation.SessionID), turn.Lead, suppressing, res)
	if err != nil || !res.LeadCreated {
		return err
	}
	res.AlertsQueued, err = tx.enqueue(turn.Alerts)
	return err
}

// saveConversation creates or changes the conversation, or gives CodeConflict
// when somebody else was faster.
func (tx *writeTx) saveConversation(c *chatops.Conversation, facts, suppressing string, res *chatops.TurnResult) error {
	statement, conflict := updateConversation, "conversation was changed by somebody else"
	if c.Version == 0 {
		statement, conflict = insertConversation, "conversation was created by somebody else"
	}
	err := tx.row(statement, textOrNull(c.Email), facts, stampOrNull(c.StartedAt), stamp(tx.now), stampOrNull(c.EndedAt),
		c.AwaitingConfirmation, c.FollowupCount, stampOrNull(c.LastFollowupAt), stampOrNull(c.LastUserMessageAt),
		c.MarketingConsent, suppressing, c.RODOConsent, c.NeedsHumanReview, c.Version, text(c.SessionID),
	).Scan(&res.ConversationID, &res.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return chatops.Errorf(chatops.CodeConflict, "%s", conflict)
	}
	return err
}
