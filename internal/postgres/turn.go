package postgres

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// The statements of a turn. The first takes the conversation's row, or ends the
// transaction when somebody else was faster; the others need not check again.
const (
	insertConversation = `
with made as (
  insert into chat_conversations (session_id, email, context_data, started_at, ended_at, awaiting_confirmation,
    followup_count, last_followup_at, last_user_message_at, marketing_consent, rodo_consent, needs_human_review, version)
  values ($2::text, nullif($3::text, ''), $4::text::json, coalesce($5::timestamptz, $1::timestamptz, now()),
    $6::timestamptz, $7::boolean, $8::integer, $9::timestamptz, $10::timestamptz,
    $11::boolean and not exists (select from suppression where loose_key = any ($15::text[])), $12::boolean,
    $13::boolean, $14::bigint + 1)
  on conflict (session_id) do nothing
  returning id, version)
select chatops_require(count(*) = 1, 'conversation was created by somebody else'), max(id), max(version) from made`

	updateConversation = `
with changed as (
  update chat_conversations set email = nullif($3::text, ''), context_data = $4::text::json,
    started_at = coalesce($5::timestamptz, started_at, $1::timestamptz), ended_at = $6::timestamptz,
    awaiting_confirmation = $7::boolean, followup_count = $8::integer, last_followup_at = $9::timestamptz,
    last_user_message_at = $10::timestamptz, rodo_consent = $12::boolean,
    marketing_consent = $11::boolean and not exists (select from suppression where loose_key = any ($15::text[])),
    needs_human_review = $13::boolean, version = version + 1
  where session_id = $2::text and version = $14::bigint
  returning id, version)
select chatops_require(count(*) = 1, 'conversation was changed by somebody else'), max(id), max(version) from changed`

	insertMessages = `
insert into chat_messages (conversation_id, message, sender, timestamp)
select c.id, m.message, m.sender, coalesce($1::timestamptz, now())
from chat_conversations c,
     (values (1, $3::text, 'user'), (2, $4::text, 'bot')) m (place, message, sender)
where c.session_id = $2::text
order by m.place`

	saveLead = `
with lead as (
  insert into leads (session_id, name, email, phone, interested_package, property_size, property_type, location,
    message, source, status, notes, monday_item_id, lead_score, data_confirmed, marketing_consent, rodo_consent,
    created_at, updated_at)
  values ($2::text, nullif($3::text, ''), nullif($4::text, ''), nullif($5::text, ''), nullif($6::text, ''),
    nullif($7::text, ''), nullif($8::text, ''), nullif($9::text, ''), nullif($10::text, ''),
    coalesce(nullif($11::text, ''), 'chatbot'), coalesce(nullif($12::text, ''), 'new'), nullif($13::text, ''),
    nullif($14::text, ''), $15::integer, $16::boolean,
    $17::boolean and not exists (select from suppression where loose_key = any ($24::text[])), $18::boolean,
    coalesce($1::timestamptz, now()), coalesce($1::timestamptz, now()))
  on conflict (session_id) do update set
    name = excluded.name, email = excluded.email, phone = excluded.phone,
    interested_package = excluded.interested_package, property_size = excluded.property_size,
    property_type = excluded.property_type, location = excluded.location, message = excluded.message,
    notes = coalesce(leads.notes, excluded.notes),
    monday_item_id = coalesce(leads.monday_item_id, excluded.monday_item_id),
    lead_score = excluded.lead_score, data_confirmed = excluded.data_confirmed,
    marketing_consent = $17::boolean and (leads.marketing_consent or not ` + withdrawn + `),
    rodo_consent = excluded.rodo_consent and (leads.rodo_consent or not ` + revoked + `),
    updated_at = excluded.updated_at
  returning id, xmax = 0 as created),
alert as (
  insert into dead_letter_queue (event_type, target, payload, status, idempotency_key, created_at, next_attempt_at)
  select a.event_type, a.target, a.payload::json, 'queued', nullif(a.idempotency_key, ''),
    coalesce($1::timestamptz, now()), coalesce($1::timestamptz, now()) + a.delay * interval '1 microsecond'
  from unnest($19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[])
    with ordinality a (event_type, target, payload, idempotency_key, delay, place)
  where (select created from lead)
  order by a.place
  on conflict (idempotency_key) where idempotency_key is not null do nothing
  returning id)
select id, created, (select count(*) from alert) from lead`

	// A consent that was withdrawn on record, by the lead's address or one of the
	// same mailbox or for the lead itself, does not come back with a later turn.
	withdrawn = `(exists (select from suppression s
        where s.email_key in (lower(leads.email), lower(excluded.email)) or s.loose_key = any ($24::text[]))
      or exists (select from consent_audit_log a where a.lead_id = leads.id and a.action in ('unsubscribe', 'revoke_consent')))`
	revoked = `(exists (select from suppression s
        where (s.email_key in (lower(leads.email), lower(excluded.email)) or s.loose_key = any ($24::text[])) and s.scope = 'all')
      or exists (select from consent_audit_log a where a.lead_id = leads.id and a.action = 'revoke_consent'))`
)

