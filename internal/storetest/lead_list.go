package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func leadListCases() []testCase {
	return []testCase{
		{"Leads_AreFilteredAndSorted", leadsSorted},
		{"Leads_OfAnyPages_AreTheWholeList", leadsPages},
		{"Leads_OfUnknownSortOrStatus_AreInvalid", leadsInvalid},
		{"Leads_CompareTextsAsTheyAre", leadsLiteral},
		{"EachLead_VisitsEveryLeadInOrder", eachLead},
		{"EachLead_EndsWithTheErrorOfItsVisitor", eachLeadError},
		{"EachLead_LetsItsVisitorWrite", eachLeadWrites},
		{"EachLead_LeavesOutWhatIsGoneOrDoesNotMatchAnyMore", eachLeadGone},
		{"EachLead_EndsWithItsContext", eachLeadCancelled},
	}
}

// each returns the ids that EachLead visits.
func (e *env) each(f chatops.LeadFilter) []int64 {
	e.t.Helper()
	var ids []int64
	e.must(e.store.EachLead(e.ctx, f, func(l *chatops.Lead) error {
		ids = append(ids, l.ID)
		return nil
	}))
	return ids
}

// list returns every lead that matches, by one page.
func (e *env) list(f chatops.LeadFilter) []chatops.Lead {
	e.t.Helper()
	page, total, err := e.store.Leads(e.ctx, f, 0, 100_000)
	e.must(err)
	if int(total) != len(page) {
		e.t.Fatalf("%d leads listed of %d", len(page), total)
	}
	return page
}

func leadIDs(list []chatops.Lead) []int64 {
	ids := make([]int64, 0, len(list))
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids
}

// variedLeads stores leads that tie and differ in every column, and returns
// them as they are stored.
func (e *env) variedLeads() []chatops.Lead {
	e.t.Helper()
	names := []string{"", "Zenon", "zenon", "Łukasz", "lukasz", "Ądam", "Adam", "adam", "ADAM", " Adam", "O'Neil", "Żaneta", "a_b", "a%b", "🏠", "\ufeffA"}
	emails := []string{"", "b@x.pl", "B@x.pl", "a@x.pl", "a-b@x.pl", "a.b@x.pl", "ł@x.pl", "a_b@x.pl"}
	packages := []string{"", "Premium", "PREMIUM", "Express Plus", "express", "Ściana", "ściana"}
	all := make([]chatops.Lead, 0, 90)
	for i := range 90 {
		l := e.create(&chatops.Lead{
			Name: names[i%len(names)], Email: emails[i*7%len(emails)], InterestedPackage: packages[i*3%len(packages)],
			Status: chatops.LeadStatuses()[i*i%5], LeadScore: i * 13 % 20,
		})
		all = append(all, *l)
		e.clock.Advance(time.Duration(i%3) * time.Second)
	}
	// As an older program may have left them: ties of time, empty texts.
	e.exec(`UPDATE leads SET created_at = '2026-01-02 03:04:05' WHERE lead_score = 7`)
	e.exec(`UPDATE leads SET updated_at = '2026-01-02 03:04:05.5' WHERE lead_score > 14`)
	e.exec(`UPDATE leads SET name = '' WHERE name IS NULL AND lead_score < 10`)
	for i := range all {
		all[i] = *e.stored(all[i].ID)
	}
	return all
}

// matches is the filter, obviously right.
func matches(f *chatops.LeadFilter, l *chatops.Lead) bool {
	ascii := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + 32
			}
			return r
		}, s)
	}
	return (f.Status == "" || l.Status == f.Status) &&
		(f.Package == "" || ascii(l.InterestedPackage) == ascii(f.Package)) &&
		(f.Since.IsZero() || !l.CreatedAt.Before(f.Since)) && (f.Until.IsZero() || l.CreatedAt.Before(f.Until))
}

