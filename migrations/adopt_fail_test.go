package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatops/internal/chatops"
	"chatops/migrations"
)

// older is a small older database with something of everything.
func older() []string {
	return append(ormShape(),
		`insert into chat_conversations (id, session_id, started_at, email) values (1, 's1', '2025-12-01 10:00:00', 'jan@x.pl')`,
		`insert into chat_messages (id, conversation_id, message, sender, timestamp) values (1, 1, 'hi', 'user', '2025-12-01 10:00:01')`,
		`insert into leads (id, session_id, name, created_at) values (1, 's1', 'Jan', '2025-12-01 10:00:02'), (2, 's1', 'Jan', '2025-12-01 10:00:03')`,
		`insert into dead_letter_queue (id, event_type, target, payload, status, created_at)
		values (1, 'slack_alert', 'slack:alerts', '{"text":"hi"}', 'pending', '2025-12-01 10:00:04')`)
}

// untouched fails when the older database is not as it was.
func (d database) untouched(t *testing.T, db *sql.DB, before []string) {
	t.Helper()
	after := slices.DeleteFunc(d.objects(t, db), func(name string) bool { return strings.HasPrefix(name, "goose_") })
	if !slices.Equal(before, after) {
		t.Errorf("the database holds %v, want %v", after, before)
	}
	if n := one(t, db, `select count(*) from leads`); n != "2" {
		t.Errorf("%s leads are left, want 2", n)
	}
}

func TestAdopt_KilledAtAStatement_ChangesNothingAndIsDoneByTheNext(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db := d.open(t)
		d.exec(t, db, older()...)
		before := d.objects(t, db)
		killed := 0
		for statements := int64(0); ; statements += 23 { // not all: each takes as long as an adoption
			doomed := &dying{inner: d.connector}
			doomed.left.Store(statements)
			own := sql.OpenDB(doomed)
			m := newMigrator(t, own, d.dialect)
			_, err := m.Up(t.Context())
			_ = own.Close()
			if err == nil || m.Adopted() != nil { // or killed in a migration after it
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatalf("killed at statement %d: %v", statements, err)
			}
			killed++
			d.untouched(t, db, before)
		}
		if killed < 4 {
			t.Errorf("only %d statements were tried", killed)
		}
		d.up(t)
		wantRows(t, db, `select id, name from leads`, "1|Jan")
		wantRows(t, db, archived, "leads|2|session_id: an earlier lead has it")
	})
}

func TestAdopt_ACopyIsKeptOnlyOfWhatWasTakenOver(t *testing.T) {
	t.Parallel()
	errFull := chatops.Errorf(chatops.CodeUnavailable, "no space left")
	for _, c := range []struct {
		name   string
		fail   error
		table  string // that stands in the way
		copied string
		want   string
	}{
		{"taken over", nil, "", "/copies/1.db", ""},
		{"no copy", errFull, "", "", "copy the database: no space left; nothing was changed"},
		{"refused before", nil, `create table suppression (colour text)`, "", "table suppression is not the one that chatops needs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newSQLite(t)
			db := d.open(t)
			d.exec(t, db, older()...)
			if c.table != "" {
				d.exec(t, db, c.table)
			}
			discarded := false
			m, err := migrations.New(d.open(t), d.dialect, migrations.Options{
				CopyFunc: func(context.Context, *sql.DB) (string, func(), error) {
					return "/copies/1.db", func() { discarded = true }, c.fail
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Up(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			copied := ""
			if m.Adopted() != nil {
				copied = m.Adopted().Copy
			}
			if copied != c.copied || discarded {
				t.Errorf("copied to %q, discarded %v", copied, discarded)
			}
		})
	}
}

func TestAdopt_RemovesTheCopyOfAnAttemptThatFailed(t *testing.T) {
	t.Parallel()
	d := newSQLite(t)
	db := d.open(t)
	d.exec(t, db, older()...)
	doomed := &dying{inner: d.connector}
	doomed.left.Store(1 << 30)
	discarded := false
	m, err := migrations.New(sql.OpenDB(doomed), d.dialect, migrations.Options{
		CopyFunc: func(context.Context, *sql.DB) (string, func(), error) {
			doomed.left.Store(20) // dies in the middle of what follows
			return "/copies/1.db", func() { discarded = true }, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	if _, err := m.Up(t.Context()); !errors.Is(err, errKilled) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("error %v", err)
	}
	if !discarded || m.Adopted() != nil {
		t.Errorf("discarded %v, adopted %+v", discarded, m.Adopted())
	}
}

func TestAdopt_RefusesWhatIsNotAnOlderDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, want string }{
		"another's table":     {`create table dead_letter_queue (colour text)`, "table dead_letter_queue has none of the columns that dead_letter_queue has here"},
		"a table of our name": {`create table suppression (colour text)`, "table suppression is not the one that chatops needs"},
		"a derived table":     {`create table dlq_lane (lane text, status text, cursor_at text, cursor_id text, paused_until text)`, "table dlq_lane is not the one that chatops needs"},
		"an index":            {`create index idx_dlq_status on leads (name)`, ""},
		"an index elsewhere":  {`create table parcels (id integer); create index idx_dlq_status on parcels (id)`, "the names idx_dlq_status are taken by something else"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, d database) {
				db := d.open(t)
				shape := []string{ormConversations, ormMessages, ormLeads, `insert into leads (id, name) values (1, 'Jan'), (2, 'Ewa')`}
				d.exec(t, db, append(shape, strings.Split(c.statement, "; ")...)...)
				before := d.objects(t, db)
				m := d.migrator(t)
				_, upErr := m.Up(t.Context())
				_, previewErr := d.migrator(t).PreviewAdoption(t.Context())
				if c.want == "" {
					if upErr != nil || m.Adopted() == nil {
						t.Errorf("an index of an older table stands in the way: %v", upErr)
					}
					return
				}
				for _, err := range []error{upErr, previewErr} {
					if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "nothing was changed") {
						t.Errorf("error %v, want %q", err, c.want)
					}
				}
				d.untouched(t, db, before)
			})
		})
	}
}

func TestAdopt_ManyAtOnceTakeOverOnceAndDownIsRefused(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db := d.open(t)
		d.exec(t, db, older()...)
		before := d.objects(t, db)
		preview, err := d.migrator(t).PreviewAdoption(t.Context())
		if err != nil || preview == nil || preview.Copy != "" {
			t.Fatalf("preview %+v, %v", preview, err)
		}
		d.untouched(t, db, before)
		var wg sync.WaitGroup
		migrators := make([]*migrations.Migrator, 4)
		errs := make([]error, len(migrators))
		for i := range migrators {
			migrators[i] = d.migrator(t)
			wg.Go(func() { _, errs[i] = migrators[i].Up(t.Context()) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		adopted := 0
		for _, m := range migrators {
			if m.Adopted() != nil {
				adopted++
			}
		}
		if adopted != 1 {
			t.Errorf("%d of them took it over", adopted)
		}
		m := migrators[0]
		if again, err := m.PreviewAdoption(t.Context()); err != nil || again != nil {
			t.Errorf("a second preview says %+v, %v", again, err)
		}
		for {
			reverted, err := m.Down(t.Context())
			if err != nil {
				if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), "holds rows of an older application") {
					t.Errorf("down says %v", err)
				}
				break
			}
			if reverted == nil || reverted.Version <= 3 {
				t.Fatalf("down reverted %+v, which holds an older application's rows", reverted)
			}
		}
		wantRows(t, db, `select id, name from leads`, "1|Jan")
	})
}
