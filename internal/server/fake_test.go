package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

const (
	testKey    = "klucz-administratora"
	testSecret = "sekret-migracji"
)

// at is when everything happens in these tests.
var at = time.Date(2026, 3, 1, 12, 30, 15, 250_000_000, time.UTC)

// fakeLeads is a lead store in memory, with the keys of repeated requests.
type fakeLeads struct {
	mu   sync.Mutex
	list []chatops.Lead
	kept map[string]keptLead
	err  error // what every call gives, when set
	// visitErr is what EachLead gives after that many leads.
	visitErr   error
	visitAfter int
	filters    []chatops.LeadFilter
	onces      []chatops.OnceKey
	consents   []chatops.ChatConsent
}

type keptLead struct {
	body string
	id   int64
}

func (f *fakeLeads) create(_ context.Context, l *chatops.Lead, once *chatops.OnceKey, consent chatops.ChatConsent) (*chatops.Lead, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, false, f.err
	}
	if once != nil {
		f.onces = append(f.onces, *once)
		if k, ok := f.kept[once.Scope+once.Key]; ok {
			if k.body != once.Body {
				return nil, false, chatops.Errorf(chatops.CodeMismatch, "the key was used for something else")
			}
			i := f.index(k.id)
			if i < 0 {
				return nil, false, chatops.Errorf(chatops.CodeNotFound, "lead %d", k.id)
			}
			stored := f.list[i]
			return &stored, true, nil
		}
	}
	f.consents = append(f.consents, consent)
	stored := *l
	stored.ID, stored.Status, stored.CreatedAt = int64(len(f.list)+1), chatops.LeadNew, at.Add(time.Duration(len(f.list))*time.Minute)
	f.list = append(f.list, stored)
	if once != nil {
		if f.kept == nil {
			f.kept = map[string]keptLead{}
		}
		f.kept[once.Scope+once.Key] = keptLead{once.Body, stored.ID}
	}
	return &stored, false, nil
}

func (f *fakeLeads) index(id int64) int {
	return slices.IndexFunc(f.list, func(l chatops.Lead) bool { return l.ID == id })
}

func (f *fakeLeads) Lead(_ context.Context, id int64) (*chatops.Lead, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.index(id)
	switch {
	case f.err != nil:
		return nil, f.err
	case i < 0:
		return nil, chatops.Errorf(chatops.CodeNotFound, "lead %d: not found", id)
	}
	l := f.list[i]
	return &l, nil
}

func (f *fakeLeads) UpdateLead(_ context.Context, id int64, c chatops.LeadChange) (before, after *chatops.Lead, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.index(id)
	switch {
	case f.err != nil:
		return nil, nil, f.err
	case i < 0:
		return nil, nil, chatops.Errorf(chatops.CodeNotFound, "lead %d: not found", id)
	}
	b, l := f.list[i], &f.list[i]
	for _, p := range []struct{ from, to *string }{{c.Name, &l.Name}, {c.Email, &l.Email}, {c.Phone, &l.Phone}, {c.Message, &l.Message}} {
		if p.from != nil {
			*p.to = *p.from
		}
	}
	if c.Status != nil {
		l.Status = *c.Status
	}
	a := *l
	return &b, &a, nil
}

func (f *fakeLeads) SetLeadStatus(_ context.Context, ids []int64, status chatops.LeadStatus) (changed int, missing []int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		if i := f.index(id); i >= 0 {
			f.list[i].Status = status
			changed++
		} else {
			missing = append(missing, id)
		}
	}
	return changed, missing, f.err
}

// matching lists what a filter selects, in its order.
func (f *fakeLeads) matching(filter chatops.LeadFilter) []chatops.Lead {
	f.filters = append(f.filters, filter)
	var found []chatops.Lead
	for _, l := range f.list {
		if (filter.Status == "" || l.Status == filter.Status) && (filter.Since.IsZero() || !l.CreatedAt.Before(filter.Since)) &&
			(filter.Until.IsZero() || l.CreatedAt.Before(filter.Until)) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b chatops.Lead) int {
		c := cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		if filter.Ascending {
			return c
		}
		return -c
	})
	return found
}

func (f *fakeLeads) Leads(_ context.Context, filter chatops.LeadFilter, offset, limit int) ([]chatops.Lead, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.matching(filter)
	total := len(found)
	found = found[min(offset, total):min(offset+limit, total)]
	return found, int64(total), f.err
}

func (f *fakeLeads) EachLead(_ context.Context, filter chatops.LeadFilter, visit func(*chatops.Lead) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, l := range f.matching(filter) {
		if f.visitErr != nil && i == f.visitAfter {
			return f.visitErr
		}
		if err := visit(&l); err != nil {
			return err
		}
	}
	return f.err
}

