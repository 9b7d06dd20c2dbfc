package postgres

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// Options of a Store.
type Options struct {
	// Clock, when set, replaces the database's clock; for tests.
	Clock func() time.Time
	// MaxConns bounds the pool; 0 means 8. pool_max_conns in the URL wins.
	MaxConns int32
	// QueryTimeout bounds a call whose context has no deadline; 0 means 15 s.
	QueryTimeout time.Duration
	// PollEvery bounds how late Watch and WatchControls wake when a notification
	// is lost; 0 means 1 s.
	PollEvery time.Duration
	// ListenURL is where these two listen, for a URL that leads through a pooler
	// in transaction mode; empty means the store's own URL.
	ListenURL string
	// EmailMarks returns the digests by which an erased address is recognised; it
	// is called for each address. Nil: they are made of the stored keys, as soon
	// as StoredConsentKeys has read them.
	EmailMarks func(emailKey string) []string
	// Log receives what nobody else can report; nil discards it.
	Log *slog.Logger
}

// Store is a chatops.Store on PostgreSQL.
type Store struct {
	pool         *pgxpool.Pool
	listenConfig *pgx.ConnConfig
	host         string // for messages: "db.example:5432"
	clock        func() time.Time
	timeout      time.Duration
	poll         time.Duration
	marks        func(emailKey string) []string
	learned      consent.Learned
	log          *slog.Logger

	announceMu sync.Mutex
	announced  time.Time
}

var _ chatops.Store = (*Store)(nil)

// Open returns a store on the database at a postgres:// URL. It does not
// connect: Ping does, and so does the first call. CodeInvalid when the URL
// cannot be understood; the error never holds the password.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := poolConfig(url, o)
	if err != nil {
		return nil, err
	}
	listen := config.ConnConfig.Copy()
	if o.ListenURL != "" {
		if listen, err = connConfig(o.ListenURL); err != nil {
			return nil, err
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate(hosts(config.ConnConfig), err)
	}
	s := &Store{
		pool: pool, listenConfig: listen, host: hosts(config.ConnConfig),
		clock: o.Clock, timeout: o.QueryTimeout, poll: o.PollEvery, marks: o.EmailMarks, log: o.Log,
	}
	if s.timeout <= 0 {
		s.timeout = 15 * time.Second
	}
	if s.poll <= 0 {
		s.poll = time.Second
	}
	if s.marks == nil {
		s.marks = s.learned.Of
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Ping makes a round trip to the database.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `select 1`)
		return err
	})
}

// Close closes every connection, waiting for calls under way.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// now is the parameter that stands for the time in every statement: null, which
// the statement replaces by the database's clock, unless a test has set a clock.
func (s *Store) now() *time.Time {
	if s.clock == nil {
		return nil
	}
	at := s.clock().UTC()
	return &at
}

// mailbox is how a person is looked up by a normalised address.
func (s *Store) mailbox(emailKey string) consent.Mailbox {
	return consent.NewMailbox(emailKey, s.marks)
}

// suppressing is what suppression.loose_key is where it holds for a stored
// address.
func (s *Store) suppressing(address string) []string {
	return s.mailbox(consent.KeyOf(address)).Suppressing
}

// retries is how often a transaction is repeated that the server has undone for
// no fault of its own.
const retries = 5

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

// do runs one transaction's worth of work under the store's timeout, repeats it
// after a deadlock or a stale prepared statement, and translates its error.
// The work must be safe to repeat when the server has rolled it back.
func (s *Store) do(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, cancel := limit(ctx, s.timeout)
	defer cancel()
	var err error
	for range retries {
		if err = work(ctx); !repeatable(err) || ctx.Err() != nil {
			break
		}
	}
	if readOnly(err) {
		// A demoted primary: its other connections are of no use either.
		s.pool.Reset()
	}
	return translate(s.host, err)
}

// tx is do with an explicit transaction, for work that needs several trips.
func (s *Store) tx(ctx context.Context, work func(ctx context.Context, tx pgx.Tx) error) error {
	return s.do(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return work(ctx, tx) })
	})
}

// batch sends statements in one round trip as one transaction. Each statement
// sees what was committed before it began, so one may wait for a lock and the
// next act on the state after it.
func (s *Store) batch(ctx context.Context, build func(b *pgx.Batch)) error {
	return s.do(ctx, func(ctx context.Context) error {
		b := &pgx.Batch{}
		build(b)
		return s.pool.SendBatch(ctx, b).Close()
	})
}
