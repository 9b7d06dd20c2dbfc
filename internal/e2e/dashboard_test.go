package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatops/internal/pgtest"
	"chatops/internal/sendertest"
	"chatops/internal/testserver"
)

// figures are the numbers that the dashboard has to agree with.
type figures struct{ queued, pending, failed, delivered, allowed, denied int }

func (f *figures) waiting() int { return f.queued + f.pending }

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
	from := time.Now()
	for command, into := range map[string]any{"dlq stats": &stats, "limiter status": &limits} {
		if err := json.Unmarshal([]byte(w.must(append(strings.Fields(command), "-o", "json")...).out), into); err != nil {
			w.t.Fatal(err)
		}
	}
	n := stats.ByStatus
	f := figures{queued: n["queued"], pending: n["pending"], failed: n["failed"], delivered: n["delivered"]}
	for _, l := range limits.Limits {
		if l.Name == "health" {
			f.allowed, f.denied = l.Allowed, l.Denied
		}
	}
	at := time.Now()
	w.toldQueue = append(w.toldQueue, moment[queueFigures]{from, at, queueFigures{f.queued, f.pending, f.failed, f.delivered}})
	w.toldLimits = append(w.toldLimits, moment[limitFigures]{from, at, limitFigures{f.allowed, f.denied}})
	return f
}

// shownBy reports that a screen has the figures in its panels of queue and limits.
func (f *figures) shownBy(screen string) bool {
	flat := strings.Join(strings.Fields(screen), " ")
	for _, want := range []string{
		fmt.Sprintf("1 queue %d waiting, %d failed", f.waiting(), f.failed),
		fmt.Sprintf("total %d %d %d %d ", f.queued, f.pending, f.failed, f.delivered),
		fmt.Sprintf("health %d %d ", f.allowed, f.denied),
	} {
		if !strings.Contains(flat, want) {
			return false
		}
	}
	return true
}

// awaitFigures waits until the panels of queue and limits show the numbers of the
// commands, to the row, and those are the table's.
func (p *pane) awaitFigures(w *world) figures {
	p.t.Helper()
	var f figures
	p.awaitThat("agrees with dlq stats and limiter status", func(string) bool {
		f = w.told()
		return testserver.Poll(time.Second, func(context.Context) error { // the next look shows it, or the numbers move
			if !f.shownBy(p.screen()) {
				return errNotYet
			}
			return nil
		}) == nil
	})
	for status, n := range map[string]int{"queued": f.queued, "pending": f.pending, "failed": f.failed, "delivered": f.delivered} {
		if got := w.number(`select count(*) from dead_letter_queue where status = ?`, status); got != n {
			w.t.Errorf("dlq stats counts %d %s, the table has %d", n, status, got)
		}
	}
	return f
}

// visitors have their chats, each of five messages that make a lead, at 600
// messages a minute, and after each somebody looks.
func (s *server) visitors(from, n int, lookFunc func()) {
	s.t.Helper()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for i := range n {
		for _, line := range script("Jan Kowalski", fmt.Sprintf("jan%d@przyklad.pl", from+i)) {
			<-pace.C
			s.mustSay(fmt.Sprint("visit-", from+i), line)
			lookFunc()
		}
	}
}

// hammers asks for the same page without a pause.
func (s *server) hammers(n int) (refused int) {
	s.t.Helper()
	for range n {
		switch status, _ := s.get("/api/health"); status {
		case http.StatusOK:
		case http.StatusTooManyRequests, http.StatusForbidden:
			refused++
		default:
			s.t.Errorf("the health check answers %d", status)
		}
	}
	return refused
}

// An incident: Slack is down, people chat, and a client hammers. What the screen
// says is at each look what the database had then, and so is what the commands say;
// and it is mended by its keys alone.
func TestDashboard_InAnIncident_SaysWhatTheCommandsSayAndRepairsIt(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, postgres)
	w.useDatabase(pgtest.Start(t, pgtest.Options{Settings: map[string]string{"track_commit_timestamp": "on"}}).Database("incident"))
	w.useReceivers()
	w.must("migrate", "up")
	h := w.keepHistory()
	w.limited()
	w.env["CB_FAIL_MAX"], w.env["CB_RESET_TIMEOUT"], w.env["RATE_LIMIT_ENABLED"] = "3", "600", "true"
	for _, name := range []string{"CHAT_RATE_LIMIT", "API_RATE_LIMIT_MINUTE", "LEAD_RATE_LIMIT"} {
		w.env[name] = "100000 per minute"
	}
	w.env["API_RATE_LIMIT_HOUR"] = "100000 per hour"
	w.slack.Set(sendertest.Behaviour{Status: http.StatusServiceUnavailable})
	s := w.serve()
	record := filepath.Join(w.dir, "incident.jsonl")
	begun := time.Now()
	p := w.openPane(220, 45, "dashboard", "--write", "--refresh", "500ms", "--record", record)
	p.await("1 queue 0 waiting, 0 failed")
	t.Logf("the first numbers are there after %s", time.Since(begun))
	p.await("OK  nothing needs you", "closed: all 4 that report", "1 live", "REC  WRITE")
	for i := range 4 { // from before
		w.exec(`insert into dead_letter_queue (event_type, target, payload, idempotency_key, status, error_message)
			values ('slack_alert', 'slack:alerts', '`+slackPayload+`', ?, 'failed', 'slack: HTTP 503')`, fmt.Sprint("old-", i))
	}
	leads := 0
	for round, visits := range []int{3, 5, 4} {
		s.visitors(10*round, visits, func() {
			if p.screen(); len(p.shots)%8 == 0 {
				w.told()
			}
		})
		s.hammers(20)
		leads += visits
		w.await(leads, `select count(*) from dead_letter_queue where target = 'slack:alerts' and status in ('queued', 'pending')`)
		if f := p.awaitFigures(w); f.failed != 4 || f.waiting() < 3 {
			t.Errorf("in round %d the figures are %+v, want 4 failed and Slack's that wait", round, f)
		}
	}
	p.await("INCIDENT  press 3: slack open on 1/1 replicas", "12 alerts waiting", "limit health denies ")
	w.repairs(p, s)
	w.saw(record)
	h.check(record, p)
}

