package postgres_test

import (
	"slices"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// TestLeads_OfALinguisticCollation_AreSortedByCodePoint: a database whose texts
// sort as in a dictionary lists leads in the same order as SQLite.
func TestLeads_OfALinguisticCollation_AreSortedByCodePoint(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	db := handle(t, url)
	var known bool
	if err := db.QueryRow(`select exists (select from pg_collation where collname = 'pl-x-icu')`).Scan(&known); err != nil {
		t.Fatal(err)
	}
	if !known {
		t.Skip("this PostgreSQL is built without ICU")
	}
	for _, column := range []string{"name", "email", "status", "interested_package"} {
		exec(t, db, `alter table leads alter column `+column+` type text collate "pl-x-icu"`)
	}
	s := open(t, url, postgres.Options{})
	names := []string{"zenon", "Adam", "adam", "Łukasz", "Zenon", "ADAM", "łukasz"}
	for _, name := range names {
		l := &chatops.Lead{Name: name, Email: name + "@x.pl", InterestedPackage: name}
		if _, err := s.CreateLead(t.Context(), l, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	for _, sort := range []chatops.LeadSort{chatops.SortLeadName, chatops.SortLeadEmail} {
		page, _, err := s.Leads(t.Context(), chatops.LeadFilter{Sort: sort, Ascending: true}, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range page {
			got = append(got, l.Name)
		}
		if !slices.Equal(got, names) {
			t.Errorf("sorted by %s: %q, want %q", sort, got, names)
		}
	}
	for name, want := range map[string]int64{"ADAM": 3, "łUKASZ": 1, "ŁUKASZ": 1} {
		if _, n, err := s.Leads(t.Context(), chatops.LeadFilter{Package: name}, 0, 1); err != nil || n != want {
			t.Errorf("package %s matches %d, %v; want %d", name, n, err, want)
		}
	}
}
