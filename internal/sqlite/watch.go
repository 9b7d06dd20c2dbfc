package sqlite

import (
	"context"
	"database/sql"
	"time"
)

const (
	watchEvery = 150 * time.Millisecond
	// wakeEvery is how often a watcher is woken although nothing has changed.
	wakeEvery = time.Second
)

// Watch calls wake when the file has changed, and once a second. PRAGMA
// data_version costs a look at shared memory, no read of the file.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var conn *sql.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	var seen int64
	woken := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		version, err := s.dataVersion(ctx, &conn)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "look for changes of the database", "error", s.place.translate(err))
		}
		if version != seen || time.Since(woken) >= wakeEvery {
			seen, woken = version, time.Now()
			wake()
		}
	}
}

// dataVersion is a number that changes when another connection commits. It is
// only comparable within one connection, which is therefore kept.
func (s *Store) dataVersion(ctx context.Context, conn **sql.Conn) (version int64, err error) {
	if *conn == nil {
		if *conn, err = s.readPool.Conn(ctx); err != nil {
			return 0, err
		}
	}
	err = (*conn).QueryRowContext(ctx, `pragma data_version`).Scan(&version)
	return version, err
}

// Announce needs to do nothing: the commit itself is what Watch sees.
func (s *Store) Announce(context.Context) error { return nil }
