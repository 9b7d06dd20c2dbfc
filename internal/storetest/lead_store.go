package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func leadStoreCases() []testCase {
	return []testCase{
		{"CreateLead_StoresEveryFieldAndItsAlerts", createLead},
		{"CreateLead_FillsInWhatNobodySaid", createLeadDefaults},
		{"CreateLead_WithBadValues_StoresNothing", createLeadInvalid},
		{"CreateLead_ManyWithOneAddress_AreAllKept", createLeadTwice},
		{"CreateLead_WithASessionOfItsOwn_IsFoundByIt", createLeadSession},
		{"Lead_OfAnUnknownID_IsNotFound", leadUnknown},
		{"Leads_OfAnOlderProgram_AreReadWithNulls", leadNulls},
		{"UpdateLead_ReturnsBothStates", updateLead},
		{"UpdateLead_OfNothing_ChangesOnlyTheTime", updateLeadNothing},
		{"UpdateLead_ClearsWithEmptyTexts", updateLeadClears},
		{"UpdateLead_KeepsAnyText", updateLeadText},
		{"UpdateLead_WithBadValues_ChangesNothing", updateLeadInvalid},
		{"UpdateLead_ByManyAtOnce_IsAChain", updateLeadParallel},
		{"SetLeadStatus_NamesTheMissingInTheirOrder", setLeadStatus},
		{"SetLeadStatus_OfTenThousand_IsOneTransaction", setLeadStatusMany},
	}
}

// create stores a lead of its own.
func (e *env) create(l *chatops.Lead) *chatops.Lead {
	e.t.Helper()
	stored, err := e.store.CreateLead(e.ctx, l, nil, nil)
	e.must(err)
	return stored
}

// stored loads a lead.
func (e *env) stored(id int64) *chatops.Lead {
	e.t.Helper()
	l, err := e.store.Lead(e.ctx, id)
	e.must(err)
	return l
}

func createLead(e *env) {
	asked := lead("")
	asked.ID, asked.MondayItemID, asked.MarketingConsent = 4711, "12", true
	asked.CreatedAt = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	before := e.clock.Peek()
	got, err := e.store.CreateLead(e.ctx, asked, leadAlerts("form"), nil)
	e.must(err)
	want := *asked
	want.ID, want.CreatedAt, want.UpdatedAt = got.ID, got.CreatedAt, got.UpdatedAt
	if *got != want || got.ID == 0 || got.ID == asked.ID {
		e.t.Fatalf("stored\n%+v, want\n%+v", *got, want)
	}
	if got.CreatedAt.Before(before) || got.CreatedAt.After(e.clock.Peek()) || got.UpdatedAt != got.CreatedAt {
		e.t.Fatalf("created_at %v, updated_at %v, between %v and %v", got.CreatedAt, got.UpdatedAt, before, e.clock.Peek())
	}
	if loaded := e.stored(got.ID); *loaded != *got {
		e.t.Fatalf("loaded\n%+v, want\n%+v", *loaded, *got)
	}
	if n := e.count(`SELECT COUNT(*) FROM leads WHERE session_id IS NULL`); n != 1 {
		e.t.Fatalf("%d leads without a session, want 1", n)
	}
	alerts := e.alerts(chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertQueued}})
	if len(alerts) != 3 {
		e.t.Fatalf("%d alerts queued, want 3", len(alerts))
	}
}

func createLeadDefaults(e *env) {
	got := e.create(&chatops.Lead{Name: "Jan"})
	want := chatops.Lead{
		ID: got.ID, Name: "Jan", Source: chatops.LeadSource, Status: chatops.LeadNew,
		CreatedAt: got.CreatedAt, UpdatedAt: got.UpdatedAt,
	}
	if *got != want {
		e.t.Fatalf("stored %+v, want %+v", *got, want)
	}
	if n := e.count(`SELECT COUNT(*) FROM leads WHERE email IS NULL AND phone IS NULL AND notes IS NULL AND message IS NULL`); n != 1 {
		e.t.Fatal("empty texts are not stored as null")
	}
}

