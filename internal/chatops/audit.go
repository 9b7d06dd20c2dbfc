package chatops

import (
	"context"
	"time"
)

// AuditEntry is a row of consent_audit_log.
//
// Rows form a chain: each holds a commitment to its personal data, SHA-256 over
// a random salt and the data, and the hash of its predecessor's hash, its
// number, what is not personal and its commitment. Erasing a person empties the
// personal columns and the salt: the chain stays valid, and the data cannot be
// guessed from the commitment.
type AuditEntry struct {
	ID             int64
	Number         int64 // place in the chain, from 1; 0: not in the chain
	ConversationID int64 // 0: none
	LeadID         int64 // 0: none
	Action         ConsentAction
	At             time.Time // UTC, microseconds

	// Personal data, empty once erased.
	Email, IPAddress, UserAgent, Reason, Notes string

	Salt       []byte // nil once erased
	Commitment []byte // SHA-256
	Hash       []byte // SHA-256; the head of the chain is the last one
}

// AuditHead is the end of the chain as the store keeps it beside the rows.
type AuditHead struct {
	Number int64 // 0: the chain is empty
	Hash   []byte
	// Sealed is the highest id of the rows that were there before the chain:
	// those are not in it unless they were taken in.
	Sealed int64
}

// AuditStore reads the consent audit log. Writing is part of the methods that
// change consent, in their transactions.
type AuditStore interface {
	// AuditHead returns the end of the chain.
	AuditHead(ctx context.Context) (*AuditHead, error)
	// EachAuditEntry calls fn with every row in the order of their ids, in
	// batches, without holding a transaction open for long. It ends with fn's
	// first error.
	EachAuditEntry(ctx context.Context, fn func(*AuditEntry) error) error
}
