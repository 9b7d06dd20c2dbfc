package runbook

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// openStore opens the configured store. The caller closes it.
func (e *Env) openStore(ctx context.Context) (chatops.Store, *config.Config, error) {
	cfg, err := e.settings()
	if err != nil {
		return nil, nil, err
	}
	if err := missingFile(cfg); err != nil {
		return nil, nil, err
	}
	store, err := e.OpenStoreFunc(ctx, cfg, e.logger())
	if err != nil {
		return nil, nil, unreachable(cfg, err)
	}
	return store, cfg, nil
}

// openMigrator opens the schema of the configured database.
func (e *Env) openMigrator(ctx context.Context) (chatops.Migrator, *config.Config, error) {
	cfg, err := e.settings()
	if err != nil {
		return nil, nil, err
	}
	m, err := e.OpenMigratorFunc(ctx, cfg, e.logger())
	if err != nil {
		return nil, nil, unreachable(cfg, err)
	}
	return m, cfg, nil
}

// lookAtSchema opens the schema to read it only. An SQLite file that does not
// exist is not made: it is a database that has nothing yet, and an empty one in
// memory stands for it.
func (e *Env) lookAtSchema(ctx context.Context) (chatops.Migrator, *config.Config, error) {
	cfg, err := e.settings()
	if err != nil {
		return nil, nil, err
	}
	if missingFile(cfg) != nil {
		e.notef("database %s: no such file yet", cfg.DatabaseURL.Host())
		empty := *cfg
		empty.DatabaseURL = config.NewURL("sqlite::memory:")
		cfg = &empty
	}
	m, err := e.OpenMigratorFunc(ctx, cfg, e.logger())
	if err != nil {
		return nil, nil, unreachable(cfg, err)
	}
	return m, cfg, nil
}

// missingFile reports an SQLite file that does not exist: opening it would
// create an empty one.
func missingFile(cfg *config.Config) error {
	if cfg.DatabaseURL.Scheme() != "sqlite" {
		return nil
	}
	path := cfg.DatabaseURL.Host()
	if strings.HasPrefix(path, ":memory:") {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return hint(chatops.Errorf(chatops.CodeUnavailable, "database %s: no such file", path), "create it with: chatops migrate up")
	}
	return nil
}

// unreachable names the database in an error of not reaching it, and the next
// step.
func unreachable(cfg *config.Config, err error) error {
	var h *hinted
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || errors.As(err, &h) {
		return err
	}
	host := cfg.DatabaseURL.Host()
	if message := chatops.ErrorMessage(err); !strings.Contains(message, host) {
		err = chatops.WrapError(chatops.CodeUnavailable, err, "database "+host+": "+message)
	}
	return hint(err, "check that the database runs, and the address: chatops config view --show-origin")
}

// closing closes a store or migrator and tells when that goes wrong: what was
// asked for has been done by then.
func (e *Env) closing(c interface{ Close() error }) {
	if err := c.Close(); err != nil {
		e.notef("warning: close the database: %s", chatops.ErrorMessage(err))
	}
}
