package postgres_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
	"chatops/internal/postgres"
)

func TestOpen_OfABadURL_IsInvalidAndHidesIt(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:hunter2@host:port/db", "postgres://u:hunter2@host/db?sslmode=maybe", "host=hunter2 port=x",
	} {
		_, err := postgres.Open(t.Context(), url, postgres.Options{})
		if chatops.ErrorCode(err) != chatops.CodeInvalid || strings.Contains(fmt.Sprintf("%v", err), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
		if _, err := postgres.NewMigrator(t.Context(), url); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("migrator of %s: %v", url, err)
		}
	}
}

func TestStore_OfAServerThatIsNotThere_SaysWhichAndWhy(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	s := open(t, "postgres://ola:hunter2@"+addr+"/db?sslmode=disable", postgres.Options{})
	err = s.Ping(t.Context())
	if want := "connect to " + addr + ": connection refused"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("code is %s", chatops.ErrorCode(err))
	}
	s = open(t, "postgres://ola:hunter2@"+addr+","+addr+"/db?sslmode=disable", postgres.Options{})
	if err = s.Ping(t.Context()); chatops.ErrorCode(err) != chatops.CodeUnavailable || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error is %v", err)
	}
}

func TestStore_WithAWrongPassword_SaysSo(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	wrong := strings.Replace(server.URL(), "@", "x@", 1)
	err := open(t, wrong, postgres.Options{}).Ping(t.Context())
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.HasSuffix(err.Error(), "refused the user or password") {
		t.Errorf("error is %v", err)
	}
}

func TestStore_OfAnUnmigratedDatabase_NamesTheCommand(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s := open(t, url, postgres.Options{})
	for name, err := range map[string]error{
		"check": s.CheckSchema(t.Context()),
		"query": func() error { _, err := s.Lanes(t.Context()); return err }(),
	} {
		if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), "`chatops migrate up`") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := migrate(url); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("after migrating: %v", err)
	}
	if _, err := s.Lanes(t.Context()); err != nil {
		t.Errorf("after migrating: %v", err)
	}
}

// turnOf makes the first turn of a session.
func turnOf(session string) *chatops.Turn {
	return &chatops.Turn{Conversation: chatops.Conversation{SessionID: session}, UserMessage: "a", BotMessage: "b"}
}

func TestStore_RecoversWhenTheServerComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	url := server.Database("app")
	if err := migrate(url); err != nil {
		t.Fatal(err)
	}
	s := open(t, url, postgres.Options{MaxConns: 3})
	if _, err := s.SaveTurn(t.Context(), turnOf("before")); err != nil {
		t.Fatal(err)
	}
	server.Stop(pgtest.Immediate)
	for range 5 {
		_, err := s.SaveTurn(t.Context(), turnOf("meanwhile"))
		if chatops.ErrorCode(err) != chatops.CodeUnavailable {
			t.Fatalf("while the server is down: %v", err)
		}
	}
	server.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, err := s.SaveTurn(ctx, turnOf("after"))
		if err == nil {
			break
		}
		if chatops.ErrorCode(err) != chatops.CodeUnavailable || ctx.Err() != nil {
			t.Fatalf("after the restart: %v", err)
		}
	}
	if _, err := s.Conversation(t.Context(), "before"); err != nil {
		t.Errorf("what was stored before: %v", err)
	}
}

func TestStore_OfAFrozenServer_GivesUpInTime(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	s := open(t, server.URL(), postgres.Options{QueryTimeout: 300 * time.Millisecond})
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	start := time.Now()
	err := s.Ping(t.Context())
	if took := time.Since(start); chatops.ErrorCode(err) != chatops.CodeUnavailable || took > 10*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	server.Resume()
}

func TestStore_OfAPrimaryThatBecameReadOnly_DropsItsConnections(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 2}), handle(t, url)
	if _, err := s.SaveTurn(t.Context(), turnOf("one")); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := db.QueryRow(`select current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	pids := func() (n int) {
		if err := db.QueryRow(`select count(*) from pg_stat_activity where datname = current_database()
			and application_name = 'chatops' and pid <> pg_backend_pid()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// New sessions are read-only, as on a demoted primary; so is the old one.
	exec(t, db, `alter database `+name+` set default_transaction_read_only = on`)
	readOnly := open(t, url, postgres.Options{MaxConns: 1})
	_, err := readOnly.SaveTurn(t.Context(), turnOf("two"))
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "accepts no writes") {
		t.Fatalf("error is %v", err)
	}
	exec(t, db, `set default_transaction_read_only = off`)
	exec(t, db, `alter database `+name+` reset default_transaction_read_only`)
	if _, err := readOnly.SaveTurn(t.Context(), turnOf("two")); err != nil {
		t.Errorf("the read-only connection was kept (%d sessions): %v", pids(), err)
	}
}

func TestSessions_AreInUTCAndNamed(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow(`select count(*) from pg_stat_activity
		where datname = current_database() and application_name = 'chatops'`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d sessions are named chatops, %v", n, err)
	}
}
