package postgres

import (
	"context"

	"chatops/internal/chatops"
)

const selectDatabase = `
select current_setting('server_version'), pg_database_size(current_database()), ` + dbNow

// Database asks the database about itself.
func (s *Store) Database(ctx context.Context) (*chatops.DatabaseFacts, error) {
	f := &chatops.DatabaseFacts{Engine: "PostgreSQL"}
	now := s.now()
	err := s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, selectDatabase, now).Scan(&f.Version, &f.Bytes, &f.Now)
	})
	if err != nil {
		return nil, err
	}
	f.Now = f.Now.UTC()
	return f, nil
}
