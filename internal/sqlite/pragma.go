package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"

	"chatops/internal/chatops"
)

// openWriter opens the connection that writes and asserts what it relies on.
func openWriter(ctx context.Context, p place, wait time.Duration, now func() time.Time) (*groupWriter, error) {
	db, err := p.open(writer, 1)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = p.assert(ctx, conn, wait)
	}
	if err != nil {
		if conn != nil {
			_ = conn.Close()
		}
		_ = db.Close()
		return nil, openError(p, err)
	}
	w := &groupWriter{db: db, conn: conn, wait: wait, now: now, statements: make(map[string]*sql.Stmt)}
	w.idle.L = &w.mu
	return w, nil
}

// assert switches the file to WAL and checks that the settings hold. A process
// that opens the file at the same moment may hold it for an instant.
func (p place) assert(ctx context.Context, conn *sql.Conn, wait time.Duration) error {
	if p.memory != "" {
		return nil // no journal, nothing to sync; a commit waits for readers
	}
	mode := ""
	for deadline := time.Now().Add(wait); ; {
		err := conn.QueryRowContext(ctx, `pragma journal_mode=wal`).Scan(&mode)
		if err == nil {
			break
		}
		if !errors.Is(err, sqlite3.BUSY) || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		<-time.After(longestPause)
	}
	if mode != "wal" {
		return chatops.Errorf(chatops.CodeUnavailable,
			"open %s: its file system does not support SQLite's write-ahead log (journal mode stays %q): use a local disk", p, mode)
	}
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1} {
		var got int
		if err := conn.QueryRowContext(ctx, "pragma "+pragma).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return chatops.Errorf(chatops.CodeInternal, "open %s: pragma %s is %d, must be %d", p, pragma, got, want)
		}
	}
	// The first read makes the shared memory, without which nobody could read
	// once the disk is full.
	var tables int
	if err := conn.QueryRowContext(ctx, `select count(*) from sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	if err := p.protect(); err != nil {
		return err
	}
	// From here on the writer waits for other processes by itself, so that
	// callers can leave while it does.
	_, err := conn.ExecContext(ctx, `pragma busy_timeout=0`)
	return err
}

// openError puts the place before the reason.
func openError(p place, err error) error {
	if _, own := errors.AsType[*chatops.Error](err); own {
		return err
	}
	err = p.translate(err)
	return chatops.Errorf(chatops.ErrorCode(err), "open %s: %w", p, err)
}

// protect gives the shared memory the file's permissions.
func (p place) protect() error {
	info, err := os.Stat(p.path)
	if err == nil {
		err = os.Chmod(p.path+"-shm", info.Mode().Perm())
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil // another user's; that user has protected it
	}
	return err
}
