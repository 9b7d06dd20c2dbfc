package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/pgtest"
	"chatops/internal/sendertest"
)

// figures are the numbers that the dashboard has to agree with.
type figures struct{ waiting, failed, delivered, allowed, denied int }

// told are the numbers of the commands that show each part alone; those of the
// queue are the database's as well.
func (w *world) told() figures {
	w.t.Helper()
	var stats struct {
		ByStatus map[string]int `json:"by_status"`
	}
	var limits struct {
		Limits []struct {
			Name    string `json:"name"`
			Allowed int    `json:"allowed_per_minute"`
			Denied  int    `json:"denied_per_minute"`
		} `json:"limits"`
	}
	for command, into := range map[string]any{"dlq stats": &stats, "limiter status": &limits} {
		if err := json.Unmarshal([]byte(w.must(append(strings.Fields(command), "-o", "json")...).out), into); err != nil {
			w.t.Fatal(err)
		}
	}
	f := figures{waiting: stats.ByStatus["queued"] + stats.ByStatus["pending"], failed: stats.ByStatus["failed"], delivered: stats.ByStatus["delivered"]}
	if n := w.number(`select count(*) from dead_letter_queue where status in ('queued', 'pending')`); n != f.waiting {
		w.t.Errorf("dlq stats counts %d that wait, the table has %d", f.waiting, n)
	}
	for _, l := range limits.Limits {
		if l.Name == "health" {
			f.allowed, f.denied = l.Allowed, l.Denied
		}
	}
	return f
}

// awaitFigures waits until the panels of queue and limits show the numbers of the
// commands, to the row.
func (p *pane) awaitFigures(w *world) figures {
	p.t.Helper()
	var f figures
	p.awaitThat("agrees with dlq stats and limiter status", func(screen string) bool {
		f = w.told()
		health := fmt.Sprintf("health %d %d ", f.allowed, f.denied)
		flat := strings.Join(strings.Fields(screen), " ")
		return strings.Contains(flat, fmt.Sprintf("1 queue %d waiting, %d failed", f.waiting, f.failed)) && strings.Contains(flat, health)
	})
	return f
}

// An incident: Slack is down and a client hammers. What the screen says is what
// the database and the commands say, and it is mended by its keys alone.
func TestDashboard_InAnIncident_SaysWhatTheCommandsSayAndRepairsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgres)
	w.limited()
	w.env["CB_FAIL_MAX"], w.env["CB_RESET_TIMEOUT"], w.env["RATE_LIMIT_ENABLED"] = "3", "600", "true"
	w.slack.Set(sendertest.Behaviour{Status: http.StatusServiceUnavailable})
	s := w.serve()
	p := w.openPane(220, 45, "dashboard", "--write", "--refresh", "500ms")
	p.await("OK  nothing needs you", "1 queue 0 waiting, 0 failed", "closed: all 4 that report", "1 live", "WRITE")
	for i := range 25 {
		w.enqueue("slack_alert", "slack:alerts", slackPayload, fmt.Sprint("k", i))
	}
	for range 40 {
		if status, _ := s.get("/api/health"); status != http.StatusOK && status != http.StatusTooManyRequests {
			t.Fatalf("the health check answers %d", status)
		}
	}
	p.await("INCIDENT  press 3: slack open on 1/1 replicas", "25 waiting", "limit health denies 10/min")
	for range 3 {
		if f := p.awaitFigures(w); f.waiting != 25 || f.denied > 10 {
			t.Errorf("the figures are %+v, want 25 that wait and at most 10 denied", f)
		}
	}
	// Slack is back: close the breaker, send everything, block the client.
	w.slack.Set(sendertest.Behaviour{})
	p.press("3")
	p.await("> slack", "r reset")
	p.press("r")
	p.await("environment  default", "change       reset breaker slack on 1 replica", "Continue? [y/N]")
	p.press("y")
	p.await("done: reset breaker slack on 1 replica: obeyed by 1 of 1 replicas", "closed: all 4 that report")
	p.press("1")
	p.await("> total")
	p.press("R")
	p.awaitThat("asks, or has delivered them already", func(screen string) bool {
		return strings.Contains(screen, "chatops dlq retry --all") && (strings.Contains(screen, "Continue? [y/N]") || strings.Contains(screen, "not possible: no alert"))
	})
	p.press("y")
	w.await(25, `select count(*) from dead_letter_queue where status = 'delivered'`)
	p.press("Escape")
	p.press("4")
	p.await("refused 10 in a minute")
	p.press("Down", "Down", "Down")
	p.awaitThat("has the cursor on the client", func(screen string) bool { return strings.Contains(screen, ">   127.0.0.1 refused") })
	p.press("b")
	p.await("127.0.0.1 for 1h")
	p.press("Enter")
	p.await("block 127.0.0.1 on 1 replica for 1h", "Continue? [y/N]")
	p.press("y")
	p.await("done: block 127.0.0.1 on 1 replica for 1h", "127.0.0.1/32 blocked by tester")
	p.press("Escape")
	p.await("1 queue 0 waiting, 0 failed", "25")
	if n := w.number(`select count(*) from operator_action where result like 'ok: %' and actor = 'tester' and command like 'chatops %--yes%'`); n < 2 {
		t.Errorf("%d operator actions are on record, want those of the breaker, the block and the retry", n)
	}
	p.press("q")
	p.left(0)
}

