package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// purge is what retention does to a table: how many rows are too old, and the
// removal of some of them.
type purge struct{ table, how, count, act string }

const (
	oldConversations = ` from chat_conversations
where max(started_at, coalesce(ended_at, ''), coalesce(last_user_message_at, ''), coalesce(last_followup_at, '')) < ?1`
	oldLeads = ` from leads where updated_at < ?1
  and coalesce(session_id, name, email, phone, location, message, notes, monday_item_id) is not null`
	oldAudit  = ` from consent_audit_log where timestamp < ?1 and ` + auditPlain
	oldAccess = ` from access_log where at < ?1`
)

var purges = []purge{
	{
		"chat_conversations", "deleted", `select count(*)` + oldConversations,
		`delete from chat_conversations where id in (select id` + oldConversations + ` order by id limit ?2)`,
	},
	{
		"leads", "emptied", `select count(*)` + oldLeads,
		`update leads set ` + emptied + ` where id in (select id` + oldLeads + ` order by id limit ?2)`,
	},
	{
		"consent_audit_log", "emptied", `select count(*)` + oldAudit,
		`update consent_audit_log set ` + auditEmptied + ` where id in (select id` + oldAudit + ` order by id limit ?2)`,
	},
	{
		"access_log", "deleted", `select count(*)` + oldAccess,
		`delete from access_log where id in (select id` + oldAccess + ` order by id limit ?2)`,
	},
}

// PurgePeople removes what is older than r allows, in one transaction.
func (s *Store) PurgePeople(ctx context.Context, r chatops.Retention, limit int, dryRun bool) ([]chatops.ErasedTable, error) {
	var done []chatops.ErasedTable
	err := s.write(ctx, func(tx *writeTx) error {
		done = nil
		for i, before := range []time.Time{r.Conversations, r.Leads, r.Audit, r.AccessLog} {
			if before.IsZero() {
				continue
			}
			p := purges[i]
			t := chatops.ErasedTable{Table: p.table, How: p.how}
			var err error
			if dryRun {
				err = tx.row(p.count, stamp(before)).Scan(&t.Rows)
			} else {
				t.Rows, err = tx.exec(p.act, stamp(before), max(limit, 0))
			}
			if err != nil {
				return err
			}
			done = append(done, t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}
