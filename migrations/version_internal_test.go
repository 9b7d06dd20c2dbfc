package migrations

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	sqlite "github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3/database"

	"chatops/internal/pgtest"
)

// A migration that changes nothing fails in nobody's hands: only the version
// table can turn the slower of two migrators away.
func TestInsert_OfAVersionThatIsThereAlreadyIsRefused(t *testing.T) {
	t.Parallel()
	for dialect, openFunc := range map[Dialect]func(*testing.T) *sql.DB{
		Postgres: func(t *testing.T) *sql.DB {
			t.Helper()
			config, err := pgx.ParseConfig(pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			return stdlib.OpenDB(*config)
		},
		SQLite: func(t *testing.T) *sql.DB {
			t.Helper()
			db, err := sqlite.Open("file:" + filepath.Join(t.TempDir(), "versions.db"))
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
	} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			db := openFunc(t)
			defer func() { _ = db.Close() }()
			e := engines[dialect]
			if _, err := db.ExecContext(t.Context(), e.create); err != nil {
				t.Fatal(err)
			}
			store, err := database.NewStore(e.goose, versionTable)
			if err != nil {
				t.Fatal(err)
			}
			s := versionStore{Store: store, engine: &e}
			if err := s.Insert(t.Context(), db, database.InsertRequest{Version: 5}); err != nil {
				t.Fatal(err)
			}
			if err := s.Insert(t.Context(), db, database.InsertRequest{Version: 5}); !errors.Is(err, errTaken) {
				t.Errorf("a second insert of the same version gives %v", err)
			}
		})
	}
}
