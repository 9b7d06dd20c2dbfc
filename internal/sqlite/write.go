package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
)

const (
	// groupSize is the most writes that share one transaction.
	groupSize = 128
	// turnAfter is how long a busy process goes on writing before it leaves
	// the lock alone for breath, so that another process gets its turn.
	turnAfter = 50 * time.Millisecond
	breath    = 2 * time.Millisecond
	// The pauses between two attempts to get the lock from another process.
	shortestPause = 200 * time.Microsecond
	longestPause  = 1500 * time.Microsecond
)

// groupWriter is the only writer of a store. Writes that arrive while a
// transaction commits wait and then share the next one, so that many callers
// pay for one fsync. A goroutine runs only while there is something to write.
type groupWriter struct {
	db   *sql.DB
	conn *sql.Conn
	wait time.Duration
	now  func() time.Time

	statements map[string]*sql.Stmt // owned by the goroutine that writes

	mu      sync.Mutex
	queue   []*job
	writing bool
	closed  bool
	idle    sync.Cond // signalled when writing becomes false
}

// jobState says who owns a job; groupWriter.mu guards it.
type jobState int

const (
	jobQueued jobState = iota
	jobRunning
	jobAbandoned
)

// job is one write.
type job struct {
	work  func(tx *writeTx) error
	since time.Time
	state jobState
	err   error
	done  chan struct{}
}

// do queues a write and waits for it. A write whose context ends before it has
// begun is left out; one that has begun is waited for, because its outcome
// would be unknown otherwise.
func (w *groupWriter) do(ctx context.Context, work func(tx *writeTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{work: work, since: time.Now(), done: make(chan struct{})}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return sql.ErrConnDone
	}
	w.queue = append(w.queue, j)
	if !w.writing {
		w.writing = true
		go w.drain(context.WithoutCancel(ctx))
	}
	w.mu.Unlock()

	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
	}
	w.mu.Lock()
	if j.state == jobQueued {
		j.state = jobAbandoned
		w.mu.Unlock()
		return ctx.Err()
	}
	w.mu.Unlock()
	<-j.done
	return j.err
}

// drain writes until nothing is queued.
func (w *groupWriter) drain(ctx context.Context) {
	since := time.Now()
	for {
		if !w.pending() {
			return
		}
		if time.Since(since) > turnAfter {
			<-time.After(breath)
			since = time.Now()
		}
		if !w.begin(ctx) {
			continue
		}
		w.commit(ctx, w.take())
	}
}

// pending reports whether anything is queued, and ends writing otherwise.
func (w *groupWriter) pending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.prune(nil)
	if len(w.queue) > 0 {
		return true
	}
	w.writing = false
	w.idle.Broadcast()
	return false
}

// prune leaves out abandoned writes and, when busy is set, fails those that
// have waited too long for another process. w.mu is held.
func (w *groupWriter) prune(busy error) {
	kept := w.queue[:0]
	for _, j := range w.queue {
		switch {
		case j.state == jobAbandoned:
			close(j.done)
		case busy != nil && time.Since(j.since) > w.wait:
			j.state = jobRunning
			j.err = busy
			close(j.done)
		default:
			kept = append(kept, j)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
}

// take gives the next group; it may be empty.
func (w *groupWriter) take() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.prune(nil)
	n := min(len(w.queue), groupSize)
	group := append([]*job(nil), w.queue[:n]...)
	w.queue = append(w.queue[:0], w.queue[n:]...)
	for _, j := range group {
		j.state = jobRunning
	}
	return group
}

// begin takes the write lock of the file, waiting for other processes as long
// as any write is prepared to. It reports false when none is left or all failed.
func (w *groupWriter) begin(ctx context.Context) bool {
	for {
		err := w.exec(ctx, `begin immediate`)
		if err == nil {
			return true
		}
		if !errors.Is(err, sqlite3.BUSY) {
			_ = w.exec(ctx, `rollback`)
			w.finish(w.take(), err)
			return false
		}
		w.mu.Lock()
		w.prune(err)
		left := len(w.queue)
		w.mu.Unlock()
		if left == 0 {
			return false
		}
		//nolint:gosec // the pause is no secret
		<-time.After(shortestPause + rand.N(longestPause-shortestPause))
	}
}

// commit runs a group inside the transaction that has begun and ends it.
func (w *groupWriter) commit(ctx context.Context, group []*job) {
	tx := &writeTx{ctx: ctx, w: w}
	good := 0
	for _, j := range group {
		lost := w.run(tx, j, len(group) > 1)
		if lost {
			_ = w.exec(ctx, `rollback`)
			w.finish(group, j.err)
			return
		}
		if j.err == nil {
			good++
		}
	}
	if good == 0 {
		w.finish(group, w.exec(ctx, `rollback`))
		return
	}
	err := w.exec(ctx, `commit`)
	if err != nil {
		_ = w.exec(ctx, `rollback`)
	}
	w.finish(group, err)
}

// run runs one write, in a savepoint when it shares the transaction. It reports
// whether the whole transaction is lost.
func (w *groupWriter) run(tx *writeTx, j *job, shared bool) (lost bool) {
	if !shared {
		j.err = tx.guard(j.work)
		return false // with its error nobody else's work is undone
	}
	if j.err = w.exec(tx.ctx, `savepoint job`); j.err != nil {
		return true
	}
	if j.err = tx.guard(j.work); j.err != nil {
		// SQLite ends a transaction by itself when the disk is full or fails.
		return w.exec(tx.ctx, `rollback to job`) != nil || w.exec(tx.ctx, `release job`) != nil
	}
	j.err = w.exec(tx.ctx, `release job`)
	return j.err != nil
}

// finish tells every caller; err, when set, is the fate of those that had none.
func (w *groupWriter) finish(group []*job, err error) {
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
		close(j.done)
	}
}

// exec runs a prepared statement without parameters.
func (w *groupWriter) exec(ctx context.Context, query string) error {
	st, err := w.statement(ctx, query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx)
	return err
}

func (w *groupWriter) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := w.statements[query]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.statements[query] = st
	return st, nil
}

// close waits for what is being written and refuses what comes later.
func (w *groupWriter) close() error {
	w.mu.Lock()
	w.closed = true
	for w.writing {
		w.idle.Wait()
	}
	w.mu.Unlock()
	for _, st := range w.statements {
		_ = st.Close()
	}
	err := w.conn.Close()
	if dbErr := w.db.Close(); err == nil {
		err = dbErr
	}
	if errors.Is(err, sql.ErrConnDone) {
		return nil // closed before
	}
	return err
}
