package chatops

import (
	"context"
	"time"
)

// ConsentAction is what happened to somebody's consent, as
// consent_audit_log.action has it.
type ConsentAction string

// The actions of the audit log.
const (
	ActionUnsubscribe  ConsentAction = "unsubscribe"    // marketing consent withdrawn
	ActionRevoke       ConsentAction = "revoke_consent" // all processing consent withdrawn
	ActionRODOGiven    ConsentAction = "rodo_consent_given"
	ActionRODOWithdraw ConsentAction = "rodo_consent_withdrawn"
	// ActionMarketingGiven and ActionMarketingWithdraw are said in a conversation
	// or with a form: they lift no suppression and make none.
	ActionMarketingGiven    ConsentAction = "marketing_consent_given"
	ActionMarketingWithdraw ConsentAction = "marketing_consent_withdrawn"
	ActionGrant             ConsentAction = "consent_given" // to an operator, or confirmed by mail
	ActionErase             ConsentAction = "person_erased"
)

// ConsentOrigin is who asked, for the audit log.
type ConsentOrigin struct {
	IPAddress string // at most 50 characters are kept
	UserAgent string // at most 500 characters are kept
	Reason    string // the person's own words, at most 1,000 characters are kept
}

// ConsentWithdrawal withdraws consent of one person, named by an address, or by
// a conversation or lead that holds one.
type ConsentWithdrawal struct {
	Action ConsentAction // ActionUnsubscribe or ActionRevoke
	// EmailKey is the normalised address: lower case, ASCII domain.
	EmailKey       string
	ConversationID int64
	LeadID         int64
	Origin         ConsentOrigin
}

// ConsentStatus is what is known of an address.
type ConsentStatus struct {
	IsUnsubscribed   bool
	MarketingConsent bool // held by every conversation and lead of the address
	RODOConsent      bool
	LastAction       ConsentAction // "" when there was none
	LastActionAt     time.Time
}

// ConsentStore keeps consent and what happened to it.
type ConsentStore interface {
	// SetSessionConsent stores the RODO consent of a session, given or
	// withdrawn: flags of its conversation and its lead and an audit row, in
	// one transaction. A session without a conversation gets one, with the
	// marketing consent given. It reports whether the session had said the same
	// before.
	SetSessionConsent(ctx context.Context, sessionID string, rodo, marketing bool, origin ConsentOrigin) (same bool, err error)
	// WithdrawConsent withdraws consent in one transaction: the flags of every
	// conversation and lead of the address (whatever its case), the suppression
	// of the address and an audit row. It does the same for an address that is
	// not known, and is idempotent, but every call is on record. A conversation
	// or lead that is not known, or holds no address, changes at most itself.
	// It returns how many conversations and leads it changed. A chat turn that
	// was loaded before does not undo it.
	WithdrawConsent(ctx context.Context, w ConsentWithdrawal) (changed int, err error)
	// ConsentStatus returns what is known of an address, or CodeNotFound when
	// neither a conversation, a lead, a suppression nor an audit row has it.
	ConsentStatus(ctx context.Context, emailKey string) (*ConsentStatus, error)
	// WithdrawalMark returns a text without spaces that changes whenever consent
	// of the address is withdrawn or the person is erased, and at nothing else
	// that somebody does. Addresses that nothing is known of have one too.
	WithdrawalMark(ctx context.Context, emailKey string) (string, error)
}
