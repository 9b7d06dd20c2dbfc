package chatops

import (
	"context"
	"time"
)

// ConsentKey is a secret of CONSENT_KEYS: it signs links and makes the digests
// that stay of an erased address.
type ConsentKey struct {
	ID     string // 1 to 16 letters and digits
	Secret []byte // at least 32 bytes
}

// ConsentKeyStore keeps the keys of an installation that configures none.
type ConsentKeyStore interface {
	// StoredConsentKeys returns the keys kept in the database, newest first. When
	// there is none yet it stores first and returns it; several processes that
	// start at once get the same.
	StoredConsentKeys(ctx context.Context, first ConsentKey) ([]ConsentKey, error)
}

// Person is everything that is stored about one address.
type Person struct {
	EmailKey      string
	Suppression   *Suppression // nil: none
	Conversations []PersonConversation
	Leads         []Lead
	Audit         []AuditEntry
	Followups     []Followup
	Alerts        []PersonAlert // alerts whose payload names the person
}

// PersonConversation is a conversation with its messages.
type PersonConversation struct {
	ID                            int64
	SessionID, Email              string
	StartedAt                     time.Time
	MarketingConsent, RODOConsent bool
	Context                       string // context_data, JSON
	Messages                      []PersonMessage
}

// PersonMessage is one message of a conversation.
type PersonMessage struct {
	Sender, Text string
	At           time.Time
	Followup     bool
}

// PersonAlert is an alert about a person.
type PersonAlert struct {
	ID                        int64
	EventType, Target, Status string
	CreatedAt, DeliveredAt    time.Time
}

// Suppression is an address that must not be written to.
type Suppression struct {
	EmailKey  string // plain, or the keyed digest that erasure left
	Scope     string // marketing or all
	Source    string
	CreatedAt time.Time
}

// ConsentGrant gives consent, as a person said it to an operator or confirmed
// it by mail. It lifts the suppression of exactly this address.
type ConsentGrant struct {
	EmailKey        string
	Marketing, RODO bool
	Text            ConsentText // that was agreed to; ID 0: not known
	Origin          ConsentOrigin
	Notes           string // channel and actor, without the person's data
	// AskedAt is the WithdrawalMark of the moment when the person was asked to
	// confirm; empty: they say it now.
	AskedAt string
}

// Erasure removes the personal data of one address.
type Erasure struct {
	EmailKey string
	DryRun   bool
	Origin   ConsentOrigin
	// MondayDeletion: items at Monday are deleted by alerts of type
	// monday_delete, one for each item, queued in the same transaction.
	MondayDeletion bool
}

// ErasureReceipt says what an erasure removed, or would remove.
type ErasureReceipt struct {
	Tables     []ErasedTable
	Recipients []ErasedRecipient
}

// Add notes what was done to a table.
func (r *ErasureReceipt) Add(table, how string, rows int64) {
	r.Tables = append(r.Tables, ErasedTable{Table: table, Rows: rows, How: how})
}

// ErasedTable is how many rows of a table were emptied or deleted.
type ErasedTable struct {
	Table string
	Rows  int64
	How   string // "deleted", "emptied"
}

// ErasedRecipient is somebody who was given the data, and the alert that asks
// them to delete it.
type ErasedRecipient struct {
	Name    string // target of the alerts that told them: slack:alerts, monday:leads
	Alerts  int64  // how many alerts told them
	AlertID int64  // the request to delete; 0: cannot be asked, tell them by hand
	Status  string // of the request
}

// Retention says what has been kept for long enough: what nothing has happened
// to since before each moment. A zero moment keeps everything.
type Retention struct {
	Conversations time.Time // deleted, with their messages and follow-ups
	Leads         time.Time // emptied of what is personal; the row stays for counting
	Audit         time.Time // emptied of what is personal; the chain stays valid
	AccessLog     time.Time // deleted
}

// AccessEntry is a look-up of personal data, on record before it is shown.
type AccessEntry struct {
	ID                      int64
	At                      time.Time
	Actor, Command, Purpose string
	Subject                 string // keyed digest of the address, never the address
}

// PersonStore serves the rights of the people whose data is kept.
type PersonStore interface {
	ConsentKeyStore
	// Person returns everything about an address; CodeNotFound when nothing is
	// known.
	Person(ctx context.Context, emailKey string) (*Person, error)
	// GrantConsent gives consent to every conversation and lead of the address,
	// lifts its suppression and writes an audit row, in one transaction.
	// CodeConflict when consent was withdrawn since the person was asked: then
	// nothing is changed.
	GrantConsent(ctx context.Context, g ConsentGrant) (changed int, err error)
	// ErasePerson deletes what is stored about an address and leaves a tombstone:
	// the suppression under the keyed digests, audit rows without personal data,
	// and the erasure itself on record. CodeNotFound: nothing is known.
	ErasePerson(ctx context.Context, e Erasure) (*ErasureReceipt, error)
	// LogAccess records a look-up; it must be stored before data is shown.
	LogAccess(ctx context.Context, e AccessEntry) error
	// AccessLog returns look-ups, newest first: of one subject, or of all when it
	// is empty.
	AccessLog(ctx context.Context, subject string, limit int) ([]AccessEntry, error)
	// AddSuppressions stores addresses that must not be written to and returns
	// how many were new. One that is suppressed already is never narrowed.
	AddSuppressions(ctx context.Context, list []Suppression) (added int, err error)
	// CountSuppressed returns how many of the addresses AddSuppressions would find
	// suppressed already. None may be given twice.
	CountSuppressed(ctx context.Context, emailKeys []string) (int, error)
	// PurgePeople removes what is older than r allows, up to limit rows of each
	// table in one transaction, and returns what it did: it is called again until
	// that is nothing. dryRun counts everything that would go, whatever the limit.
	PurgePeople(ctx context.Context, r Retention, limit int, dryRun bool) ([]ErasedTable, error)
}

// PeopleStore keeps what people have agreed to, what happened to it, and what
// is known of them.
type PeopleStore interface {
	ConsentStore
	ConsentTextStore
	AuditStore
	PersonStore
}