// add puts leads into the store as they are.
func (f *fakeLeads) add(list ...chatops.Lead) {
	for _, l := range list {
		l.ID = int64(len(f.list) + 1)
		if l.CreatedAt.IsZero() {
			l.CreatedAt = at.Add(time.Duration(len(f.list)) * time.Minute)
		}
		if l.Status == "" {
			l.Status = chatops.LeadNew
		}
		f.list = append(f.list, l)
	}
}

// fakeConsent records what it is told.
type fakeConsent struct {
	mu          sync.Mutex
	withdrawals []chatops.ConsentWithdrawal
	sessions    map[string]bool
	marketing   []bool
	origins     []chatops.ConsentOrigin
	known       map[string]chatops.ConsentStatus
	asked       []string
	err         error
}

func (f *fakeConsent) SetSessionConsent(_ context.Context, id string, rodo, marketing bool, o chatops.ConsentOrigin) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return false, f.err
	}
	if f.sessions == nil {
		f.sessions = map[string]bool{}
	}
	before, known := f.sessions[id]
	f.sessions[id] = rodo
	f.marketing, f.origins = append(f.marketing, marketing), append(f.origins, o)
	return known && before == rodo, nil
}

func (f *fakeConsent) WithdrawConsent(_ context.Context, w chatops.ConsentWithdrawal) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.withdrawals = append(f.withdrawals, w)
	return len(f.known), f.err
}

func (f *fakeConsent) ConsentStatus(_ context.Context, key string) (*chatops.ConsentStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, key)
	if f.err != nil {
		return nil, f.err
	}
	if s, ok := f.known[key]; ok {
		return &s, nil
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "%s is not known", key)
}

// WithdrawalMark counts the withdrawals of the address.
func (f *fakeConsent) WithdrawalMark(_ context.Context, key string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, w := range f.withdrawals {
		if w.EmailKey == key {
			n++
		}
	}
	return strconv.Itoa(n), f.err
}

// fakeTexts are wordings, of which the last of a kind and language is current.
type fakeTexts struct {
	mu    sync.Mutex
	list  []chatops.ConsentText
	asked int
	err   error
}

func (f *fakeTexts) CurrentConsentText(_ context.Context, kind chatops.ConsentKind, lang string) (*chatops.ConsentText, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	for _, t := range slices.Backward(f.list) {
		if t.Kind == kind && t.Locale == lang {
			return &t, f.err
		}
	}
	return nil, cmp.Or(f.err, error(chatops.Errorf(chatops.CodeNotFound, "no such text")))
}

func (f *fakeTexts) ConsentText(_ context.Context, id int64) (*chatops.ConsentText, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.list {
		if t.ID == id {
			return &t, f.err
		}
	}
	return nil, cmp.Or(f.err, error(chatops.Errorf(chatops.CodeNotFound, "no such text")))
}

type fakeKnowledge struct{ empty bool }

func (f fakeKnowledge) Packages(lang string) []KnowledgePackage {
	if f.empty {
		return nil
	}
	price := 1499
	return []KnowledgePackage{
		{ID: "comfort", Name: "Comfort", PricePerSqm: &price, Standard: "standard " + lang, IdealFor: "dla rodzin"},
		{ID: "individual", Name: "Individual", Standard: "wycena", IdealFor: "dla wymagających"},
	}
}

func (f fakeKnowledge) FAQ(lang string) map[string]string {
	if f.empty {
		return nil
	}
	return map[string]string{"warranty": "36 " + lang, "area": "Gdańsk"}
}

// full is a server with everything that can be had.
type full struct {
	*fixture
	leads   *fakeLeads
	consent *fakeConsent
}

func newFull(tb testing.TB, change func(*Options)) *full {
	tb.Helper()
	f := &full{leads: &fakeLeads{}, consent: &fakeConsent{}}
	f.fixture = newFixture(tb, func(o *Options) {
		o.Leads, o.CreateLeadFunc, o.Consent, o.Knowledge = f.leads, f.leads.create, f.consent, fakeKnowledge{}
		o.AdminKeys, o.MigrationSecret = []string{"", testKey}, testSecret
		o.MigrateFunc = func(context.Context) (*MigrationReport, error) {
			return &MigrationReport{Applied: []string{"0001_conversations"}, Adoption: map[string]int{"leads": 3}}, nil
		}
		o.Health.DoctorFunc = fullHealth(nil).DoctorFunc
		o.Now = func() time.Time { return at }
		o.Tokens = &fakeTokens{nowFunc: o.Now}
		if change != nil {
			change(o)
		}
	})
	return f
}

// admin sends a request with the key; a body makes it JSON.
func (f *full) admin(tb testing.TB, method, target, body string, header ...string) *answer {
	tb.Helper()
	if body != "" {
		header = append([]string{"Content-Type", "application/json"}, header...)
	}
	return f.do(tb, method, target, body, append([]string{"Authorization", "Bearer " + testKey}, header...)...)
}

// postLead sends what a form would.
func (f *full) postLead(tb testing.TB, body string, header ...string) *answer {
	tb.Helper()
	return f.do(tb, http.MethodPost, "/api/leads/", body, header...)
}
