package runbook

import (
	"context"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newMigrateDown makes `migrate down`.
func newMigrateDown(env *Env) *cobra.Command {
	m := &migration{verb: "down"}
	cmd := &cobra.Command{
		Use: "down", Short: "Revert the newest migration", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return m.run(ctx, env,
				func(s *chatops.MigrationStatus) planned { return planned{revert: newest(s)} },
				func(mig chatops.Migrator) (planned, error) { return revertNewest(ctx, mig) })
		},
	}
	m.register(cmd)
	return cmd
}

// newest is the applied migration of the highest version, if there is one.
func newest(s *chatops.MigrationStatus) []chatops.Migration {
	var list []chatops.Migration
	for _, m := range s.Applied {
		if len(list) == 0 || m.Version > list[0].Version {
			list = []chatops.Migration{m}
		}
	}
	return list
}

func revertNewest(ctx context.Context, mig chatops.Migrator) (planned, error) {
	reverted, err := mig.Down(ctx)
	if err != nil || reverted == nil {
		return planned{}, err
	}
	return planned{revert: []chatops.Migration{*reverted}}, nil
}
