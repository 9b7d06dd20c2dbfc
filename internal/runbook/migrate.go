package runbook

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// migrationView is one migration in a result.
type migrationView struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	AppliedAt *timestamp `json:"applied_at,omitempty"`
	SQL       string     `json:"sql,omitempty"`
}

// migrationChange is the result of `migrate up`, `down` and `redo`: what was
// done, or in a dry run would be.
type migrationChange struct {
	DryRun   bool            `json:"dry_run"`
	Current  int64           `json:"current"`
	Latest   int64           `json:"latest"`
	Reverted []migrationView `json:"reverted"`
	Applied  []migrationView `json:"applied"`
	// Adoption is what was taken over of an older application's database, or
	// would be; nil where there is none.
	Adoption *chatops.Adoption `json:"adoption,omitempty"`
}

func (c *migrationChange) sections(bool) []section {
	s := section{columns: []column{{name: "change"}, {name: "version", right: true}, {name: "name", flex: true}}}
	var sql []string
	add := func(change string, list []migrationView) {
		for _, m := range list {
			s.rows = append(s.rows, []string{change, strconv.FormatInt(m.Version, 10), m.Name})
			if m.SQL != "" {
				sql = append(sql, fmt.Sprintf("-- %04d %s\n%s", m.Version, m.Name, strings.TrimSpace(m.SQL)))
			}
		}
	}
	tense := map[bool][2]string{false: {"reverted", "applied"}, true: {"would revert", "would apply"}}[c.DryRun]
	add(tense[0], c.Reverted)
	add(tense[1], c.Applied)
	list := append([]section{s}, adoptionSections(c.Adoption)...)
	if len(sql) > 0 {
		list = append(list, section{text: strings.Join(sql, "\n\n")})
	}
	return list
}

// migration is the flags and the work that up, down and redo share.
type migration struct {
	dryRun, showSQL bool
	verb            string
}

func (m *migration) register(cmd *cobra.Command) {
	dryRunFlag(cmd, &m.dryRun)
	cmd.Flags().BoolVar(&m.showSQL, "show-sql", false, "print the SQL of the migrations")
}

// planned is a step that a migration command intends to make.
type planned struct{ revert, apply []chatops.Migration }

// run plans the change, shows or confirms it, and makes it.
func (m *migration) run(ctx context.Context, env *Env, plan func(*chatops.MigrationStatus) planned, change func(chatops.Migrator) (planned, error)) error {
	cfg, err := env.settings()
	if err == nil && !m.dryRun && m.verb != "up" {
		err = missingFile(cfg) // opening would create it
	}
	if err != nil {
		return err
	}
	open := env.openMigrator
	if m.dryRun {
		open = env.lookAtSchema
	}
	mig, cfg, err := open(ctx)
	if err != nil {
		return err
	}
	defer env.closing(mig)
	status, err := mig.Status(ctx)
	if err != nil {
		return unreachable(cfg, err)
	}
	if m.verb == "up" && status.Current > status.Latest {
		return chatops.Errorf(chatops.CodeConflict,
			"the database's schema is at version %d, newer than this chatops, which knows up to %d: use the newer one",
			status.Current, status.Latest)
	}
	steps := plan(status)
	result := &migrationChange{DryRun: m.dryRun, Current: status.Current, Latest: status.Latest}
	switch {
	case m.dryRun && m.verb != "down":
		result.Adoption, err = mig.PreviewAdoption(ctx)
	case !m.dryRun && len(steps.revert)+len(steps.apply) > 0:
		if err := m.ask(ctx, env, cfg, joined(describeOlder(status.Older), describeSteps(steps))); err != nil {
			return err
		}
		if steps, err = m.carry(ctx, env, mig, change); err == nil {
			status, err = mig.Status(ctx)
		}
		result.Adoption = mig.Adopted()
	}
	if err != nil {
		return unreachable(cfg, err)
	}
	result.Current = status.Current
	if result.Reverted, err = m.views(mig, steps.revert, false); err != nil {
		return err
	}
	if result.Applied, err = m.views(mig, steps.apply, true); err != nil {
		return err
	}
	if len(steps.revert)+len(steps.apply) == 0 {
		env.notef("nothing to do: the schema is at version %d of %d", status.Current, status.Latest)
	}
	if a := result.Adoption; a != nil && a.Copy != "" {
		env.notef("the database as it was before is in %s", a.Copy)
	}
	return env.render(result)
}

// ask confirms a change of the schema. Applying what is pending needs no
// answer, because deployments do it, except in a protected profile.
func (m *migration) ask(ctx context.Context, env *Env, cfg *config.Config, change string) error {
	if m.verb != "up" || cfg.Profile.Protected {
		return env.confirm(ctx, cfg, change)
	}
	if err := refuseReadOnly(cfg); err != nil {
		return err
	}
	env.announce(cfg, change)
	return nil
}

func describeSteps(steps planned) string {
	var parts []string
	for _, s := range []struct {
		what string
		list []chatops.Migration
	}{{"revert", steps.revert}, {"apply", steps.apply}} {
		for _, one := range s.list {
			parts = append(parts, fmt.Sprintf("%s %04d %s", s.what, one.Version, one.Name))
		}
	}
	if len(parts) == 1 {
		return "schema, 1 migration: " + parts[0]
	}
	return fmt.Sprintf("schema, %d migrations: %s", len(parts), strings.Join(parts, ", "))
}

func (m *migration) views(mig chatops.Migrator, list []chatops.Migration, up bool) ([]migrationView, error) {
	views := make([]migrationView, len(list))
	for i, one := range list {
		views[i] = migrationView{Version: one.Version, Name: one.Name}
		if !m.showSQL {
			continue
		}
		sql, err := mig.SQL(one.Version, up)
		if err != nil {
			return nil, err
		}
		views[i].SQL = sql
	}
	return views, nil
}

// carry makes the change and writes it down. The table for that may not exist
// before the first migration or after the last one is reverted, so a change of
// the schema is made even when it cannot be written down, and that is told.
func (m *migration) carry(ctx context.Context, env *Env, mig chatops.Migrator, change func(chatops.Migrator) (planned, error)) (planned, error) {
	var steps planned
	var err error
	made := false
	work := func() (string, error) {
		made = true
		if steps, err = change(mig); err != nil {
			return "", err
		}
		return joined(describeAdoption(mig.Adopted()), describeSteps(steps)), nil
	}
	if m.verb == "up" {
		done, err := work()
		if err != nil {
			return steps, err
		}
		m.writeDown(ctx, env, func() (string, error) { return done, nil })
		return steps, nil
	}
	m.writeDown(ctx, env, work)
	if !made {
		_, err = work()
	}
	return steps, err
}

// writeDown records a change of the schema as an operator action.
func (m *migration) writeDown(ctx context.Context, env *Env, change func() (string, error)) {
	store, _, err := env.openStore(ctx)
	if err != nil {
		env.notef("warning: this change is not written down: %s", chatops.ErrorMessage(err))
		return
	}
	defer env.closing(store)
	changed := false
	err = env.record(ctx, store, struct{}{}, func() (string, error) {
		changed = true
		return change()
	})
	if err != nil && !changed {
		env.notef("warning: this change is not written down: %s", chatops.ErrorMessage(err))
	}
}
