package sqlite

import (
	"context"

	"chatops/internal/chatops"
	"chatops/migrations"
)

// NewMigrator returns a migrator of the database at a URL, making the folder
// and file where they do not exist.
func NewMigrator(_ context.Context, url string) (chatops.Migrator, error) {
	p, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	db, err := p.open(migrator, 2)
	if err != nil {
		return nil, err
	}
	m, err := migrations.New(db, migrations.SQLite, migrations.Options{
		TranslateFunc: p.translate,
	})
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return m, nil
}

// CheckSchema returns nil when the schema is what this binary needs.
// CodeConflict says otherwise and names the command to run.
func (s *Store) CheckSchema(ctx context.Context) error {
	db, err := s.place.open(reader, 1)
	if err != nil {
		return err
	}
	m, err := migrations.New(db, migrations.SQLite, migrations.Options{TranslateFunc: s.place.translate})
	if err != nil {
		_ = db.Close()
		return err
	}
	defer func() { _ = m.Close() }()
	return m.Check(ctx)
}
