package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newMigrateUp makes `migrate up`.
func newMigrateUp(env *Env) *cobra.Command {
	m := &migration{verb: "up"}
	cmd := &cobra.Command{
		Use: "up", Short: "Apply every pending migration", Args: noArgs,
		Long: "Apply every pending migration. It asks only in a protected profile, so that\ndeployments can run it; an SQLite file that does not exist is created.\n\n" +
			"The tables of an older application are taken over with their rows, all or\nnothing. --dry-run shows what was found and what would become of every row.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return m.run(ctx, env,
				func(s *chatops.MigrationStatus) planned { return planned{apply: s.Pending} },
				func(mig chatops.Migrator) (planned, error) {
					applied, err := mig.Up(ctx)
					return planned{apply: applied}, err
				})
		},
	}
	m.register(cmd)
	return cmd
}