// SaveTurn stores a turn in one transaction and one round trip.
func (s *Store) SaveTurn(ctx context.Context, turn *chatops.Turn) (*chatops.TurnResult, error) {
	alerts, err := newAlertColumns(turn.Alerts)
	if err != nil {
		return nil, err
	}
	if turn.Once != nil {
		if err := turn.Once.Validate(); err != nil {
			return nil, err
		}
	}
	facts, err := json.Marshal(turn.Conversation.Facts)
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInvalid, err, "facts of the conversation cannot be stored")
	}
	now := s.now()
	var res chatops.TurnResult
	err = s.batch(ctx, func(b *pgx.Batch) {
		res = chatops.TurnResult{}
		session := chatops.CleanText(turn.Conversation.SessionID)
		queueConversation(b, &res, now, &turn.Conversation, string(chatops.CleanJSON(facts)), s.suppressing(turn.Conversation.Email))
		b.Queue(insertMessages, now, session,
			chatops.CleanText(turn.UserMessage), chatops.CleanText(turn.BotMessage))
		if turn.Lead != nil {
			queueLead(b, &res, slices.Concat([]any{now, session}, leadValues(turn.Lead), alerts.params(),
				[]any{s.suppressing(turn.Lead.Email)}))
		}
		if turn.Once != nil {
			b.Queue(keepTurn, slices.Concat([]any{now}, replyParams(turn.Once), []any{session})...)
		}
		queueSaid(b, auditTurn, now, session, turn.Said)
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

func queueConversation(
	b *pgx.Batch, res *chatops.TurnResult, now any, c *chatops.Conversation, facts string, suppressing []string,
) {
	statement := updateConversation
	if c.Version == 0 {
		statement = insertConversation
	}
	b.Queue(statement, now, chatops.CleanText(c.SessionID), chatops.CleanText(c.Email), facts,
		null(c.StartedAt), null(c.EndedAt), c.AwaitingConfirmation, c.FollowupCount,
		null(c.LastFollowupAt), null(c.LastUserMessageAt), c.MarketingConsent, c.RODOConsent,
		c.NeedsHumanReview, c.Version, suppressing,
	).QueryRow(func(row pgx.Row) error { return row.Scan(nil, &res.ConversationID, &res.Version) })
}

func queueLead(b *pgx.Batch, res *chatops.TurnResult, params []any) {
	b.Queue(saveLead, params...).QueryRow(func(row pgx.Row) error {
		return row.Scan(&res.LeadID, &res.LeadCreated, &res.AlertsQueued)
	})
}

// leadValues are what a new lead is made of, but for its session and times. A
// lead of a turn belongs to the turn's session whatever it says itself.
func leadValues(l *chatops.Lead) []any {
	clean := chatops.CleanText
	return []any{
		clean(l.Name), clean(l.Email), clean(l.Phone), clean(l.InterestedPackage),
		clean(l.PropertySize), clean(l.PropertyType), clean(l.Location), clean(l.Message), clean(l.Source),
		string(l.Status), clean(l.Notes), clean(l.MondayItemID), l.LeadScore, l.DataConfirmed,
		l.MarketingConsent, l.RODOConsent,
	}
}
