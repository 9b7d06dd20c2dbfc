package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	// readHead gives an empty head when its row is gone, for the verifier to
	// find.
	readHead = `
select coalesce(max(number), 0), (array_agg(hash))[1], coalesce(max(sealed), 0) from consent_audit_head`

	auditColumns = `a.id, coalesce(a.number, 0), coalesce(a.conversation_id, 0), coalesce(a.lead_id, 0), a.action,
  a.timestamp, a.email, coalesce(a.ip_address, ''), coalesce(a.user_agent, ''), coalesce(a.reason, ''),
  coalesce(a.notes, ''), a.salt, a.commitment, a.hash`

	auditPage = `
select ` + auditColumns + ` from consent_audit_log a where a.id > $1::bigint order by a.id limit $2::bigint`
)

// auditBatch is how many rows EachAuditEntry reads at once.
const auditBatch = 1000

func scanAudit(row pgx.Row, e *chatops.AuditEntry) error {
	err := row.Scan(&e.ID, &e.Number, &e.ConversationID, &e.LeadID, &e.Action, &e.At, &e.Email, &e.IPAddress,
		&e.UserAgent, &e.Reason, &e.Notes, &e.Salt, &e.Commitment, &e.Hash)
	e.At = e.At.UTC()
	return err
}

// AuditHead returns the end of the chain.
func (s *Store) AuditHead(ctx context.Context) (*chatops.AuditHead, error) {
	var h chatops.AuditHead
	err := s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, readHead).Scan(&h.Number, &h.Hash, &h.Sealed)
	})
	return &h, err
}

// EachAuditEntry calls fn with every row in the order of their ids.
func (s *Store) EachAuditEntry(ctx context.Context, fn func(*chatops.AuditEntry) error) error {
	page := make([]chatops.AuditEntry, 0, auditBatch)
	for after := int64(0); ; after = page[len(page)-1].ID {
		err := s.do(ctx, func(ctx context.Context) error {
			page = page[:0]
			rows, err := s.pool.Query(ctx, auditPage, after, auditBatch)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var e chatops.AuditEntry
				if err := scanAudit(rows, &e); err != nil {
					return err
				}
				page = append(page, e)
			}
			return rows.Err()
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < auditBatch {
			return nil
		}
	}
}