// byOrder compares leads as a filter sorts them.
func byOrder(f *chatops.LeadFilter) func(a, b chatops.Lead) int {
	return func(a, b chatops.Lead) int {
		switch f.Sort {
		case chatops.SortLeadName:
			if (a.Name == "") != (b.Name == "") {
				return cmp.Compare(len(b.Name), len(a.Name)) // nothing comes last, either way
			}
		case chatops.SortLeadEmail:
			if (a.Email == "") != (b.Email == "") {
				return cmp.Compare(len(b.Email), len(a.Email))
			}
		default:
		}
		order := cmp.Or(byColumn(f.Sort, &a, &b), cmp.Compare(a.ID, b.ID))
		if f.Ascending {
			return order
		}
		return -order
	}
}

func byColumn(sort chatops.LeadSort, a, b *chatops.Lead) int {
	switch sort {
	case chatops.SortLeadUpdated:
		return a.UpdatedAt.Compare(b.UpdatedAt)
	case chatops.SortLeadName:
		return strings.Compare(a.Name, b.Name)
	case chatops.SortLeadEmail:
		return strings.Compare(a.Email, b.Email)
	case chatops.SortLeadStatus:
		return strings.Compare(string(a.Status), string(b.Status))
	case chatops.SortLeadScore:
		return cmp.Compare(a.LeadScore, b.LeadScore)
	default:
		return a.CreatedAt.Compare(b.CreatedAt)
	}
}

func leadsSorted(e *env) {
	all := e.variedLeads()
	middle := all[len(all)/2].CreatedAt
	filters := []chatops.LeadFilter{
		{}, {Status: chatops.LeadContacted}, {Package: "premium"}, {Package: "ściana"}, {Package: "Nic"},
		{Since: middle}, {Until: middle}, {Since: middle, Until: middle.Add(10 * time.Second)},
		{Status: chatops.LeadNew, Package: "EXPRESS PLUS", Since: all[5].CreatedAt, Until: all[80].CreatedAt},
	}
	for _, f := range filters {
		for _, f.Sort = range append(chatops.LeadSorts(), "") {
			for _, f.Ascending = range []bool{false, true} {
				var want []chatops.Lead
				for i := range all {
					if matches(&f, &all[i]) {
						want = append(want, all[i])
					}
				}
				slices.SortFunc(want, byOrder(&f))
				got := e.list(f)
				if !slices.Equal(got, want) {
					e.t.Fatalf("filter %+v gives\n%v, want\n%v", f, leadIDs(got), leadIDs(want))
				}
				if visited := e.each(f); !slices.Equal(visited, leadIDs(want)) {
					e.t.Fatalf("filter %+v visits\n%v, want\n%v", f, visited, leadIDs(want))
				}
			}
		}
	}
}

func leadsPages(e *env) {
	all := e.variedLeads()
	for _, sort := range chatops.LeadSorts() {
		for _, size := range []int{1, 7, 90} {
			f := chatops.LeadFilter{Sort: sort, Ascending: size == 7}
			var got []int64
			for offset := 0; offset < len(all); offset += size {
				page, total, err := e.store.Leads(e.ctx, f, offset, size)
				e.must(err)
				if total != int64(len(all)) || len(page) != min(size, len(all)-offset) {
					e.t.Fatalf("page at %d of %d has %d leads, total %d", offset, size, len(page), total)
				}
				got = append(got, leadIDs(page)...)
			}
			if want := leadIDs(e.list(f)); !slices.Equal(got, want) {
				e.t.Fatalf("pages of %d by %s give %v, want %v", size, sort, got, want)
			}
		}
	}
	for name, at := range map[string][2]int{"past the end": {1000, 10}, "empty": {0, 0}, "negative": {0, -5}} {
		page, total, err := e.store.Leads(e.ctx, chatops.LeadFilter{}, at[0], at[1])
		e.must(err)
		if len(page) != 0 || total != int64(len(all)) {
			e.t.Errorf("%s: %d leads, total %d", name, len(page), total)
		}
	}
	page, _, err := e.store.Leads(e.ctx, chatops.LeadFilter{}, -3, 2)
	e.must(err)
	if len(page) != 2 {
		e.t.Errorf("a negative offset gives %d leads, want the first page", len(page))
	}
}

