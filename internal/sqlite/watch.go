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

// Watch calls wake when the file has changed, and once a second.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	return s.watch(ctx, wake, func(_ context.Context, version int64) (int64, error) { return version, nil })
}

const selectRevision = `select revision from control_revision`

// WatchControls calls wake when there is a new order, and once a second. It
// looks for orders only when the file has changed.
func (s *Store) WatchControls(ctx context.Context, wake func()) error {
	var version, revision int64
	return s.watch(ctx, wake, func(ctx context.Context, now int64) (int64, error) {
		if now == version {
			return revision, nil
		}
		err := s.read(ctx, func(r *readTx) error { return r.row(selectRevision).Scan(&revision) })
		if err == nil {
			version = now
		}
		return revision, err
	})
}

// watch calls wake when what lookFunc makes of the file's version has changed,
// and once a second. PRAGMA data_version costs a look at shared memory, no read
// of the file.
func (s *Store) watch(ctx context.Context, wake func(), lookFunc func(ctx context.Context, version int64) (int64, error)) error {
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
		state, err := s.dataVersion(ctx, &conn)
		if err == nil {
			state, err = lookFunc(ctx, state)
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "look for changes of the database", "error", s.place.translate(err))
		}
		if state != seen || time.Since(woken) >= wakeEvery {
			seen, woken = state, time.Now()
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
