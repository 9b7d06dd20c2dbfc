package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"chatops/internal/chatops"
	"chatops/migrations"
)

// MigratorOptions say how an older application's database is taken over.
type MigratorOptions struct {
	// ImpliedConsent is the consent of people of whom the older application says
	// nothing.
	ImpliedConsent bool
	Log            *slog.Logger // nil means slog.Default()
}

// NewMigrator is OpenMigrator with no options.
func NewMigrator(ctx context.Context, address string) (chatops.Migrator, error) {
	return OpenMigrator(ctx, address, MigratorOptions{})
}

// OpenMigrator returns a migrator of the database at a URL, making the folder
// and file where they do not exist. It copies an older application's file before
// it takes it over.
func OpenMigrator(_ context.Context, address string, o MigratorOptions) (chatops.Migrator, error) {
	p, err := parseURL(address)
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
	if o.Log == nil {
		o.Log = slog.Default()
	}
	options := migrations.Options{TranslateFunc: p.translate, ImpliedConsent: o.ImpliedConsent}
	if p.memory == "" {
		options.CopyFunc = func(ctx context.Context, db *sql.DB) (string, func(), error) {
			path, err := p.copyAside(ctx, db)
			if err == nil {
				o.Log.Info("copied the older database before taking it over", "file", path)
			}
			return path, func() { _ = os.Remove(path) }, err
		}
	}
	m, err := migrations.New(db, migrations.SQLite, options)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return m, nil
}

// maxCopies bounds the search for a name that no file has.
const maxCopies = 1000

// copyAside copies the database to a new file beside it, which only its owner
// may read, and returns the file. No file is ever overwritten.
func (p place) copyAside(ctx context.Context, db *sql.DB) (string, error) {
	for n := 1; n <= maxCopies; n++ {
		path := p.path + ".before-chatops"
		if n > 1 {
			path += "." + strconv.Itoa(n)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", chatops.Errorf(chatops.CodeUnavailable, "make file for the copy: %w", err)
		}
		// SQLite fills an empty file, but none that holds anything.
		if err := f.Close(); err != nil {
			return "", chatops.Errorf(chatops.CodeUnavailable, "make file for the copy: %w", err)
		}
		target := "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
		if _, err := db.ExecContext(ctx, "vacuum into ?", target); err != nil {
			return "", errors.Join(p.translate(err), os.Remove(path))
		}
		return path, nil
	}
	return "", chatops.Errorf(chatops.CodeConflict, "there are %d copies named %s.before-chatops already: remove those that are not needed", maxCopies, p.path)
}

// teach makes the conversions known that an older application's rows need.
func teach(c *sqlite3.Conn) error {
	for _, f := range migrations.Functions() {
		err := c.CreateFunction(f.Name, f.Args, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, func(ctx sqlite3.Context, values ...sqlite3.Value) {
			args := make([]any, len(values))
			for i, v := range values {
				args[i] = valueOf(v)
			}
			answer(ctx, f.Func(args))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func valueOf(v sqlite3.Value) any {
	switch v.Type() {
	case sqlite3.INTEGER:
		return v.Int64()
	case sqlite3.FLOAT:
		return v.Float()
	case sqlite3.TEXT:
		return v.Text()
	case sqlite3.BLOB:
		return v.Blob(nil)
	case sqlite3.NULL:
	}
	return nil
}

func answer(ctx sqlite3.Context, v any) {
	switch v := v.(type) {
	case int64:
		ctx.ResultInt64(v)
	case float64:
		ctx.ResultFloat(v)
	case string:
		ctx.ResultText(v)
	case bool:
		ctx.ResultBool(v)
	default:
		ctx.ResultNull()
	}
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
