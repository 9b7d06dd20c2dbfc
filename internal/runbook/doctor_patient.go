package runbook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/doctor"
)

// examine opens what the checks look at and looks. Everything is opened anew each
// time, so that a watch sees what has come back.
func (c *doctorCommand) examine(ctx context.Context, env *Env, checks []doctor.Check) (*examination, error) {
	loaded, err := config.Load(env.sources())
	var bad *config.ProblemError
	if err != nil && !errors.As(err, &bad) {
		return nil, err
	}
	env.loaded = loaded
	cfg := loaded.Config
	p := &doctor.Patient{Probe: c.probe, NowFunc: env.NowFunc, Settings: statedSettings(loaded, bad)}
	release, err := env.PatientFunc(cfg, p)
	if err != nil { // by a bad setting, which is among the problems
		release = func() {}
	}
	defer release()
	timeout := checkTimeout
	if env.opts.timeout > 0 {
		timeout = env.opts.timeout
	}
	opening, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer env.openPatient(opening, cfg, bad, p, checks)()
	return viewExamination(env.NowFunc(), doctor.Examine(ctx, p, checks, timeout), env.inPlace), nil
}

// openPatient opens the database where a check looks at it. What cannot be opened
// is itself a finding.
func (e *Env) openPatient(ctx context.Context, cfg *config.Config, bad *config.ProblemError, p *doctor.Patient, checks []doctor.Check) (closeFunc func()) {
	if !slices.ContainsFunc(checks, func(c doctor.Check) bool { return c.Database != doctor.Ignores }) {
		return func() {}
	}
	p.StoreErr = unusable(cfg, bad)
	if p.StoreErr == nil {
		if p.StoreErr = missingFile(cfg); p.StoreErr != nil {
			p.StoreCommand = "chatops migrate up"
		}
	}
	if p.StoreErr != nil {
		return func() {}
	}
	store, err := e.OpenStoreFunc(ctx, cfg, e.logger())
	if err != nil {
		p.StoreErr = err
		return func() {}
	}
	p.Store = store
	p.SchemaFunc = func(ctx context.Context) (*chatops.MigrationStatus, error) {
		m, err := e.OpenMigratorFunc(ctx, cfg, e.logger())
		if err != nil {
			return nil, err
		}
		defer e.closing(m)
		return m.Status(ctx)
	}
	p.ChainFunc = func(ctx context.Context) (rows int64, broken int, err error) {
		r, err := consent.Verify(ctx, store)
		if err != nil {
			return 0, 0, err
		}
		return r.Rows, r.Total, nil
	}
	return func() { e.closing(store) }
}

// unusable reports an address of the database that cannot be used.
func unusable(cfg *config.Config, bad *config.ProblemError) error {
	if bad == nil {
		return nil
	}
	for _, p := range bad.Problems {
		if strings.HasPrefix(p.Key, "DATABASE_URL") || cfg.DatabaseURL.IsZero() {
			return chatops.Errorf(chatops.CodeUnavailable, "DATABASE_URL cannot be used, see the check config")
		}
	}
	return nil
}

// statedSettings is what reading the settings says of them.
func statedSettings(loaded *config.Loaded, bad *config.ProblemError) doctor.Settings {
	s := doctor.Settings{Warnings: loaded.Warnings}
	if bad != nil {
		for _, p := range bad.Problems {
			text := p.Key
			if p.Origin != "" { // it is set nowhere, and should be
				text += fmt.Sprintf(" (%s)", p.Origin)
			}
			s.Problems = append(s.Problems, text+": "+p.Expected)
		}
	}
	return s
}

// inPlace completes a command of this program with the flags that say where it
// works, leaving out an address with a password.
func (e *Env) inPlace(command string) string {
	rest, ours := strings.CutPrefix(command, "chatops ")
	if !ours {
		return command
	}
	var flags []string
	if e.opts.profile != "" {
		flags = append(flags, "--profile", quoteWord(e.opts.profile))
	}
	if e.opts.configPath != "" {
		flags = append(flags, "--config", quoteWord(e.opts.configPath))
	}
	if raw := e.flags["database-url"]; raw != "" && config.NewURL(raw).String() == raw {
		flags = append(flags, "--database-url", quoteWord(raw))
	}
	return strings.Join(append([]string{"chatops", rest}, flags...), " ")
}
