package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/migrations"
)

func TestStatus_OfANeverMigratedDatabase_ChangesNothing(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		m := d.migrator(t)
		status, err := m.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if status.Current != 0 || len(status.Applied) != 0 || len(status.Pending) != int(status.Latest) {
			t.Errorf("status is %+v", *status)
		}
		if names := d.objects(t, d.open(t)); len(names) != 0 {
			t.Errorf("reading the status made %v", names)
		}
		err = m.Check(t.Context())
		if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), "chatops migrate up") {
			t.Errorf("check says %v", err)
		}
	})
}

func TestUp_AppliesEverythingOnceAndDownRevertsIt(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		m, ctx := d.migrator(t), t.Context()
		done, err := m.Up(ctx)
		if err != nil {
			t.Fatal(err)
		}
		status, err := m.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(done) != len(status.Applied) || len(status.Pending) != 0 || status.Current != migrations.Latest() {
			t.Fatalf("applied %v, status %+v", done, *status)
		}
		for _, a := range status.Applied {
			if age := time.Since(a.AppliedAt); age < -time.Minute || age > time.Minute || a.Name == "" {
				t.Errorf("%q applied at %v", a.Name, a.AppliedAt)
			}
		}
		if err := m.Check(ctx); err != nil {
			t.Errorf("check says %v", err)
		}
		if again, err := m.Up(ctx); err != nil || len(again) != 0 {
			t.Errorf("a second up applied %v, %v", again, err)
		}
		db := d.open(t)
		full := d.objects(t, db)
		for range done {
			if reverted, err := m.Down(ctx); err != nil || reverted == nil {
				t.Fatalf("down: %v, %v", reverted, err)
			}
		}
		if reverted, err := m.Down(ctx); err != nil || reverted != nil {
			t.Errorf("down of nothing: %v, %v", reverted, err)
		}
		for _, name := range d.objects(t, db) {
			if !strings.HasPrefix(name, "goose_") {
				t.Errorf("%s is left after down", name)
			}
		}
		if _, err := m.Up(ctx); err != nil {
			t.Fatal(err)
		}
		if redone := d.objects(t, db); !slices.Equal(full, redone) {
			t.Errorf("up after down made %v, want %v", redone, full)
		}
	})
}

func TestUp_OfManyAtOnce_AppliesEachMigrationOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		var wg sync.WaitGroup
		applied := make([][]chatops.Migration, 6)
		errs := make([]error, len(applied))
		for i := range applied {
			m := d.migrator(t)
			wg.Go(func() { applied[i], errs[i] = m.Up(t.Context()) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if all := slices.Concat(applied...); len(all) != int(migrations.Latest()) {
			t.Errorf("together they applied %v", all)
		}
		var rows int
		db := d.open(t)
		if err := db.QueryRowContext(t.Context(), `select count(*) from goose_db_version`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if want := int(migrations.Latest()) + 1; rows != want {
			t.Errorf("%d rows in the version table, want %d", rows, want)
		}
	})
}

// killedUp runs Up on a connection that dies after so many statements. It
// reports whether Up came to its end before.
func (d database) killedUp(t *testing.T, statements int64) (done bool) {
	t.Helper()
	doomed := &dying{inner: d.connector}
	doomed.left.Store(statements)
	db := sql.OpenDB(doomed)
	defer func() { _ = db.Close() }()
	_, err := newMigrator(t, db, d.dialect).Up(t.Context())
	if err != nil && !errors.Is(err, errKilled) {
		t.Fatalf("killed at statement %d: %v", statements, err)
	}
	return err == nil
}

// Fault F21: each migration is killed at each of its statements, and the next
// kill meets what the last one left. Nothing of a killed one may stay, and all
// of them together make the schema that one run makes.
func TestUp_KilledAtEveryStatement_IsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		whole := newSQLite(t)
		if d.dialect == migrations.Postgres {
			whole = newPostgres(t)
		}
		if _, err := whole.migrator(t).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		db, m := d.open(t), d.migrator(t)
		at := func() int64 {
			status, err := m.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return status.Current
		}
		version, before, killed := at(), []string(nil), 0
		for statements := int64(0); !d.killedUp(t, statements); statements++ {
			killed++
			objects := d.objects(t, db)
			switch now := at(); {
			case now > version: // the kill came after its commit; on with the next, from its first statement
				version, before, statements = now, objects, -1
			case before == nil || version == 0: // the migrations' own table may be new
				before = objects
			case !slices.Equal(objects, before):
				t.Fatalf("after version %d, killed at statement %d: left behind %v, want %v", version, statements, objects, before)
			}
		}
		if got, want := d.objects(t, db), whole.objects(t, whole.open(t)); !slices.Equal(got, want) {
			t.Errorf("the schema is %v, want %v", got, want)
		}
		if killed < 80 {
			t.Errorf("only %d statements were tried", killed)
		}
	})
}

func TestUp_OfANewerDatabase_IsRefused(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		m, ctx := d.migrator(t), t.Context()
		if _, err := m.Up(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := d.open(t).ExecContext(ctx,
			`insert into goose_db_version (version_id, is_applied) values (9999, true)`); err != nil {
			t.Fatal(err)
		}
		_, upErr := m.Up(ctx)
		_, downErr := m.Down(ctx)
		for _, err := range []error{upErr, downErr} {
			if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), "9999, newer than this chatops") {
				t.Errorf("error is %v", err)
			}
		}
		status, err := m.Status(ctx)
		if err != nil || status.Current != 9999 || len(status.Pending) != 0 {
			t.Errorf("status is %+v, %v", status, err)
		}
		if err := m.Check(ctx); err != nil {
			t.Errorf("an older binary must go on with a newer schema: %v", err)
		}
	})
}

func TestUp_WaitingForAnother_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	d := newPostgres(t)
	conn, err := d.open(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const gooseLock = 4097083626
	if _, err := conn.ExecContext(t.Context(), `select pg_advisory_lock($1::bigint)`, int64(gooseLock)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := d.migrator(t).Up(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}
