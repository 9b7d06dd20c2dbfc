package migrations_test

import (
	"slices"
	"strings"
	"testing"

	"chatops/internal/chatops"
	"chatops/migrations"
)

func TestList_IsTheSameForBothEngines(t *testing.T) {
	t.Parallel()
	pg, err := migrations.List(migrations.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	lite, err := migrations.List(migrations.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pg, lite) {
		t.Errorf("postgres has %v, sqlite %v", pg, lite)
	}
	for i, m := range pg {
		if m.Version != int64(i+1) {
			t.Errorf("migration %s is number %d in the list", m.Name, i+1)
		}
	}
	if _, err := migrations.List("oracle"); err == nil {
		t.Error("an unknown engine has migrations")
	}
}

func TestSQL_GivesOneDirectionWithoutAnnotations(t *testing.T) {
	t.Parallel()
	for _, d := range []migrations.Dialect{migrations.Postgres, migrations.SQLite} {
		list, err := migrations.List(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			up, err := migrations.SQL(d, m.Version, true)
			if err != nil {
				t.Fatal(err)
			}
			down, err := migrations.SQL(d, m.Version, false)
			if err != nil {
				t.Fatal(err)
			}
			if up == "" || strings.Contains(up, "drop table") || strings.Contains(up, "+goose") {
				t.Errorf("%s %s up:\n%s", d, m.Name, up)
			}
			makes := strings.Contains(up, "create table")
			if down == "" || strings.Contains(down, "drop table") != makes || strings.Contains(down, "create table") || strings.Contains(down, "+goose") {
				t.Errorf("%s %s down:\n%s", d, m.Name, down)
			}
		}
		if _, err := migrations.SQL(d, 9999, true); chatops.ErrorCode(err) != chatops.CodeNotFound {
			t.Errorf("an unknown version gives %v", err)
		}
	}
}

// json_valid(null) is 0 before SQLite 3.42, so that older programs, such as the
// sqlite3 of Debian 12, could not insert a row without the document.
func TestSQL_ChecksOfSQLite_LetOlderProgramsLeaveDocumentsOut(t *testing.T) {
	t.Parallel()
	list, err := migrations.List(migrations.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		up, err := migrations.SQL(migrations.SQLite, m.Version, true)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(up) {
			if strings.Contains(line, "json_valid(") && !strings.Contains(line, "not null") && !strings.Contains(line, "is null or") {
				t.Errorf("%s: %s", m.Name, strings.TrimSpace(line))
			}
		}
	}
}
