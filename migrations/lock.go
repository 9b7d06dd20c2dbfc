package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pressly/goose/v3/lock"
)

// lockPoll is how often a waiting migrator looks whether the lock is free. It
// asks instead of queueing, because a queued statement holds a snapshot for
// which `create index concurrently` of the working migrator would wait.
const lockPoll = 100 * time.Millisecond

// locker lets one migrator work at a time and makes the version table while
// nobody else can. On PostgreSQL it holds goose's advisory lock in the session
// that does the work, so a killed migrator frees it. SQLite has no such lock:
// there each transaction takes the write lock when it begins, and versionStore
// turns the slower migrator away.
type locker struct {
	dialect Dialect
	engine  *engine
}

var _ lock.SessionLocker = locker{}

// SessionLock waits until the lock is held or the context ends.
func (l locker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if l.dialect == Postgres {
		if err := l.wait(ctx, conn); err != nil {
			return err
		}
	}
	for _, statement := range []string{l.engine.create, l.engine.seed} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("prepare version table: %w", err)
		}
	}
	return nil
}

func (l locker) wait(ctx context.Context, conn *sql.Conn) error {
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for {
		var held bool
		row := conn.QueryRowContext(ctx, `select pg_try_advisory_lock($1::bigint)`, lock.DefaultLockID)
		if err := row.Scan(&held); err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
		if held {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another migrator: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// SessionUnlock frees the lock.
func (l locker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if l.dialect != Postgres {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// A lost session has freed the lock by itself.
	_, _ = conn.ExecContext(ctx, `select pg_advisory_unlock($1::bigint)`, lock.DefaultLockID)
	return nil
}
