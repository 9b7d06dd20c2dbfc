package runbook

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// The person of these tests. None of it may be shown without --reveal, or
// written down anywhere but where it belongs.
const (
	janKey    = "jan.kowalski@firma.example"
	janTyped  = "Jan.Kowalski@Firma.example"
	janName   = "Jan Kowalski"
	janPhone  = "+48501234567"
	janIP     = "203.0.113.77"
	janReason = "nie chce maili"
	janText   = "mieszkam przy Lipowej 5"
	janNamed  = "session-0123456789"
)

// janSecrets are the spellings of his data that a canary looks for.
var janSecrets = []string{janKey, janTyped, "kowalski", janName, janPhone, janIP, janReason, janText, janNamed}

// fakePeople is what fakeStore knows of people, with the rules of
// chatops.PersonStore.
type fakePeople struct {
	persons    map[string]*chatops.Person
	status     map[string]*chatops.ConsentStatus
	key        chatops.ConsentKey
	access     []chatops.AccessEntry
	accessErr  error
	withdrawn  []chatops.ConsentWithdrawal
	grants     []chatops.ConsentGrant
	texts      []chatops.ConsentText
	ensured    int
	erasures   []chatops.Erasure
	suppressed map[string]chatops.Suppression
	batches    int
	batchErr   error // of the second batch and later
	old        map[string]int64
	retained   []chatops.Retention
	audit      []chatops.AuditEntry
	head       chatops.AuditHead
}

// withJan is a store that knows one person.
func withJan() *fakeStore {
	f := newFakeStore(chatops.AlertDelivered, chatops.AlertDelivered)
	p := &chatops.Person{
		EmailKey: janKey,
		Conversations: []chatops.PersonConversation{
			{ID: 7, SessionID: janNamed, Email: janTyped, StartedAt: noon.Add(-48 * time.Hour), MarketingConsent: true, RODOConsent: true,
				Context: `{"name":"Jan Kowalski","n":1}`, Messages: []chatops.PersonMessage{
					{Sender: "user", Text: "=HYPERLINK(\"http://x\") " + janText, At: noon.Add(-47 * time.Hour)},
					{Sender: "bot", Text: "Dzień dobry", At: noon.Add(-47 * time.Hour)},
				}},
			{ID: 8, SessionID: "s2", Email: janKey, StartedAt: noon.Add(-24 * time.Hour), RODOConsent: true},
		},
		Leads: []chatops.Lead{{ID: 3, SessionID: janNamed, Name: janName, Email: janKey, Phone: janPhone, Status: chatops.LeadNew,
			LeadScore: 80, MarketingConsent: true, RODOConsent: true, CreatedAt: noon.Add(-46 * time.Hour)}},
		Audit: []chatops.AuditEntry{
			{ID: 1, Number: 1, Action: chatops.ActionRODOGiven, At: noon.Add(-48 * time.Hour), Email: janKey, IPAddress: janIP, Notes: "text=2; locale=pl; channel=chat"},
			{ID: 4, Number: 4, Action: chatops.ActionUnsubscribe, At: noon.Add(-2 * time.Hour), Email: janKey, IPAddress: "2001:db8:1:2::9", Reason: janReason, UserAgent: "Mozilla"},
		},
		Followups: []chatops.Followup{{ID: 5, ConversationID: 7, Number: 1, Status: chatops.FollowupSent, SentAt: noon.Add(-20 * time.Hour), AlertID: 2}},
		Alerts: []chatops.PersonAlert{
			{ID: 1, EventType: chatops.EventSlackAlert, Target: "slack:alerts", Status: "delivered", CreatedAt: noon.Add(-46 * time.Hour), DeliveredAt: noon.Add(-46 * time.Hour)},
			{ID: 2, EventType: "followup_email", Target: "mailto:" + janKey, Status: "delivered", CreatedAt: noon.Add(-20 * time.Hour)},
		},
	}
	f.people.persons = map[string]*chatops.Person{janKey: p}
	f.people.status = map[string]*chatops.ConsentStatus{janKey: {IsUnsubscribed: true, RODOConsent: true}}
	return f
}

func (f *fakeStore) StoredConsentKeys(_ context.Context, first chatops.ConsentKey) ([]chatops.ConsentKey, error) {
	if f.people.key.ID == "" {
		f.people.key = first
		f.people.key.Secret = []byte(strings.Repeat("k", 32)) // the same digests in every run
		f.people.key.ID = "test"
	}
	return []chatops.ConsentKey{f.people.key}, f.err
}

func (f *fakeStore) Person(_ context.Context, key string) (*chatops.Person, error) {
	if p, ok := f.people.persons[key]; ok {
		return p, f.err
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "person: not found")
}

func (f *fakeStore) ConsentStatus(_ context.Context, key string) (*chatops.ConsentStatus, error) {
	if s, ok := f.people.status[key]; ok {
		return s, f.err
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "consent status: not found")
}

func (f *fakeStore) LogAccess(_ context.Context, e chatops.AccessEntry) error {
	if f.people.accessErr != nil {
		return f.people.accessErr
	}
	e.ID = int64(len(f.people.access) + 1)
	f.people.access = append(f.people.access, e)
	return f.err
}

func (f *fakeStore) AccessLog(_ context.Context, subject string, limit int) ([]chatops.AccessEntry, error) {
	var list []chatops.AccessEntry
	for _, e := range slices.Backward(f.people.access) {
		if (subject == "" || e.Subject == subject) && len(list) < limit {
			list = append(list, e)
		}
	}
	return list, f.err
}