func leadsInvalid(e *env) {
	for _, f := range []chatops.LeadFilter{{Sort: "phone"}, {Sort: "id; drop table leads"}, {Status: "won"}} {
		_, _, err := e.store.Leads(e.ctx, f, 0, 10)
		e.wantCode(err, chatops.CodeInvalid)
		e.wantCode(e.store.EachLead(e.ctx, f, func(*chatops.Lead) error { return nil }), chatops.CodeInvalid)
	}
}

func leadsLiteral(e *env) {
	for _, name := range []string{"100%", "a_c", "abc", `'"\`, "x\x00y"} {
		e.create(&chatops.Lead{InterestedPackage: name})
	}
	for name, want := range map[string]int{"%": 0, "100%": 1, "a_c": 1, "A_C": 1, "abc": 1, `'"\`: 1, "x\x00y": 1, "' or 1=1 --": 0} {
		if got := e.list(chatops.LeadFilter{Package: name}); len(got) != want {
			e.t.Errorf("package %q matches %d leads, want %d", name, len(got), want)
		}
	}
}

func eachLead(e *env) {
	e.insertLeads(1203)
	f := chatops.LeadFilter{Sort: chatops.SortLeadScore}
	want := leadIDs(e.list(f))
	if got := e.each(f); len(want) != 1203 || !slices.Equal(got, want) {
		e.t.Fatalf("visited %d of %d leads, or not in order", len(got), len(want))
	}
	if got := e.each(chatops.LeadFilter{Status: chatops.LeadLost}); len(got) != 0 {
		e.t.Fatalf("visited %d leads that do not match", len(got))
	}
}

func eachLeadError(e *env) {
	e.insertLeads(600)
	stop := errors.New("stop")
	n := 0
	err := e.store.EachLead(e.ctx, chatops.LeadFilter{}, func(*chatops.Lead) error {
		if n++; n == 550 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 550 {
		e.t.Fatalf("ended with %v after %d leads", err, n)
	}
}

// eachLeadWrites changes the place of every lead while it is visited, from the
// visitor itself and from another handle.
func eachLeadWrites(e *env) {
	e.insertLeads(1100)
	other := e.open()
	seen := map[int64]int{}
	err := e.store.EachLead(e.ctx, chatops.LeadFilter{Sort: chatops.SortLeadUpdated}, func(l *chatops.Lead) error {
		seen[l.ID]++
		name := fmt.Sprintf("Lead %d again", l.ID)
		switch l.ID % 100 {
		case 0:
			_, _, err := e.store.UpdateLead(e.ctx, l.ID, chatops.LeadChange{Name: &name})
			return err
		case 1:
			_, _, err := other.UpdateLead(e.ctx, l.ID, chatops.LeadChange{Name: &name})
			return err
		case 2:
			_, err := e.store.CreateLead(e.ctx, lead(""), nil, nil)
			return err
		}
		return nil
	})
	e.must(err)
	if len(seen) != 1100 {
		e.t.Fatalf("visited %d leads, want the 1100 that were there", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			e.t.Fatalf("lead %d was visited %d times", id, n)
		}
	}
}

func eachLeadGone(e *env) {
	e.insertLeads(1000)
	first := e.count(`SELECT MIN(id) FROM leads`)
	f := chatops.LeadFilter{Ascending: true, Status: chatops.LeadNew}
	var got []int64
	e.must(e.store.EachLead(e.ctx, f, func(l *chatops.Lead) error {
		if len(got) == 0 {
			e.exec(fmt.Sprintf(`DELETE FROM leads WHERE id >= %d`, first+900))
			e.exec(fmt.Sprintf(`UPDATE leads SET status = 'lost' WHERE id >= %d`, first+800))
		}
		got = append(got, l.ID)
		return nil
	}))
	if len(got) != 800 || got[799] != first+799 {
		e.t.Fatalf("visited %d leads, want 800", len(got))
	}
}

func eachLeadCancelled(e *env) {
	e.insertLeads(1000)
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	n := 0
	err := e.store.EachLead(ctx, chatops.LeadFilter{}, func(*chatops.Lead) error {
		n++
		cancel()
		return nil
	})
	if chatops.ErrorCode(err) != chatops.CodeInterrupted || n == 0 || n >= 1000 {
		e.t.Fatalf("ended with %v after %d of 1000 leads", err, n)
	}
}
