package runbook

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newServe makes `serve`.
func newServe(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the chatbot's backend", Args: noArgs,
		Long: "Run the chat API, the delivery of alerts and the scheduled jobs until the process\nis told to stop; then finish what is in flight.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), env) },
	}
	env.addSettings(cmd.Flags(), "serve")
	return cmd
}

func runServe(ctx context.Context, env *Env) error {
	cfg, err := env.settings()
	if err != nil {
		return err
	}
	if cfg.Profile.ReadOnly { // deliveries and jobs change the database all the time
		return hint(refuseReadOnly(cfg), "serve without the profile, or in one that is not read-only")
	}
	env.serving = true
	err = env.ServeFunc(ctx, cfg, env.reload, env.serviceLog(cfg))
	if ctx.Err() != nil && errors.Is(err, context.Canceled) && chatops.ErrorCode(err) == chatops.CodeInternal {
		return nil // stopped before it was ready
	}
	return unreachable(cfg, err)
}

// reload reads the settings once more: files may have changed.
func (e *Env) reload() (*config.Config, error) {
	l, err := config.Load(e.sources())
	if err != nil {
		return nil, err
	}
	return l.Config, nil
}

// serviceLog is the log of the service, as LOG_LEVEL and LOG_FORMAT say.
func (e *Env) serviceLog(cfg *config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil || e.opts.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.Err, options))
	}
	return slog.New(slog.NewTextHandler(e.Err, options))
}