func (f *fakeStore) WithdrawConsent(_ context.Context, w chatops.ConsentWithdrawal) (int, error) {
	f.people.withdrawn = append(f.people.withdrawn, w)
	p, ok := f.people.persons[w.EmailKey]
	if !ok {
		return 0, f.err
	}
	changed := 0
	for i := range p.Conversations {
		if p.Conversations[i].MarketingConsent {
			p.Conversations[i].MarketingConsent = false
			changed++
		}
	}
	return changed, f.err
}

func (f *fakeStore) GrantConsent(_ context.Context, g chatops.ConsentGrant) (int, error) {
	f.people.grants = append(f.people.grants, g)
	return 2, f.err
}

func (f *fakeStore) ErasePerson(_ context.Context, e chatops.Erasure) (*chatops.ErasureReceipt, error) {
	f.people.erasures = append(f.people.erasures, e)
	if _, ok := f.people.persons[e.EmailKey]; !ok {
		return nil, chatops.Errorf(chatops.CodeNotFound, "person: not found")
	}
	r := &chatops.ErasureReceipt{
		Tables: []chatops.ErasedTable{{Table: "chat_conversations", Rows: 2, How: "deleted"}, {Table: "leads", Rows: 1, How: "emptied"}, {Table: "delivery_attempt", How: "deleted"}},
		Recipients: []chatops.ErasedRecipient{
			{Name: "mailto:" + e.EmailKey, Alerts: 1}, {Name: "slack:alerts", Alerts: 1},
			{Name: "monday:leads", Alerts: 2}, {Name: "monday:leads", Alerts: 1, Status: "would be asked"},
		},
	}
	if !e.DryRun {
		delete(f.people.persons, e.EmailKey)
		f.alerts = append(f.alerts, chatops.Alert{ID: 9, Target: "monday:leads", Status: chatops.AlertQueued})
		r.Recipients[3].AlertID, r.Recipients[3].Status = 9, "queued"
	}
	return r, f.err
}

func (f *fakeStore) AddSuppressions(_ context.Context, list []chatops.Suppression) (added int, err error) {
	if f.people.batches++; f.people.batches > 1 && f.people.batchErr != nil {
		return 0, f.people.batchErr
	}
	if f.people.suppressed == nil {
		f.people.suppressed = map[string]chatops.Suppression{}
	}
	for _, s := range list {
		if _, ok := f.people.suppressed[s.EmailKey]; !ok {
			f.people.suppressed[s.EmailKey] = s
			added++
		}
	}
	return added, f.err
}

func (f *fakeStore) PurgePeople(_ context.Context, r chatops.Retention, limit int, dryRun bool) ([]chatops.ErasedTable, error) {
	f.people.retained = append(f.people.retained, r)
	var tables []chatops.ErasedTable
	for _, name := range []string{"chat_conversations", "leads"} {
		n := f.people.old[name]
		if !dryRun {
			n = min(n, int64(limit))
			f.people.old[name] -= n
		}
		tables = append(tables, chatops.ErasedTable{Table: name, Rows: n, How: "deleted"})
	}
	return tables, f.err
}

// chain appends n rows to the audit log.
func (f *fakeStore) chain(n int) *fakeStore {
	if f.people.head.Number == 0 {
		f.people.head.Hash = consent.Genesis(0)
	}
	for i := range n {
		e := chatops.AuditEntry{ID: int64(len(f.people.audit) + 1), Action: chatops.ActionUnsubscribe, At: noon, Email: fmt.Sprintf("p%d@x.example", i)}
		consent.Append(&f.people.head, &e)
		f.people.audit = append(f.people.audit, e)
	}
	return f
}

func (f *fakeStore) AuditHead(context.Context) (*chatops.AuditHead, error) {
	head := f.people.head
	if head.Number == 0 {
		head.Hash = consent.Genesis(head.Sealed)
	}
	return &head, f.err
}

func (f *fakeStore) EachAuditEntry(_ context.Context, fn func(*chatops.AuditEntry) error) error {
	for i := range f.people.audit {
		if err := fn(&f.people.audit[i]); err != nil {
			return err
		}
	}
	return f.err
}

// quiet checks that a person's data is nowhere in a text.
func quietAbout(tb testing.TB, what, text string) {
	tb.Helper()
	low := strings.ToLower(text)
	for _, secret := range janSecrets {
		if strings.Contains(low, strings.ToLower(secret)) {
			tb.Errorf("%s holds %q:\n%s", what, secret, text)
		}
	}
}

// wroteNothingPersonal checks what was written down about commands.
func (c *console) wroteNothingPersonal() {
	c.t.Helper()
	for _, a := range c.store.actions {
		quietAbout(c.t, "operator_action", fmt.Sprintf("%+v", a))
	}
	for _, a := range c.store.people.access {
		quietAbout(c.t, "access_log", fmt.Sprintf("%+v", a))
		plain := sha256.Sum256([]byte(janKey))
		if a.Subject == "" || strings.Contains(a.Subject, fmt.Sprintf("%x", plain)) {
			c.t.Errorf("subject %q is not a keyed digest", a.Subject)
		}
	}
	quietAbout(c.t, "standard error", c.err.String())
}

// words runs a command line whose words hold spaces.
func (c *console) words(code int, args ...string) {
	c.t.Helper()
	c.out.Reset()
	c.err.Reset()
	if got := Run(context.Background(), c.Env, args); got != code {
		c.t.Fatalf("chatops %q: exit %d, want %d\nstdout: %s\nstderr: %s", args, got, code, &c.out, &c.err)
	}
}
