package migrations

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"chatops/internal/chatops"
)

// Options of a Migrator.
type Options struct {
	// TranslateFunc turns a driver's error into a *chatops.Error; nil leaves
	// errors as they are. It is given errors whose chain may hold one already.
	TranslateFunc func(err error) error
	// ImpliedConsent is the consent of people of whom an older application says
	// nothing: CONSENT_MODE=implied.
	ImpliedConsent bool
	// CopyFunc copies the database before it is taken over. It returns where to,
	// and how to remove the copy when nothing came of it. nil: no copy is made.
	// Nobody else writes meanwhile.
	CopyFunc func(ctx context.Context, db *sql.DB) (path string, discardFunc func(), err error)
	// NowFunc is the clock; nil means time.Now.
	NowFunc func() time.Time
}

// Migrator changes the schema of one database.
type Migrator struct {
	db        *sql.DB
	dialect   Dialect
	engine    engine
	provider  *goose.Provider
	known     []chatops.Migration
	translate func(error) error
	adopted   *chatops.Adoption
	consent   bool
	copyFunc  func(ctx context.Context, db *sql.DB) (string, func(), error)
	nowFunc   func() time.Time
}

var _ chatops.Migrator = (*Migrator)(nil)

// New returns a Migrator, which closes db when it is closed. For SQLite, db must
// begin its transactions as immediate ones, wait for locks, and know Functions.
// Nothing is sent to the database.
func New(db *sql.DB, d Dialect, o Options) (*Migrator, error) {
	known, err := List(d)
	if err != nil {
		return nil, err
	}
	m := &Migrator{
		db: db, dialect: d, engine: engines[d], known: known, translate: o.TranslateFunc,
		consent: o.ImpliedConsent, copyFunc: o.CopyFunc, nowFunc: o.NowFunc,
	}
	if m.nowFunc == nil {
		m.nowFunc = time.Now
	}
	if m.translate == nil {
		m.translate = func(err error) error { return err }
	}
	store, err := database.NewStore(m.engine.goose, versionTable)
	if err != nil {
		return nil, err
	}
	folder, err := fs.Sub(files, string(d))
	if err != nil {
		return nil, err
	}
	m.provider, err = goose.NewProvider(goose.DialectCustom, db, folder,
		goose.WithStore(versionStore{Store: store, engine: &m.engine}),
		goose.WithSessionLocker(locker{dialect: d, engine: &m.engine}),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Status reads the state and changes nothing.
func (m *Migrator) Status(ctx context.Context) (*chatops.MigrationStatus, error) {
	applied, err := m.engine.applied(ctx, m.db)
	if err != nil {
		return nil, m.translate(err)
	}
	status := &chatops.MigrationStatus{Latest: m.known[len(m.known)-1].Version}
	for _, k := range m.known {
		at, ok := applied[k.Version]
		if !ok {
			status.Pending = append(status.Pending, k)
			continue
		}
		k.AppliedAt = at
		status.Applied = append(status.Applied, k)
	}
	if status.Older, err = m.olderTables(ctx, m.db); err != nil {
		return nil, m.translate(err)
	}
	if status.Adopted, err = m.engine.adopted(ctx, m.db); err != nil {
		return nil, m.translate(err)
	}
	for version, at := range applied {
		status.Current = max(status.Current, version)
		if version > status.Latest {
			status.Applied = append(status.Applied,
				chatops.Migration{Version: version, Name: "unknown to this version", AppliedAt: at})
		}
	}
	return status, nil
}

// Check returns nil when the schema is what this binary needs. CodeConflict
// says otherwise and names the command to run.
func (m *Migrator) Check(ctx context.Context) error {
	status, err := m.Status(ctx)
	if err != nil {
		return err
	}
	if len(status.Pending) > 0 {
		return chatops.Errorf(chatops.CodeConflict,
			"database schema is at version %d and this chatops needs %d: run `chatops migrate up`",
			status.Current, status.Latest)
	}
	return nil
}

// Up takes over the tables of an older application where there are any, applies
// what is pending and returns it. CodeConflict when the database is newer than
// this binary, or cannot be taken over as it is. What was applied before an error
// is returned with it.
func (m *Migrator) Up(ctx context.Context) ([]chatops.Migration, error) {
	m.adopted = nil
	var done []chatops.Migration
	for {
		if err := m.mayUp(ctx); err != nil {
			return done, err
		}
		adopted, err := m.adopt(ctx)
		if done = append(done, adopted...); err != nil {
			return done, err
		}
		results, err := m.provider.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
		}
		for _, r := range results {
			done = append(done, m.named(r.Source.Version))
		}
		if err == nil {
			return done, nil
		}
		if partial == nil || !m.wasTaken(ctx, partial) {
			return done, m.translate(err)
		}
	}
}

// mayUp refuses databases that Up would not understand.
func (m *Migrator) mayUp(ctx context.Context) error {
	status, err := m.Status(ctx)
	if err != nil {
		return err
	}
	if status.Current > status.Latest {
		return newer(status)
	}
	return nil
}

func newer(status *chatops.MigrationStatus) error {
	return chatops.Errorf(chatops.CodeConflict,
		"database schema is at version %d, newer than this chatops, which knows up to %d: use the newer chatops",
		status.Current, status.Latest)
}

// wasTaken reports whether a failed migration is applied by now: on SQLite the
// slower of two migrators fails somewhere in a migration, is rolled back and
// looks again.
func (m *Migrator) wasTaken(ctx context.Context, partial *goose.PartialError) bool {
	if errors.Is(partial.Err, errTaken) {
		return true
	}
	applied, err := m.engine.applied(ctx, m.db)
	_, taken := applied[partial.Failed.Source.Version]
	return err == nil && taken
}

// Down reverts the newest applied migration and returns it, nil when there is
// none. CodeConflict when this binary does not know that migration.
func (m *Migrator) Down(ctx context.Context) (*chatops.Migration, error) {
	status, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.Current == 0 {
		return nil, nil //nolint:nilnil // nothing was applied: the port says so
	}
	if status.Current > status.Latest {
		return nil, newer(status)
	}
	if status.Adopted && status.Current <= adoptionVersion {
		return nil, chatops.Errorf(chatops.CodeConflict,
			"migration %d holds rows of an older application, which reverting it would drop: docs/migrating.md tells the way back",
			status.Current)
	}
	result, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return nil, nil //nolint:nilnil // somebody else reverted it meanwhile
	}
	if err != nil {
		return nil, m.translate(err)
	}
	reverted := m.named(result.Source.Version)
	return &reverted, nil
}

func (m *Migrator) named(version int64) chatops.Migration {
	for _, k := range m.known {
		if k.Version == version {
			return k
		}
	}
	return chatops.Migration{Version: version}
}

// SQL returns the statements of a migration in the given direction.
func (m *Migrator) SQL(version int64, up bool) (string, error) { return SQL(m.dialect, version, up) }

// Close closes the database handle.
func (m *Migrator) Close() error { return m.db.Close() }
