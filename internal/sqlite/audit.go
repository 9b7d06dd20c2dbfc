package sqlite

import (
	"context"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	// readHead gives an empty head when its row is gone, for the verifier to
	// find.
	readHead = `select coalesce(max(number), 0), hash, coalesce(max(sealed), 0) from consent_audit_head`
	moveHead = `update consent_audit_head set number = ?, hash = ?`

	insertAudit = `
insert into consent_audit_log (conversation_id, lead_id, email, action, timestamp, ip_address, user_agent, reason, notes,
  number, salt, commitment, hash)
values (nullif(?, 0), nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	auditColumns = `id, coalesce(number, 0), coalesce(conversation_id, 0), coalesce(lead_id, 0), action, timestamp, email,
  ip_address, user_agent, reason, notes, salt, commitment, hash`

	auditPage = `select ` + auditColumns + ` from consent_audit_log where id > ? order by id limit ?`
)

// auditBatch is how many rows EachAuditEntry reads at once.
const auditBatch = 500

// auditEntry is what a change of consent puts on record.
func auditEntry(action chatops.ConsentAction, email string, o chatops.ConsentOrigin) *chatops.AuditEntry {
	return &chatops.AuditEntry{
		Action: action, Email: email, IPAddress: o.IPAddress, UserAgent: o.UserAgent, Reason: o.Reason,
	}
}

// audit appends a row to the chain. Nobody else writes meanwhile.
func (tx *writeTx) audit(e *chatops.AuditEntry) error {
	head, err := scanHead(tx.row(readHead))
	if err != nil {
		return err
	}
	e.At = tx.now
	consent.Append(head, e)
	_, err = tx.exec(insertAudit, e.ConversationID, e.LeadID, e.Email, string(e.Action), stamp(e.At),
		textOrNull(e.IPAddress), textOrNull(e.UserAgent), textOrNull(e.Reason), textOrNull(e.Notes),
		e.Number, e.Salt, e.Commitment, e.Hash)
	if err != nil {
		return err
	}
	moved, err := tx.exec(moveHead, head.Number, head.Hash)
	if err == nil && moved != 1 {
		return chatops.Errorf(chatops.CodeInternal, "the consent audit log has no head: compare it with an anchor and restore a backup")
	}
	return err
}

func scanHead(row scanner) (*chatops.AuditHead, error) {
	var h chatops.AuditHead
	return &h, row.Scan(&h.Number, &h.Hash, &h.Sealed)
}

func scanAudit(row scanner, e *chatops.AuditEntry) error {
	return row.Scan(&e.ID, &e.Number, &e.ConversationID, &e.LeadID, &e.Action, timeColumn{&e.At}, textColumn{&e.Email},
		textColumn{&e.IPAddress}, textColumn{&e.UserAgent}, textColumn{&e.Reason}, textColumn{&e.Notes},
		&e.Salt, &e.Commitment, &e.Hash)
}

// AuditHead returns the end of the chain.
func (s *Store) AuditHead(ctx context.Context) (head *chatops.AuditHead, err error) {
	err = s.read(ctx, func(r *readTx) error {
		head, err = scanHead(r.row(readHead))
		return err
	})
	return head, err
}

// EachAuditEntry calls fn with every row in the order of their ids.
func (s *Store) EachAuditEntry(ctx context.Context, fn func(*chatops.AuditEntry) error) error {
	page := make([]chatops.AuditEntry, 0, auditBatch)
	for after := int64(0); ; after = page[len(page)-1].ID {
		page = page[:0]
		err := s.read(ctx, func(r *readTx) error {
			return r.each(auditPage, func(row scanner) error {
				var e chatops.AuditEntry
				if err := scanAudit(row, &e); err != nil {
					return err
				}
				page = append(page, e)
				return nil
			}, after, auditBatch)
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