// The database and Redis go away and come back while somebody looks, in terminals
// of every size. Numbers stay, dimmed, and are called old; the terminal is given
// back as it was.
func TestDashboard_OutlivesItsSourcesInEverySize(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{})
	w := bareWorld(t, postgres)
	w.useDatabase(pg.Database("dash"))
	cache := w.useRedis()
	w.must("migrate", "up")
	w.enqueueMany(7, "k", "failed")
	p := w.openPane(120, 40, "dashboard", "--refresh", "500ms")
	p.await("1 queue 0 waiting, 7 failed", "no replica reports", "read-only")
	pg.Stop(pgtest.Immediate)
	p.await("INCIDENT  postgresql does not answer for", "last known: ", "7 failed", "ERROR")
	if !strings.Contains(p.colours(), "\x1b[2m") {
		t.Error("old numbers are not dimmed")
	}
	cache.Stop()
	p.await("redis does not answer for")
	for _, size := range []struct {
		width, height int
		wants         []string
	}{
		{80, 24, []string{"postgresql does not answer", "1 queue 0 waiting, 7 failed", "6 replicas"}},
		{60, 15, []string{"postgresql does not answer", "1 queue 0 waiting, 7 failed", "6 replicas"}},
		{40, 10, []string{"INCIDENT", "1 queue 0 waiting, 7 failed", "6 replicas", "ERROR"}},
		{40, 2, []string{"INCIDENT ERROR 0 waiting 7 failed"}},
		{120, 40, []string{"postgresql does not answer", "4 limits", "ERROR"}},
	} {
		p.resize(size.width, size.height)
		p.await(size.wants...)
	}
	pg.Start()
	cache.Start()
	p.awaitThat("is fresh again", func(screen string) bool {
		return !strings.Contains(screen, "does not answer") && strings.Contains(screen, "7 failed") && strings.Contains(screen, "live 0s")
	})
	p.press("2")
	p.await("2 causes", "> ")
	p.press("r")
	p.await("read-only: nothing was changed; start with --write")
	p.press("q")
	p.left(0)
}

// Whoever pipes it, or has a terminal that cannot draw, gets lines; and no other
// command asks the terminal anything.
func TestDashboard_SendsNoEscapeCodeWhereItCannotDraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	w.enqueueMany(3, "k", "failed")
	p := w.start("dashboard", "--refresh", "500ms")
	line := p.out.await("failed=3", patience, p.done)
	if !strings.Contains(line, " | INCIDENT | no replica reports") || strings.Contains(p.out.String(), "\x1b") {
		t.Errorf("a pipe gets %q", p.out.String())
	}
	p.term()
	if code := p.wait(); code != 130 {
		t.Errorf("after the signal: exit %d, want 130", code)
	}
	for _, args := range [][]string{{"version"}, {"help"}, {"dlq", "stats", "--color", "never"}} {
		start := time.Now()
		shown, code := w.onTerminal(100, "", args...)
		if code != 0 || strings.Contains(shown, "\x1b") {
			t.Errorf("chatops %s on a terminal: exit %d, %q", strings.Join(args, " "), code, shown)
		}
		// The terminal here answers no question: whoever asks waits five seconds.
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("chatops %s took %s", strings.Join(args, " "), took)
		}
	}
}
