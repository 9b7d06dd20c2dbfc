package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newMigrateRedo makes `migrate redo`.
func newMigrateRedo(env *Env) *cobra.Command {
	m := &migration{verb: "redo"}
	cmd := &cobra.Command{
		Use: "redo", Short: "Revert the newest migration and apply it again, with any that are pending", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return m.run(ctx, env,
				func(s *chatops.MigrationStatus) planned {
					last := newest(s)
					if len(last) == 0 {
						return planned{}
					}
					return planned{revert: last, apply: append(last[:1:1], s.Pending...)}
				},
				func(mig chatops.Migrator) (planned, error) {
					steps, err := revertNewest(ctx, mig)
					if err == nil {
						steps.apply, err = mig.Up(ctx)
					}
					return steps, err
				})
		},
	}
	m.register(cmd)
	return cmd
}
