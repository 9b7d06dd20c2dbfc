package runbook

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/config"
)

type limiterStatus struct{ watch bool }

// newLimiterStatus makes `limiter status`.
func newLimiterStatus(env *Env) *cobra.Command {
	c := &limiterStatus{}
	cmd := &cobra.Command{
		Use: "status", Short: "Show the rate limits in force, and who is refused", Args: noArgs,
		Long: "Show the rate limits in force and where each comes from, what was allowed and denied\n" +
			"in the last minute over all replicas, the clients that were refused most, blocked\n" +
			"networks, and whether each replica counts in Redis or by itself.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().BoolVar(&c.watch, "watch", false, "show it again every two seconds, until Ctrl-C")
	return cmd
}

// limiterView is the result of `limiter status`.
type limiterView struct {
	Limits   []limitView      `json:"limits"`
	Blocks   []blockView      `json:"blocks"`
	Replicas []limiterReplica `json:"replicas"`

	now time.Time
}

func (c *limiterStatus) run(ctx context.Context, env *Env) error {
	res, err := env.showFleet(ctx, c.watch, func(_ *config.Config, f *fleet) (result, error) { return f.viewLimiter(), nil })
	if v, ok := res.(*limiterView); ok && err == nil && !v.reported() {
		env.tellNobody()
	}
	return err
}

// viewLimiter puts together what the replicas and the orders say of limits.
func (f *fleet) viewLimiter() *limiterView {
	v := &limiterView{Limits: []limitView{}, Blocks: []blockView{}, Replicas: []limiterReplica{}, now: f.Controls.Now}
	for _, name := range f.LimitNames() {
		v.Limits = append(v.Limits, f.viewLimit(name))
	}
	for i := range f.Controls.Blocks {
		v.Blocks = append(v.Blocks, viewBlock(&f.Controls.Blocks[i]))
	}
	for i := range f.Replicas {
		r := &f.Replicas[i]
		v.Replicas = append(v.Replicas, limiterReplica{
			Instance: r.Name, Backend: r.Report.Limiter.Backend, Enabled: r.Report.Limiter.Enabled, Blocked: r.Report.Limiter.Blocked,
			HeartbeatAt: timestamp(r.HeartbeatAt), Stale: r.Stale(), age: r.Age,
		})
	}
	return v
}

// reported tells whether any live replica reports.
func (v *limiterView) reported() bool {
	for _, r := range v.Replicas {
		if !r.Stale {
			return true
		}
	}
	return false
}

func (v *limiterView) elements() []any { return pointers(v.Limits) }
