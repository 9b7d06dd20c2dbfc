package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

// purge is what retention does to a table: "old" finds the rows, and "act"
// removes what is in $1. Both are one statement with a limit.
type purge struct{ table, how, old, act string }

// purges are in the order in which rows are locked elsewhere.
var purges = map[string]purge{
	"chat_conversations": {
		"chat_conversations", "deleted",
		`from chat_conversations
where greatest(started_at, ended_at, last_user_message_at, last_followup_at) < $1::timestamptz`,
		`delete from chat_conversations where id = any (array(select id %s order by id limit $2::bigint for update))`,
	},
	"leads": {
		"leads", "emptied",
		`from leads where updated_at < $1::timestamptz
  and concat(session_id, name, email, phone, location, message, notes, monday_item_id) <> ''`,
		`update leads set session_id = null, name = null, email = null, phone = null, interested_package = null,
  property_size = null, property_type = null, location = null, message = null, notes = null, monday_item_id = null,
  marketing_consent = false, rodo_consent = false
where id = any (array(select id %s order by id limit $2::bigint for update))`,
	},
	"consent_audit_log": {
		"consent_audit_log", "emptied",
		`from consent_audit_log where timestamp < $1::timestamptz
  and (salt is not null or email <> '' or concat(ip_address, user_agent, reason, notes) <> '')`,
		`update consent_audit_log set email = '', ip_address = null, user_agent = null, reason = null, notes = null, salt = null
where id = any (array(select id %s order by id limit $2::bigint for update))`,
	},
	"access_log": {
		"access_log", "deleted",
		`from access_log where at < $1::timestamptz`,
		`delete from access_log where id = any (array(select id %s order by id limit $2::bigint))`,
	},
}

// PurgePeople removes what is older than r allows, in one transaction and one
// round trip.
func (s *Store) PurgePeople(ctx context.Context, r chatops.Retention, limit int, dryRun bool) ([]chatops.ErasedTable, error) {
	var done []chatops.ErasedTable
	err := s.batch(ctx, func(b *pgx.Batch) {
		done = nil
		for _, t := range []struct {
			name   string
			before time.Time
		}{
			{"chat_conversations", r.Conversations}, {"leads", r.Leads},
			{"consent_audit_log", r.Audit}, {"access_log", r.AccessLog},
		} {
			if t.before.IsZero() {
				continue
			}
			p := purges[t.name]
			add := func(rows int64) { done = append(done, chatops.ErasedTable{Table: p.table, Rows: rows, How: p.how}) }
			if dryRun {
				b.Queue(`select count(*) `+p.old, t.before).QueryRow(func(row pgx.Row) error {
					var n int64
					err := row.Scan(&n)
					add(n)
					return err
				})
				continue
			}
			b.Queue(fmt.Sprintf(p.act, p.old), t.before, max(limit, 0)).Exec(func(tag pgconn.CommandTag) error {
				add(tag.RowsAffected())
				return nil
			})
		}
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}