// repairs mends the incident by keys alone, and looks after each step whether it
// has helped: the breaker is closed, everything is sent, the client is blocked.
func (w *world) repairs(p *pane, s *server) {
	t := w.t
	t.Helper()
	w.slack.Set(sendertest.Behaviour{})
	p.press("3")
	p.await("> slack", "r reset")
	p.press("r")
	p.await("environment  default", "change       reset breaker slack on 1 replica", "Continue? [y/N]")
	p.press("y")
	p.await("done: reset breaker slack on 1 replica: obeyed by 1 of 1 replicas", "closed: all 4 that report")
	// What waited for the breaker goes by itself; what was tried waits for its
	// time, and what has failed for somebody.
	w.await(0, `select count(*) from dead_letter_queue where status = 'queued' or status = 'pending' and error_message like 'circuit breaker %'`)
	left := w.number(`select count(*) from dead_letter_queue where status in ('queued', 'pending', 'failed')`)
	if left < 4 {
		t.Fatalf("%d alerts are left to retry, want those that had failed at least", left)
	}
	p.press("1")
	p.await("> total")
	p.press("R")
	p.await("chatops dlq retry --all", fmt.Sprintf("change       retry %d alerts (all types)", left), "Continue? [y/N]")
	p.press("y")
	p.await(fmt.Sprintf("done: retry %d alerts (all types): requeued %d, skipped 0", left, left))
	w.await(0, `select count(*) from dead_letter_queue where status <> 'delivered'`)
	p.press("4")
	p.await(" refused ")
	p.press("Down", "Down", "Down")
	p.awaitThat("has the cursor on the client", func(screen string) bool { return strings.Contains(screen, ">   127.0.0.1 refused") })
	p.press("b")
	p.await("127.0.0.1 for 1h")
	p.press("Enter")
	p.await("block 127.0.0.1 on 1 replica for 1h", "Continue? [y/N]")
	p.press("y")
	p.await("done: block 127.0.0.1 on 1 replica for 1h", "127.0.0.1/32 blocked by tester")
	if n := s.hammers(5); n != 5 {
		t.Errorf("of 5 requests of the blocked client %d were refused", n)
	}
	p.press("Escape")
	p.await("1 queue 0 waiting, 0 failed")
	if f := p.awaitFigures(w); f.waiting() > 0 || f.failed > 0 || f.delivered < 36+4 {
		t.Errorf("at the end the figures are %+v, want all of 12 leads and 4 older alerts delivered", f)
	}
	for _, command := range []string{"chatops breaker reset slack %", "chatops dlq retry --all %", "chatops limiter block 127.0.0.1 %"} {
		if n := w.number(`select count(*) from operator_action where result like 'ok: %' and actor = 'tester' and command like ?`, command); n != 1 {
			t.Errorf("%d actions like %s are on record, want 1", n, command)
		}
	}
	p.press("q")
	p.left(0)
}

// saw reads the numbers of the end, and of the incident, from a record.
func (w *world) saw(record string) {
	w.t.Helper()
	var end, then struct {
		Level string
		Queue struct {
			ByStatus map[string]int `json:"by_status"`
		}
		Verdict string
	}
	for at, into := range map[string]any{"": &end, "0s": &then} {
		args := []string{"dashboard", "--replay", record, "--once", "-o", "json"}
		if at != "" {
			args = append(args, "--at", at)
		}
		if err := json.Unmarshal([]byte(w.must(args...).out), into); err != nil {
			w.t.Fatal(err)
		}
	}
	if n := w.number(`select count(*) from dead_letter_queue where status = 'delivered'`); end.Queue.ByStatus["delivered"] != n {
		w.t.Errorf("the record ends with %+v, want %d delivered", end, n)
	}
	if then.Level != "UNKNOWN" && then.Level != "OK" {
		w.t.Errorf("the record begins with %+v", then)
	}
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
