package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const selectDatabase = `
select sqlite_version(), (select page_count from pragma_page_count()) * (select page_size from pragma_page_size())`

// Database asks the database about itself.
func (s *Store) Database(ctx context.Context) (*chatops.DatabaseFacts, error) {
	f := &chatops.DatabaseFacts{Engine: "SQLite", Now: s.now()}
	err := s.read(ctx, func(r *readTx) error { return r.row(selectDatabase).Scan(&f.Version, &f.Bytes) })
	if err != nil {
		return nil, err
	}
	return f, nil
}
