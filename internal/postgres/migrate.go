package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/stdlib"

	"chatops/internal/chatops"
	"chatops/migrations"
)

// MigratorOptions say how an older application's database is taken over.
type MigratorOptions struct {
	// ImpliedConsent is the consent of people of whom the older application says
	// nothing.
	ImpliedConsent bool
}

// NewMigrator is OpenMigrator with no options.
func NewMigrator(ctx context.Context, url string) (chatops.Migrator, error) {
	return OpenMigrator(ctx, url, MigratorOptions{})
}

// OpenMigrator returns a migrator of the database at a URL. It needs a direct
// connection: through a pooler in transaction mode its lock would not hold.
// Nothing is sent to the database yet.
func OpenMigrator(_ context.Context, url string, o MigratorOptions) (chatops.Migrator, error) {
	config, err := connConfig(url)
	if err != nil {
		return nil, err
	}
	host := hosts(config)
	return migrations.New(stdlib.OpenDB(*config), migrations.Postgres, migrations.Options{
		TranslateFunc:  func(err error) error { return translate(host, err) },
		ImpliedConsent: o.ImpliedConsent,
	})
}

// CheckSchema returns nil when the schema is at least what this binary needs.
// CodeConflict says otherwise and names the command to run.
func (s *Store) CheckSchema(ctx context.Context) error {
	return s.do(ctx, func(ctx context.Context) error {
		db := stdlib.OpenDBFromPool(s.pool)
		m, err := migrations.New(db, migrations.Postgres, migrations.Options{})
		if err != nil {
			return err
		}
		defer func() { _ = m.Close() }()
		return m.Check(ctx)
	})
}
