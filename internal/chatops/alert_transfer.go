package chatops

import "context"

// TransferStore takes alerts that another database, or an earlier state of this
// one, has exported.
type TransferStore interface {
	// ImportAlerts stores alerts with their status, history and idempotency key, in
	// one transaction, under new ids, and returns how many were new: one whose key
	// is known is left alone. Those that wait are due now. CodeInvalid, and nothing
	// stored, when one cannot be.
	ImportAlerts(ctx context.Context, alerts []Alert) (int, error)
}

// ValidateImport reports the first field that cannot be imported, as
// CodeInvalid.
func (a *Alert) ValidateImport() error {
	made := NewAlert{EventType: a.EventType, Target: a.Target, Payload: a.Payload, IdempotencyKey: a.IdempotencyKey}
	if err := made.Validate(); err != nil {
		return err
	}
	switch {
	case a.IdempotencyKey == "":
		return Errorf(CodeInvalid, "an alert without an idempotency key could be imported twice")
	case a.CreatedAt.IsZero():
		return Errorf(CodeInvalid, "created_at is missing")
	case a.RetryCount < 0:
		return Errorf(CodeInvalid, "retry count %d: must be 0 or more", a.RetryCount)
	case len(a.Fingerprint) > maxFingerprint:
		return Errorf(CodeInvalid, "fingerprint of %d characters: at most %d", len(a.Fingerprint), maxFingerprint)
	}
	switch a.Status {
	case AlertQueued, AlertPending, AlertDelivered, AlertFailed, AlertDiscarded, AlertCancelled:
		return nil
	}
	return Errorf(CodeInvalid, "status %q: there is no such status", string(a.Status))
}
