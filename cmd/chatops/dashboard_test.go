package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/runbook"
)

// dashboardOf is a dashboard of a place.
func dashboardOf(t *testing.T, databaseURL, redisURL string) *runbook.Dashboard {
	t.Helper()
	cfg := &config.Config{
		DatabaseURL: config.NewURL(databaseURL),
		DLQRetries:  5,
	}
	if redisURL != "" {
		cfg.RedisURL = config.NewURL(redisURL)
	}
	return &runbook.Dashboard{
		Config:  cfg,
		Refresh: time.Second,
		Write:   true,
		In:      bytes.NewReader(nil),
		Out:     &bytes.Buffer{},
		RunFunc: func(_ context.Context, args []string, tell func(string)) (int, []byte, string) {
			tell("said")
			return 7, []byte(args[0]), "last"
		},
	}
}

func TestDashboard_NeedsNothingReachable(t *testing.T) {
	t.Parallel()
	d := dashboardOf(t, "postgres://app:secret@127.0.0.1:1/x?connect_timeout=1", "redis://127.0.0.1:1/0")
	d.Config.Profile = config.Profile{Name: "prod", Label: "Production", Protected: true}
	o, release, err := dashboardOptions(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if o.Database != "postgresql" || o.Environment != "Production" || o.ConfirmWord != "prod" || o.MaxRetries != 5 || !o.Write {
		t.Errorf("the options are %+v", o)
	}
	s, _, err := lookOnce(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Sources) != 2 || s.Queue != nil || s.Fleet != nil {
		t.Errorf("with nothing reachable it is %+v", s)
	}
	if level, _ := s.Verdict(); level != chatops.LevelIncident {
		t.Errorf("the verdict is %s", level)
	}
}

func TestDashboard_OfAnEmbeddedDatabase_IsNamedAndRunsCommands(t *testing.T) {
	t.Parallel()
	d := dashboardOf(t, "sqlite://"+filepath.Join(t.TempDir(), "chatbot.db"), "")
	if err := prepareSchema(t.Context(), d.Config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	o, release, err := dashboardOptions(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if o.Database != "sqlite" || o.PingRedisFunc != nil || o.ConfirmWord != "" || o.Environment != "default" {
		t.Errorf("the options are %+v", o)
	}
	var said []string
	got := o.RunFunc(t.Context(), []string{"dlq"}, func(line string) { said = append(said, line) })
	if got.Code != 7 || string(got.Out) != "dlq" || got.Err != "last" || len(said) != 1 {
		t.Errorf("a command ended with %+v and said %q", got, said)
	}
	s, _, err := lookOnce(t.Context(), d)
	if err != nil || len(s.Sources) > 0 || s.Queue == nil || s.Groups == nil || s.Fleet == nil || s.Jobs == nil {
		t.Errorf("it is %+v, %v", s, err)
	}
}

func TestDashboard_AsLines_EndsWithTheContext(t *testing.T) {
	t.Parallel()
	d := dashboardOf(t, "sqlite://"+filepath.Join(t.TempDir(), "chatbot.db"), "")
	d.Plain = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := showDashboard(ctx, d); err == nil {
		t.Error("it ended without an error although it was interrupted")
	}
}

func TestDashboard_WithABadRedis_SaysSo(t *testing.T) {
	t.Parallel()
	d := dashboardOf(t, "sqlite://"+filepath.Join(t.TempDir(), "chatbot.db"), "nonsense://x")
	if err := showDashboard(t.Context(), d); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a bad REDIS_URL gives %v", err)
	}
	if _, _, err := lookOnce(t.Context(), d); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a bad REDIS_URL gives %v", err)
	}
}
