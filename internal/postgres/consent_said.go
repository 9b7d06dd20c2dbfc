package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// The statements that put on record what a person says about consent, for the
// session in $2. They are the last of a transaction: the head of the log stays
// locked until it ends.
const (
	// auditTurn decides as chatops.ConsentSaid.News does.
	auditTurn = `
select chatops_audit_append(` + dbNow + `, c.id, l.id, coalesce(nullif(c.email, ''), l.email, ''), $3::text,
  $4::text, $5::text, $6::text, $7::text)
from chat_conversations c left join leads l on l.session_id = c.session_id
left join lateral (
  select a.action, coalesce(a.notes, '') as notes from consent_audit_log a
  where a.conversation_id = c.id and a.action in ($8::text, $9::text)
  order by a.id desc limit 1) said on true
where c.session_id = $2::text and case
  when said.action is null then $10::boolean or $11::boolean
  when said.action = $3::text then $10::boolean and (not $11::boolean or said.notes <> $7::text)
  else true end`

	// auditLead is of a lead that no conversation made.
	auditLead = `
select chatops_audit_append(` + dbNow + `, null, l.id, coalesce(l.email, ''), $3::text, $4::text, $5::text, $6::text, $7::text)
from leads l where l.session_id = $2::text and $8::text <> $9::text and ($10::boolean or $11::boolean)`
)

// queueSaid puts on record what is news of what was said about consent.
func queueSaid(b *pgx.Batch, statement string, now *time.Time, session string, said []chatops.ConsentSaid) {
	for i := range said {
		s := &said[i]
		given, withdrawn := s.Actions()
		o := s.Origin.Clipped()
		b.Queue(statement, now, session, string(s.Action()), o.IPAddress, o.UserAgent, o.Reason, s.AuditNotes(),
			string(given), string(withdrawn), s.Given, s.Was)
	}
}