func createLeadInvalid(e *env) {
	bad := map[string]func(l *chatops.Lead, a *chatops.NewAlert){
		"address": func(l *chatops.Lead, _ *chatops.NewAlert) { l.Email = strings.Repeat("ł", 256) },
		"status":  func(l *chatops.Lead, _ *chatops.NewAlert) { l.Status = "won" },
		"score":   func(l *chatops.Lead, _ *chatops.NewAlert) { l.LeadScore = 1 << 40 },
		"alert":   func(_ *chatops.Lead, a *chatops.NewAlert) { a.Payload = []byte("{") },
	}
	for name, spoil := range bad {
		l, a := lead(""), newAlert(slackLane, "bad")
		spoil(l, &a)
		if _, err := e.store.CreateLead(e.ctx, l, []chatops.NewAlert{newAlert(mondayLane, "good"), a}, nil); chatops.ErrorCode(err) != chatops.CodeInvalid {
			e.t.Errorf("bad %s: %v", name, err)
		}
	}
	if n := e.count(`SELECT COUNT(*) FROM leads`); n != 0 {
		e.t.Errorf("%d leads stored, want none", n)
	}
	if n := len(e.alerts(chatops.AlertFilter{})); n != 0 {
		e.t.Errorf("%d alerts stored, want none", n)
	}
	l := lead("")
	l.Email = strings.Repeat("ł", 255)
	if got := e.create(l); got.Email != l.Email {
		e.t.Errorf("an address of 255 characters came back with %d bytes", len(got.Email))
	}
}

func createLeadTwice(e *env) {
	first, err := e.store.CreateLead(e.ctx, lead(""), leadAlerts("same"), nil)
	e.must(err)
	second, err := e.store.CreateLead(e.ctx, lead(""), leadAlerts("same"), nil)
	e.must(err)
	if first.ID == second.ID || !second.CreatedAt.After(first.CreatedAt) {
		e.t.Fatalf("two leads are %+v and %+v", *first, *second)
	}
	if n := len(e.alerts(chatops.AlertFilter{})); n != 3 {
		e.t.Fatalf("%d alerts stored for three keys", n)
	}
}

func createLeadSession(e *env) {
	got := e.create(lead("form-1"))
	l, err := e.store.LeadBySession(e.ctx, "form-1")
	e.must(err)
	if *l != *got || l.SessionID != "form-1" {
		e.t.Fatalf("found %+v, want %+v", *l, *got)
	}
	k := e.onceKey("form", "a")
	e.begin(k)
	_, err = e.store.CreateLead(e.ctx, lead("form-1"), leadAlerts("form-1"), reply(k, "r"))
	e.wantCode(err, chatops.CodeConflict)
	if n := len(e.alerts(chatops.AlertFilter{})); n != 0 {
		e.t.Fatalf("%d alerts of a refused lead", n)
	}
	e.wantBegin(e.onceKey("form", "a"), chatops.CodeConflict) // still running
	_, err = e.store.CreateLead(e.ctx, lead(strings.Repeat("s", 256)), nil, nil)
	e.wantCode(err, chatops.CodeInvalid)
}

func leadUnknown(e *env) {
	for _, id := range []int64{0, -1, 4711, 1<<63 - 1} {
		_, err := e.store.Lead(e.ctx, id)
		e.wantCode(err, chatops.CodeNotFound)
		_, _, err = e.store.UpdateLead(e.ctx, id, chatops.LeadChange{})
		e.wantCode(err, chatops.CodeNotFound)
	}
}

