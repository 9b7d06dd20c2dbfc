package consent

import (
	"context"

	"chatops/internal/chatops"
)

// maxFindings is how many findings a report holds; more are counted.
const maxFindings = 1000

// FindingKind is what is wrong with the chain.
type FindingKind string

// The kinds of findings.
const (
	FindingData       FindingKind = "data changed"                // the personal data is not what was committed to
	FindingCommitment FindingKind = "commitment changed"          // neither the data nor the hash fits the commitment
	FindingRow        FindingKind = "row changed"                 // what is not personal, or the hash, was changed
	FindingDeleted    FindingKind = "rows deleted"                // Number to Last are not there
	FindingReordered  FindingKind = "row reordered"               // it stands behind a row with a higher number
	FindingInserted   FindingKind = "row inserted"                // its number was taken, or lies behind the end of the chain
	FindingErased     FindingKind = "personal data in erased row" // the salt is gone, the data is not
	FindingOutside    FindingKind = "row outside the chain"       // no number: another program wrote it, or somebody by hand
	FindingTruncated  FindingKind = "tail cut off"                // Number to Last, the newest rows, are not there
	FindingHead       FindingKind = "head changed"                // the head is not the last row's hash
	FindingAnchor     FindingKind = "not the anchored chain"      // the row is another one than when it was anchored
)

// Finding is something that is wrong with the chain.
type Finding struct {
	Kind   FindingKind
	Number int64 // of the row in the chain; 0: none
	Last   int64 // of several rows that are missing; else Number
	ID     int64 // of the row in the table; 0: it is not there
}

// Report is what Verify found.
type Report struct {
	Rows    int64 // in the chain
	Erased  int64 // of these, without their personal data
	Before  int64 // rows from before the chain
	Head    chatops.AuditHead
	Anchors int // how many were checked
	// Findings in the order of the table, at most 1,000; Total counts all.
	Findings []Finding
	Total    int
}

// OK reports whether nothing was found.
func (r *Report) OK() bool { return r.Total == 0 }

// Verify reads the audit log once, in bounded memory, and checks every row
// against its commitment and its predecessor, the end against the head, and the
// chain against anchors that were kept elsewhere. Rows may be appended
// meanwhile. Its error is the store's; what is wrong with the chain is in the
// report.
func Verify(ctx context.Context, store chatops.AuditStore, anchors ...Anchor) (*Report, error) {
	before, err := store.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	v := newVerifier(before, anchors)
	err = store.EachAuditEntry(ctx, func(e *chatops.AuditEntry) error {
		v.add(e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	after, err := store.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	return v.end(after), nil
}
