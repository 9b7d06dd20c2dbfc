package runbook

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newMigrateStatus makes `migrate status`.
func newMigrateStatus(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show which migrations are applied and pending; exit 4 when any is pending", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runMigrateStatus(cmd.Context(), env) },
	}
}

// schemaStatus is the result of `migrate status`.
type schemaStatus struct {
	Current int64           `json:"current"`
	Latest  int64           `json:"latest"`
	Pending []migrationView `json:"pending"`
	Applied []migrationView `json:"applied"`
}

func runMigrateStatus(ctx context.Context, env *Env) error {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	mig, cfg, err := env.lookAtSchema(ctx)
	if err != nil {
		return err
	}
	defer env.closing(mig)
	status, err := mig.Status(ctx)
	if err != nil {
		return unreachable(cfg, err)
	}
	view := &schemaStatus{Current: status.Current, Latest: status.Latest, Pending: []migrationView{}, Applied: []migrationView{}}
	for _, m := range status.Pending {
		view.Pending = append(view.Pending, migrationView{Version: m.Version, Name: m.Name})
	}
	for _, m := range status.Applied {
		at := timestamp(m.AppliedAt)
		view.Applied = append(view.Applied, migrationView{Version: m.Version, Name: m.Name, AppliedAt: &at})
	}
	if err := env.render(view); err != nil {
		return err
	}
	if older := describeOlder(status.Older); older != "" {
		env.notef("chatops migrate up would %s; see what becomes of their rows with --dry-run", older)
	}
	if n := len(view.Pending); n > 0 {
		return hint(chatops.Errorf(chatops.CodeFinding, "the schema is at version %d of %d: %d pending", view.Current, view.Latest, n), "apply them with: chatops migrate up")
	}
	return nil
}

func (s *schemaStatus) sections(bool) []section {
	t := section{columns: []column{{name: "version", right: true}, {name: "name", flex: true}, {name: "state", colorFunc: migrationColor}, {name: "applied"}}}
	for _, m := range s.Applied {
		t.rows = append(t.rows, []string{strconv.FormatInt(m.Version, 10), m.Name, "applied", m.AppliedAt.short()})
	}
	for _, m := range s.Pending {
		t.rows = append(t.rows, []string{strconv.FormatInt(m.Version, 10), m.Name, "pending", ""})
	}
	return []section{t}
}

func migrationColor(state string) string {
	return map[string]string{"applied": "green", "pending": "yellow"}[state]
}
