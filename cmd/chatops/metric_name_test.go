package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/runbook"
	"chatops/internal/testserver"
)

// addressLog is a log that hands on where the service listens.
type addressLog struct {
	slog.Handler
	address chan<- string
}

// Enabled is true: one that discards is asked for nothing.
func (*addressLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle looks for the address.
func (h *addressLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "serving" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "address" {
				h.address <- a.Value.String()
			}
			return true
		})
	}
	return nil
}

// served is /metrics of a real service that has delivered an alert.
func served(t *testing.T) string {
	t.Helper()
	vars := map[string]string{
		"DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db"), "LISTEN": "127.0.0.1", "PORT": "0", "REDIS_URL": "redis://127.0.0.1:1/0",
	}
	loaded, err := config.Load(config.Sources{LookupEnvFunc: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	if err := prepareSchema(t.Context(), loaded.Config, quiet); err != nil {
		t.Fatal(err)
	}
	store, err := openStore(t.Context(), loaded.Config, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	alert := chatops.NewAlert{EventType: chatops.EventSlackAlert, Target: "slack:alerts", Payload: []byte(`{"text":"x"}`)}
	if _, err := store.Enqueue(t.Context(), []chatops.NewAlert{alert}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serve(ctx, loaded.Config, nil, slog.New(&addressLog{slog.DiscardHandler, address}))
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve ended with %v", err)
		}
	}()
	where := "http://" + <-address
	text := ""
	err = testserver.Poll(time.Minute, func(context.Context) error {
		_ = get(t, where+"/livez")
		text = get(t, where+"/metrics")
		if !strings.Contains(text, "\nchatops_delivery_attempts_total{") || !strings.Contains(text, "\nchatops_alerts{") || !strings.Contains(text, "\nchatops_http_requests_total{") {
			return errors.New("no attempt in /metrics")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func get(t *testing.T, url string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func deployed(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var (
	metricName = regexp.MustCompile(`\bchatops_[a-z0-9_]+\b`)
	selector   = regexp.MustCompile(`\b(chatops_[a-z0-9_]+)\{([a-z_]+)=~?\\?"`)
	grouping   = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
)

func TestDeployed_RulesAndDashboardKnowOnlyMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	text := served(t)
	for _, name := range []string{"prometheus/chatops.yml", "grafana/chatops.json"} {
		file := deployed(t, name)
		used := metricName.FindAllString(file, -1)
		if len(used) < 10 {
			t.Errorf("%s uses %d metrics: the test lost its grip", name, len(used))
		}
		for _, m := range slices.Compact(slices.Sorted(slices.Values(used))) {
			if !strings.Contains(text, "\n"+m+"{") && !strings.Contains(text, "\n"+m+" ") && !optional[m] {
				t.Errorf("%s uses %s, which is not in /metrics", name, m)
			}
		}
		for _, m := range selector.FindAllStringSubmatch(file, -1) {
			if !strings.Contains(text, "\n"+m[1]+"{") || !strings.Contains(text, m[2]+`="`) {
				t.Errorf("%s selects %s by %s, a label that it has not", name, m[1], m[2])
			}
		}
		for _, m := range grouping.FindAllStringSubmatch(file, -1) {
			for label := range strings.SplitSeq(m[1], ", ") {
				if !strings.Contains(text, label+`="`) {
					t.Errorf("%s groups by %s, a label that nothing has", name, label)
				}
			}
		}
	}
}

// optional are the metrics that are there only while something is so.
var optional = map[string]bool{"chatops_operation_left": true}

func TestDeployed_RulesGiveCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	commands := regexp.MustCompile(`(?m)^ +command: (.+)$`).FindAllStringSubmatch(deployed(t, "prometheus/chatops.yml"), -1)
	alerts := strings.Count(deployed(t, "prometheus/chatops.yml"), "- alert: ")
	if len(commands) != alerts || alerts < 10 {
		t.Errorf("%d alerts have %d commands", alerts, len(commands))
	}
	for _, m := range commands {
		line := regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(m[1], "slack")
		rest, ours := strings.CutPrefix(line, "chatops ")
		env := runbook.NewEnv()
		env.Out, env.Err = io.Discard, io.Discard
		if !ours || runbook.Run(t.Context(), env, append(words(rest), "--help")) != 0 {
			t.Errorf("%q is no command", line)
		}
	}
}

func TestDeployed_DashboardIsJSONWithPanels(t *testing.T) {
	t.Parallel()
	var d struct {
		Title  string `json:"title"`
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(deployed(t, "grafana/chatops.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Title != "chatops" || len(d.Panels) < 10 {
		t.Errorf("the dashboard %q has %d panels", d.Title, len(d.Panels))
	}
	for i, p := range d.Panels {
		if p.ID != i+1 || p.Title == "" || len(p.Targets) == 0 || p.Targets[0].Expr == "" {
			t.Errorf("panel %d is %+v", i, p)
		}
	}
}
