package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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

// A place is recorded, and seen again where it is not.
func TestDashboard_IsRecordedAndReplayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := dashboardOf(t, "sqlite://"+filepath.Join(dir, "chatbot.db"), "")
	if err := prepareSchema(t.Context(), d.Config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	d.RecordTo = filepath.Join(dir, "incident.jsonl")
	seen, replayed, err := lookOnce(t.Context(), d)
	if err != nil || replayed != nil {
		t.Fatal(replayed, err)
	}
	info, err := os.Stat(d.RecordTo)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the record's mode is %v, %v", info, err)
	}
	// It is not written over.
	_, _, err = lookOnce(t.Context(), d)
	if chatops.ErrorCode(err) != chatops.CodeUsage || !strings.Contains(err.Error(), "the file exists, and is not overwritten") {
		t.Errorf("the same file again: %v", err)
	}
	later := dashboardOf(t, "postgres://app@127.0.0.1:1/x", "redis://127.0.0.1:1/0")
	later.Replay, later.Plain = d.RecordTo, true
	again, replayed, err := lookOnce(t.Context(), later)
	if err != nil {
		t.Fatal(err)
	}
	if _, want := seen.Verdict(); len(again.Sources) > 0 || again.Queue == nil || again.Jobs == nil {
		t.Errorf("replayed it is %+v, want %s", again, want)
	}
	if replayed.Environment != "default" || replayed.Version != runbook.BuildInfo().Version || replayed.Cut || !replayed.Until.After(replayed.From) {
		t.Errorf("it is of %+v", replayed)
	}
	var out bytes.Buffer
	later.Out = &out
	if err := showDashboard(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), " | REPLAY | INCIDENT | no replica reports") {
		t.Errorf("it writes %q", out.String())
	}
}

func TestDashboard_SaysWhyARecordCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		path string
		code chatops.Code
		want string
	}{
		{
			name: "there is none",
			path: filepath.Join(dir, "missing"),
			code: chatops.CodeNotFound,
			want: "there is no such file",
		},
		{
			name: "it is something else",
			path: garbage,
			code: chatops.CodeInvalid,
			want: "this is no record of a dashboard",
		},
		{
			name: "it is a folder",
			path: dir,
			code: chatops.CodeInvalid,
			want: "is a directory",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := dashboardOf(t, "sqlite://missing.db", "")
			d.Replay = tt.path
			for _, err := range []error{showDashboard(t.Context(), d), errorOf(lookOnce(t.Context(), d))} {
				if chatops.ErrorCode(err) != tt.code || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--replay "+tt.path) {
					t.Errorf("%v, want %s %q", err, tt.code, tt.want)
				}
			}
		})
	}
}

func errorOf(_ *chatops.Situation, _ *runbook.Replayed, err error) error { return err }
