package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]place{
		"sqlite://instance/chatbot.db": {path: filepath.Join(here, "instance/chatbot.db")},
		"sqlite:///var/lib/x.db":       {path: "/var/lib/x.db"},
		"sqlite:////var//lib/x.db":     {path: "/var/lib/x.db"},
		"sqlite:x.db":                  {path: filepath.Join(here, "x.db")},
		"sqlite://a b/ł%20.db":         {path: filepath.Join(here, "a b/ł%20.db")},
		"sqlite::memory:":              {memory: "chatops"},
		"sqlite://:memory:":            {memory: "chatops"},
		"sqlite::memory:name":          {memory: "chatopsname"},
	} {
		if got, err := parseURL(url); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", url, got, err, want)
		}
	}
	for _, url := range []string{
		"", "x.db", "postgres://u:secret@h/db", "sqlite:", "sqlite://", "sqlite:///", "sqlite://folder/", "sqlite://x.db?mode=ro", "sqlite://x\x00.db",
	} {
		_, err := parseURL(url)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), "sqlite:///var/lib") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want an explanation without secrets", url, err)
		}
	}
}

func TestOpen_MakesAPrivateFolderAndFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance", "deep", "chat ł%&+=bot.db")
	s, err := Open(t.Context(), "sqlite://"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), func(tx *writeTx) error { _, err := tx.exec(`create table t (x)`); return err }); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has permissions %o, want %o", name, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_EveryConnectionHasItsPragmas(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	read, err := s.readPool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	for conn, pragmas := range map[*sql.Conn]map[string]string{
		s.writer.conn: {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "0", "busy_timeout": "0", "trusted_schema": "0"},
		read:          {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "1", "busy_timeout": "10000"},
	} {
		for pragma, want := range pragmas {
			var got string
			if err := conn.QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("pragma %s is %s (%v), want %s", pragma, got, err, want)
			}
		}
	}
}

func TestOpen_WithoutWriteAheadLog_IsRefusedClearly(t *testing.T) {
	t.Parallel()
	p := place{memory: "refused"} // has no write-ahead log, like a network file system
	if err := p.prepare(); err != nil {
		t.Fatal(err)
	}
	db, err := p.open(writer, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = place{path: "/mnt/nfs/chatbot.db"}.assert(t.Context(), conn, time.Second)
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "/mnt/nfs/chatbot.db") ||
		!strings.Contains(err.Error(), "write-ahead log") {
		t.Errorf("%v, want an explanation", err)
	}
}

func TestOpen_OfWhatIsNoDatabase_NamesTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a text file": text, "a folder": dir, "below a file": filepath.Join(text, "x.db"),
	} {
		s, err := Open(t.Context(), "sqlite://"+path, Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", name)
			continue
		}
		if !strings.Contains(err.Error(), text) && !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v does not name the file", name, err)
		}
	}
}

func TestOpen_WithoutSchema_SaysWhatToRun(t *testing.T) {
	t.Parallel()
	url := "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db")
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	_, readErr := s.QueueStats(t.Context())
	_, writeErr := s.Enqueue(t.Context(), []chatops.NewAlert{{EventType: "x", Target: "slack:x", Payload: []byte(`{}`)}})
	for what, err := range map[string]error{"read": readErr, "write": writeErr, "check": s.CheckSchema(t.Context())} {
		if chatops.ErrorCode(err) != chatops.CodeConflict || !strings.Contains(err.Error(), "migrate up") {
			t.Errorf("%s: %v, want the command to run", what, err)
		}
	}
	m, err := NewMigrator(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("after migrating: %v", err)
	}
	if _, err := s.QueueStats(t.Context()); err != nil {
		t.Errorf("the open store does not see the new schema: %v", err)
	}
}