// insertBareLead writes a row that holds nothing but defaults and nulls.
func (e *env) insertBareLead() int64 {
	e.t.Helper()
	e.exec(`INSERT INTO leads (session_id, name, email, phone, interested_package, property_size, property_type,
		location, message, notes, monday_item_id) VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
	return e.count(`SELECT MAX(id) FROM leads`)
}

func leadNulls(e *env) {
	id := e.insertBareLead()
	l := e.stored(id)
	want := chatops.Lead{
		ID: id, Source: chatops.LeadSource, Status: chatops.LeadNew, MarketingConsent: true, RODOConsent: true,
		CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
	}
	if *l != want || l.CreatedAt.IsZero() {
		e.t.Fatalf("loaded %+v, want %+v", *l, want)
	}
	page, total, err := e.store.Leads(e.ctx, chatops.LeadFilter{Sort: chatops.SortLeadEmail}, 0, 10)
	e.must(err)
	if total != 1 || len(page) != 1 || page[0] != want {
		e.t.Fatalf("listed %+v of %d, want %+v", page, total, want)
	}
	if got := e.each(chatops.LeadFilter{}); !slices.Equal(got, []int64{id}) {
		e.t.Fatalf("visited %v", got)
	}
	name := "Ewa"
	before, after, err := e.store.UpdateLead(e.ctx, id, chatops.LeadChange{Name: &name})
	e.must(err)
	if *before != want || after.Name != "Ewa" {
		e.t.Fatalf("updated from %+v to %+v", *before, *after)
	}
}

// texts are changes of every text of a lead, and the text of each.
func everyText(value string) chatops.LeadChange {
	return chatops.LeadChange{
		Name: &value, Email: &value, Phone: &value, Message: &value, Notes: &value, InterestedPackage: &value,
		PropertySize: &value, PropertyType: &value, Location: &value,
	}
}

// withTexts returns the lead as it is after everyText.
func withTexts(l chatops.Lead, value string) chatops.Lead {
	l.Name, l.Email, l.Phone, l.Message, l.Notes = value, value, value, value, value
	l.InterestedPackage, l.PropertySize, l.PropertyType, l.Location = value, value, value, value
	return l
}

// update changes a lead and compares both states with what is wanted; the times
// are checked here.
func (e *env) update(id int64, change chatops.LeadChange, before, after chatops.Lead) {
	e.t.Helper()
	gotBefore, gotAfter, err := e.store.UpdateLead(e.ctx, id, change)
	e.must(err)
	after.CreatedAt, after.UpdatedAt = before.CreatedAt, gotAfter.UpdatedAt
	if *gotBefore != before {
		e.t.Fatalf("before the change\n%+v, want\n%+v", *gotBefore, before)
	}
	if *gotAfter != after || !gotAfter.UpdatedAt.After(before.UpdatedAt) {
		e.t.Fatalf("after the change\n%+v, want\n%+v", *gotAfter, after)
	}
	if loaded := e.stored(id); *loaded != *gotAfter {
		e.t.Fatalf("loaded\n%+v, want\n%+v", *loaded, *gotAfter)
	}
}

func updateLead(e *env) {
	e.save(leadTurn("update"))
	l, err := e.store.LeadBySession(e.ctx, "update")
	e.must(err)
	other := *e.create(lead(""))
	phone, status := "+48111222333", chatops.LeadQualified
	want := *l
	want.Phone, want.Status = phone, status
	e.update(l.ID, chatops.LeadChange{Phone: &phone, Status: &status}, *l, want)
	now := *e.stored(l.ID)
	e.update(l.ID, everyText("x"), now, withTexts(now, "x"))
	if got := e.stored(other.ID); *got != other {
		e.t.Fatalf("another lead was changed: %+v", *got)
	}
}

func updateLeadNothing(e *env) {
	l := *e.create(lead(""))
	e.clock.Advance(time.Hour)
	e.update(l.ID, chatops.LeadChange{}, l, l)
	if got := e.stored(l.ID); got.UpdatedAt.Sub(l.UpdatedAt) < time.Hour {
		e.t.Fatalf("updated_at moved from %v to %v in an hour", l.UpdatedAt, got.UpdatedAt)
	}
}

func updateLeadClears(e *env) {
	l := *e.create(lead(""))
	e.update(l.ID, everyText(""), l, withTexts(l, ""))
	if n := e.count(`SELECT COUNT(*) FROM leads WHERE name IS NULL AND email IS NULL AND phone IS NULL AND message IS NULL
		AND notes IS NULL AND interested_package IS NULL AND property_size IS NULL AND property_type IS NULL
		AND location IS NULL`); n != 1 {
		e.t.Fatal("cleared texts are not stored as null")
	}
}

func updateLeadText(e *env) {
	l := *e.create(lead(""))
	for _, text := range append(hostile, "a\x00b\xff") {
		change, want := everyText(text), withTexts(l, chatops.CleanText(text))
		if len([]rune(text)) > 255 {
			change.Email, want.Email = nil, l.Email
		}
		e.update(l.ID, change, l, want)
		l = *e.stored(l.ID)
	}
}

func updateLeadInvalid(e *env) {
	l := *e.create(lead(""))
	name, long, status := "Ewa", strings.Repeat("ł", 256), chatops.LeadStatus("won")
	for _, change := range []chatops.LeadChange{{Name: &name, Email: &long}, {Name: &name, Status: &status}} {
		_, _, err := e.store.UpdateLead(e.ctx, l.ID, change)
		e.wantCode(err, chatops.CodeInvalid)
	}
	if got := e.stored(l.ID); *got != l {
		e.t.Fatalf("a refused change left %+v", *got)
	}
}

// updateLeadParallel checks that the states before and after fit together: each
// change starts from what another one has left.
func updateLeadParallel(e *env) {
	l := e.create(lead(""))
	stores := []chatops.Store{e.store, e.open()}
	var mu sync.Mutex
	before, after := map[string]int{}, map[string]int{l.Notes: 1}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 5 {
				notes := fmt.Sprintf("%d.%d", i, n)
				from, to, err := stores[i%2].UpdateLead(e.ctx, l.ID, chatops.LeadChange{Notes: &notes})
				if err != nil || to.Notes != notes {
					e.t.Errorf("update to %q gave %+v, %v", notes, to, err)
					return
				}
				mu.Lock()
				before[from.Notes]++
				after[to.Notes]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	after[e.stored(l.ID).Notes]-- // the last one is nobody's start
	for notes, n := range after {
		if before[notes] != n {
			e.t.Errorf("state %q was left %d times and found %d times", notes, n, before[notes])
		}
	}
}

func setLeadStatus(e *env) {
	a, b, c := e.create(lead("")), e.create(lead("")), e.create(lead(""))
	ids := []int64{99, b.ID, 7777, a.ID, b.ID, -1, 99, 0}
	e.clock.Advance(time.Minute)
	n, missing, err := e.store.SetLeadStatus(e.ctx, ids, chatops.LeadContacted)
	e.must(err)
	if n != 2 || !slices.Equal(missing, []int64{99, 7777, -1, 0}) {
		e.t.Fatalf("changed %d, missing %v", n, missing)
	}
	for id, want := range map[int64]chatops.LeadStatus{
		a.ID: chatops.LeadContacted, b.ID: chatops.LeadContacted, c.ID: chatops.LeadNew,
	} {
		got := e.stored(id)
		if got.Status != want || got.UpdatedAt.After(got.CreatedAt) != (want != chatops.LeadNew) {
			e.t.Fatalf("lead %d is %+v, want %s", id, *got, want)
		}
	}
	n, missing, err = e.store.SetLeadStatus(e.ctx, nil, chatops.LeadLost)
	if err != nil || n != 0 || len(missing) != 0 {
		e.t.Fatalf("no ids gave %d, %v, %v", n, missing, err)
	}
	_, _, err = e.store.SetLeadStatus(e.ctx, []int64{a.ID}, "won")
	e.wantCode(err, chatops.CodeInvalid)
}

// insertLeads writes n leads at once, numbered from 1.
func (e *env) insertLeads(n int) {
	e.t.Helper()
	e.exec(fmt.Sprintf(`INSERT INTO leads (name, lead_score)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'Lead ' || i, i %% 100 FROM n`, n))
}

func setLeadStatusMany(e *env) {
	e.insertLeads(10_000)
	first := e.count(`SELECT MIN(id) FROM leads`)
	ids := make([]int64, 0, 10_001)
	for i := range int64(10_001) {
		ids = append(ids, first+10_000-i)
	}
	n, missing, err := e.store.SetLeadStatus(e.ctx, ids, chatops.LeadLost)
	e.must(err)
	if n != 10_000 || !slices.Equal(missing, ids[:1]) {
		e.t.Fatalf("changed %d, missing %v", n, missing)
	}
	if n := e.count(`SELECT COUNT(*) FROM leads WHERE status = 'lost'`); n != 10_000 {
		e.t.Fatalf("%d leads are lost, want 10000", n)
	}
}
