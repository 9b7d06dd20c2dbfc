package sqlite

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// readers is how many connections read at once; Watch and WatchControls keep one
// each.
const readers = 6

// Options of a Store.
type Options struct {
	// Clock, when set, replaces the clock of this machine; for tests.
	Clock func() time.Time
	// BusyTimeout bounds how long a write waits for other processes that write
	// the same file; 0 means 10 s.
	BusyTimeout time.Duration
	// QueryTimeout bounds a call whose context has no deadline; 0 means 15 s.
	QueryTimeout time.Duration
	// EmailMarks returns the digests by which an erased address is recognised; it
	// is called for each address. Nil: they are made of the stored keys, as soon
	// as StoredConsentKeys has read them.
	EmailMarks func(emailKey string) []string
	// Log receives what nobody else can report; nil discards it.
	Log *slog.Logger
}

// Store is a chatops.Store on one SQLite file.
type Store struct {
	place      place
	clock      func() time.Time
	timeout    time.Duration
	marks      func(emailKey string) []string
	learned    consent.Learned
	log        *slog.Logger
	readPool   *sql.DB
	writer     *groupWriter
	statements sync.Map // query -> *sql.Stmt of readPool
}

var _ chatops.Store = (*Store)(nil)

// Open opens the database at a sqlite: address, making its folder and file
// where they do not exist. CodeInvalid when the address cannot be understood,
// CodeUnavailable when the file cannot be opened or its file system does not
// support what the store relies on.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	p, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	s := &Store{place: p, clock: o.Clock, timeout: o.QueryTimeout, marks: o.EmailMarks, log: o.Log}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.timeout <= 0 {
		s.timeout = 15 * time.Second
	}
	if s.marks == nil {
		s.marks = s.learned.Of
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 10 * time.Second
	}
	if s.writer, err = openWriter(ctx, p, o.BusyTimeout, s.now); err != nil {
		return nil, err
	}
	if s.readPool, err = p.open(reader, readers); err != nil {
		return nil, err
	}
	return s, nil
}

// now is the clock in UTC, to the microsecond, as the database keeps it.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Ping reads from the database.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(r *readTx) error {
		var n int
		return r.row(`select count(*) from sqlite_schema`).Scan(&n)
	})
}

// Close waits for writes under way and closes every connection.
func (s *Store) Close() error {
	err := s.writer.close()
	if closeErr := s.readPool.Close(); err == nil {
		err = closeErr
	}
	return s.place.translate(err)
}

// mailbox is how a person is looked up by a normalised address.
func (s *Store) mailbox(emailKey string) consent.Mailbox {
	return consent.NewMailbox(emailKey, s.marks)
}

// suppressing is what suppression.loose_key is where it holds for a stored
// address, as a JSON array.
func (s *Store) suppressing(address string) string {
	return jsonArray(s.mailbox(consent.KeyOf(address)).Suppressing)
}

// limit gives a context without a deadline one.
func limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// patient is a context for a call that may read the whole queue and that an operator
// waits for, who can interrupt it: it may take twenty times as long as others.
func (s *Store) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return limit(ctx, 20*s.timeout)
}

// write runs work once, in a transaction that it shares with whatever else is
// being written at the moment. Its results count only when write returns nil.
func (s *Store) write(ctx context.Context, work func(tx *writeTx) error) error {
	ctx, cancel := limit(ctx, s.timeout)
	defer cancel()
	return s.place.translate(s.writer.do(ctx, work))
}

// read runs queries that need no common snapshot.
func (s *Store) read(ctx context.Context, work func(r *readTx) error) error {
	ctx, cancel := limit(ctx, s.timeout)
	defer cancel()
	return s.place.translate(work(&readTx{ctx: ctx, s: s}))
}

// readTx runs prepared queries on the pool of readers.
type readTx struct {
	ctx context.Context //nolint:containedctx // lives exactly as long as one call
	s   *Store
}

// statement returns the prepared form of a query that is a constant.
func (r *readTx) statement(query string) (*sql.Stmt, error) {
	if st, ok := r.s.statements.Load(query); ok {
		return st.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	st, err := r.s.readPool.PrepareContext(r.ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := r.s.statements.LoadOrStore(query, st); loaded {
		_ = st.Close()                //nolint:sqlclosecheck // somebody was faster
		return other.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	return st, nil
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// failedRow is a row whose statement could not be prepared.
type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

// row runs a constant query that gives one row.
func (r *readTx) row(query string, args ...any) scanner {
	st, err := r.statement(query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return failedRow{err}
	}
	return st.QueryRowContext(r.ctx, args...)
}

// each runs a constant query and calls scan for each row.
func (r *readTx) each(query string, scan func(row scanner) error, args ...any) error {
	st, err := r.statement(query) //nolint:sqlclosecheck // kept until the store is closed
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(r.ctx, args...)
	return eachRow(rows, err, scan)
}

// eachOnce runs a query that is built for the occasion.
func (r *readTx) eachOnce(query string, scan func(row scanner) error, args ...any) error {
	rows, err := r.s.readPool.QueryContext(r.ctx, query, args...)
	return eachRow(rows, err, scan)
}

func eachRow(rows *sql.Rows, err error, scan func(row scanner) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
