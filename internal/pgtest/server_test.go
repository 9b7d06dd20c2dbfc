package pgtest_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/pgtest"
)

func TestServer_KeepsCommittedRowsAcrossEveryKindOfStop(t *testing.T) {
	t.Parallel()
	modes := map[string]pgtest.StopMode{
		"fast": pgtest.Fast, "immediate": pgtest.Immediate, "kill": pgtest.Kill, "smart": pgtest.Smart,
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := pgtest.Start(t, pgtest.Options{Durable: true})
			url, pid := s.URL(), s.Pid()
			conn := connect(t, s.Database("shop"))
			run(t, conn, "CREATE TABLE lead (id int); INSERT INTO lead VALUES (7)")
			if mode == pgtest.Smart {
				_ = conn.Close(t.Context())
			}
			s.Stop(mode)
			if s.Pid() != 0 || syscall.Kill(pid, 0) == nil {
				t.Fatalf("process %d outlived its stop", pid)
			}
			if c, err := pgx.Connect(t.Context(), url); err == nil {
				_ = c.Close(t.Context())
				t.Fatal("a stopped server accepted a connection")
			}
			s.Start()
			if s.URL() != url {
				t.Fatalf("URL changed from %s to %s", url, s.URL())
			}
			config, err := pgx.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			config.Database = "shop"
			again, err := pgx.ConnectConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = again.Close(context.Background()) })
			if id := queryText(t, again, "SELECT id::text FROM lead"); id != "7" {
				t.Errorf("lead = %s", id)
			}
		})
	}
}

func TestServer_PauseFreezesOpenConnectionsUntilResume(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	conn := connect(t, s.URL())
	run(t, conn, "SELECT 1")
	s.Pause()
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "SELECT 1")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.Resume()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestServer_IsRemovedEvenWhilePaused(t *testing.T) {
	t.Parallel()
	var pid int
	t.Run("inner", func(t *testing.T) { // its cleanup must have run below
		s := pgtest.Start(t, pgtest.Options{})
		pid = s.Pid()
		s.Pause()
	})
	if syscall.Kill(pid, 0) == nil {
		t.Fatalf("process %d outlived its test", pid)
	}
}

func TestServer_TakesSettingsAndDurability(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{Durable: true, Settings: map[string]string{"max_connections": "17"}})
	conn := connect(t, s.SocketURL())
	want := map[string]string{
		"max_connections": "17", "fsync": "on", "synchronous_commit": "on", "TimeZone": "Europe/Warsaw",
	}
	for name, value := range want {
		if got := queryText(t, conn, "SHOW "+name); got != value {
			t.Errorf("%s = %s, want %s", name, got, value)
		}
	}
}
