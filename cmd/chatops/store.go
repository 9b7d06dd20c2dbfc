package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/postgres"
	"chatops/internal/sqlite"
)

// embedded reports whether the configured database is SQLite, the default of a
// laptop, rather than PostgreSQL.
func embedded(cfg *config.Config) bool { return cfg.DatabaseURL.Scheme() == "sqlite" }

// openStore opens the configured store. The SQLite driver opens a file at once;
// PostgreSQL is reached here so that the message names it before anything else
// happens.
func openStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (chatops.Store, error) {
	address := cfg.DatabaseURL.Reveal()
	marks, err := configuredMarks(cfg)
	if err != nil {
		return nil, err
	}
	if embedded(cfg) {
		return sqlite.Open(ctx, address, sqlite.Options{EmailMarks: marks, Log: log})
	}
	s, err := postgres.Open(ctx, address, postgres.Options{EmailMarks: marks, Log: log})
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// configuredMarks makes the digests of erased addresses by CONSENT_KEYS; nil
// when there are none: the store makes them of the keys that it keeps.
func configuredMarks(cfg *config.Config) (func(emailKey string) []string, error) {
	if cfg.ConsentKeys.IsZero() {
		return nil, nil //nolint:nilnil // no marks of its own
	}
	keys, err := consent.ParseKeys(cfg.ConsentKeys.Reveal())
	if err != nil {
		return nil, err
	}
	marks, err := consent.NewMarks(keys)
	if err != nil {
		return nil, err
	}
	return marks.Of, nil
}

// openMigrator opens the schema of the configured database.
func openMigrator(ctx context.Context, cfg *config.Config, log *slog.Logger) (chatops.Migrator, error) {
	implied := cfg.ConsentMode == "implied"
	if embedded(cfg) {
		return sqlite.OpenMigrator(ctx, cfg.DatabaseURL.Reveal(), sqlite.MigratorOptions{ImpliedConsent: implied, Log: log})
	}
	return postgres.OpenMigrator(ctx, cfg.DatabaseURL.Reveal(), postgres.MigratorOptions{ImpliedConsent: implied})
}

// errPending is the cause when a shared database lacks migrations.
var errPending = errors.New("migrations are pending")

// prepareSchema brings an embedded database up to date by itself. PostgreSQL is
// shared: serving waits until somebody has decided to migrate it.
func prepareSchema(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	m, err := openMigrator(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	status, err := m.Status(ctx)
	switch {
	case err != nil:
		return err
	case status.Current > status.Latest:
		// A rolling upgrade: migrations keep the previous binary working.
		log.Warn("the database's schema is newer than this binary", "schema", status.Current, "known", status.Latest)
		return nil
	case len(status.Pending) == 0:
		return nil
	case !embedded(cfg):
		return chatops.WrapError(chatops.CodeFinding, errPending, fmt.Sprintf(
			"serve: the database lacks %s (schema version %d of %d): run chatops migrate up first",
			chatops.Count(len(status.Pending), "migration"), status.Current, status.Latest))
	}
	done, err := m.Up(ctx)
	for _, step := range done {
		log.Info("migrated the embedded database", "version", step.Version, "name", step.Name)
	}
	if a := m.Adopted(); a != nil {
		for _, t := range a.Tables {
			log.Info("took over a table of the older application", "table", t.Table, "from", t.From,
				"rows", t.RowsBefore, "kept", t.Kept, "archived", t.Archived, "changed", t.Changed)
		}
	}
	return err
}

// migratedByOthers reports, as soon as it is so, that somebody has brought the
// database up to date. False: the context has ended.
func migratedByOthers(ctx context.Context, cfg *config.Config, log *slog.Logger) bool {
	const lookEvery = 2 * time.Second
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if err := prepareSchema(ctx, cfg, log); err == nil {
				return true
			}
		}
	}
}

// address is the host:port of a URL, with the scheme's usual port.
func address(raw, defaultPort string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return "", chatops.Errorf(chatops.CodeInvalid, "address has no host")
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return strings.TrimSuffix(u.Hostname(), ".") + ":" + port, nil
}
