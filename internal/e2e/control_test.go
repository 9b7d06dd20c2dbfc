package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// obedience is how long the slowest of the replicas took to obey the newest
// order, by the database's clock: from the order's row to the heartbeat that
// follows it at once.
func (w *world) obedience(table string) time.Duration {
	w.t.Helper()
	seconds := `(julianday(max(i.heartbeat_at)) - julianday(c.created_at)) * 86400000`
	if w.engine == postgres {
		seconds = `extract(epoch from max(i.heartbeat_at) - c.created_at) * 1000`
	}
	return time.Duration(w.number(`select cast(`+seconds+` as integer) from `+table+` c, server_instance i
		where c.revision = (select revision from control_revision) group by c.created_at`)) * time.Millisecond
}

// awaitObeyed waits until n replicas have reported that they obey every order.
func (w *world) awaitObeyed(n int) {
	w.t.Helper()
	w.await(n, `select count(*) from server_instance where revision = (select revision from control_revision)`)
}

// breakerNumbers are the states as the metric shows them.
var breakerNumbers = map[string]string{"0": "closed", "1": "half_open", "2": "open", "3": "forced_open"}

// breakerStates are the states of a breaker in each replica, by its metrics.
func breakerStates(t *testing.T, replicas []*server, name string) []string {
	t.Helper()
	states := make([]string, 0, len(replicas))
	for _, s := range replicas {
		status, body := s.get("/metrics")
		if status != http.StatusOK {
			t.Fatalf("GET /metrics: %d", status)
		}
		state := "unknown"
		for line := range strings.Lines(body) {
			if value, ok := strings.CutPrefix(line, `chatops_breaker_state{integration="`+name+`"} `); ok {
				state = breakerNumbers[strings.TrimSpace(value)]
			}
		}
		states = append(states, state)
	}
	return states
}

func expectStates(t *testing.T, replicas []*server, name, want string) {
	t.Helper()
	if got := breakerStates(t, replicas, name); slices.ContainsFunc(got, func(s string) bool { return s != want }) {
		t.Errorf("the breaker of %s is %v, want %s everywhere", name, got, want)
	}
}

// chatLimit is the limit of the chat that a replica enforces.
func (s *server) chatLimit() string {
	s.t.Helper()
	a := s.mustSend(http.StatusOK, http.MethodPost, "/api/chatbot/chat", map[string]string{"message": "Dzień dobry"})
	return a.header.Get("Ratelimit-Policy")
}

// fleetOf is how many replicas the acceptance of the engine asks for.
func fleetOf(e engine) int {
	if e == postgres {
		return 4
	}
	return 2
}

func TestControl_OrdersAreObeyedByEveryReplicaWithinASecond(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.env["CHAT_RATE_LIMIT"] = "1000 per minute"
		n := fleetOf(w.engine)
		replicas := w.replicas(n)
		w.await(n, `select count(*) from server_instance`)

		var took []time.Duration
		order := func(table string, args ...string) {
			t.Helper()
			w.must(append(args, "--yes", "--reason", "test")...)
			w.awaitObeyed(n)
			took = append(took, w.obedience(table))
		}
		order("breaker_control", "breaker", "trip", "slack", "--for", "10m")
		expectStates(t, replicas, "slack", "forced_open")
		order("breaker_control", "breaker", "reset", "slack")
		expectStates(t, replicas, "slack", "closed")
		order("rate_limit_override", "limiter", "set", "chat", "2000 per minute", "--for", "30m")
		for _, s := range replicas {
			if got := s.chatLimit(); got != `"chat";q=2000;w=60` {
				t.Errorf("a replica's limit of the chat is %s", got)
			}
		}
		order("breaker_control", "breaker", "trip", "monday")
		order("breaker_control", "breaker", "auto", "monday")
		// One of them may meet a moment in which the machine does something else.
		slices.Sort(took)
		if took[len(took)/2] > time.Second {
			t.Errorf("the replicas took %v to obey, want a second at most", took)
		}
		t.Logf("%d replicas took %v to obey", n, took)
		w.must("limiter", "unset", "chat", "--yes")
		w.awaitObeyed(n)
		for _, s := range replicas {
			if got := s.chatLimit(); got != `"chat";q=1000;w=60` {
				t.Errorf("after unset a replica's limit of the chat is %s", got)
			}
		}
	})
}

// breakerStatus is what `breaker status -o json` says.
type breakerStatus struct {
	Breakers []struct {
		Name     string `json:"name"`
		State    string `json:"state"`
		Replicas []struct {
			Stale bool `json:"stale"`
		} `json:"replicas"`
	} `json:"breakers"`
}

func (w *world) breaker(t *testing.T, name string) (state string, stale, live int) {
	t.Helper()
	var got breakerStatus
	if err := json.Unmarshal([]byte(w.must("breaker", "status", "-o", "json").out), &got); err != nil {
		t.Fatal(err)
	}
	for _, b := range got.Breakers {
		if b.Name != name {
			continue
		}
		for _, r := range b.Replicas {
			if r.Stale {
				stale++
			} else {
				live++
			}
		}
		return b.State, stale, live
	}
	t.Fatalf("no breaker of %s among %+v", name, got.Breakers)
	return "", 0, 0
}

func TestControl_AKilledReplicaIsShownStaleAndOneThatEndsIsNotShown(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		replicas := w.replicas(3)
		w.await(3, `select count(*) from server_instance`)
		if _, stale, live := w.breaker(t, "slack"); stale != 0 || live != 3 {
			t.Errorf("%d stale and %d live replicas, want 3 live ones", stale, live)
		}
		replicas[0].kill()
		replicas[1].term()
		if code := replicas[1].wait(); code != 0 {
			t.Errorf("exit %d", code)
		}
		killed := time.Now()
		var stale, live int
		err := testserver.Poll(patience, func(context.Context) error {
			if _, stale, live = w.breaker(t, "slack"); stale != 1 || live != 1 {
				return errNotYet
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%d stale and %d live replicas, want one of each", stale, live)
		}
		t.Logf("shown stale after %s", time.Since(killed))
		replicas[2].kill()
		err = testserver.Poll(patience, func(context.Context) error {
			if state, stale, _ := w.breaker(t, "slack"); stale != 2 || state != "unknown" {
				return errNotYet
			}
			return nil
		})
		if err != nil {
			t.Error("a breaker that no living replica reports is not unknown")
		}
		if r := w.run("breaker", "status", "--check"); r.code != 4 {
			t.Errorf("--check without a living replica: exit %d\n%s%s", r.code, r.out, r.err)
		}
	})
}

func TestControl_AReplicaThatStartsLaterObeysATripInForce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.must("breaker", "trip", "slack", "--yes", "--reason", "maintenance")
		s := w.serve()
		w.awaitObeyed(1)
		expectStates(t, []*server{s}, "slack", "forced_open")
		w.enqueue("slack_alert", "slack:alerts", slackPayload, "behind-1")
		w.await(1, `select count(*) from dead_letter_queue where status = 'pending' and retry_count = 0`)
		if n := len(w.slack.Texts()); n != 0 {
			t.Errorf("%d messages were sent behind a tripped breaker", n)
		}
		w.must("breaker", "reset", "slack", "--yes")
		w.await(1, `select count(*) from dead_letter_queue where status = 'delivered'`)
	})
}

func TestLimits_OfSettingsAreReadAgainWithASignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	delete(w.env, "CHAT_RATE_LIMIT")
	path := w.dir + "/config.toml"
	w.writeFile(path, `chat_rate_limit = "7 per minute"`)
	s := w.serveBy(w.start("serve", "--config", path))
	s.awaitReady()
	if got := s.chatLimit(); got != `"chat";q=7;w=60` {
		t.Fatalf("limit %s", got)
	}
	w.writeFile(path, `chat_rate_limit = "many"`)
	s.hangUp()
	s.awaitLog("settings are not read again")
	w.writeFile(path, `chat_rate_limit = "9 per minute"`)
	s.hangUp()
	s.awaitLog("settings were read again")
	if got := s.chatLimit(); got != `"chat";q=9;w=60` {
		t.Errorf("limit %s after the signal", got)
	}
}

func TestLimits_OfHealthAreExactAndSharedOverRedis(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{1, 2} {
		t.Run(fmt.Sprint(replicas, " replicas"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, postgres)
			w.limited()
			w.env["TRUSTED_PROXIES"] = "127.0.0.1"
			if replicas > 1 {
				w.useRedis()
			}
			list := w.replicas(replicas)
			for round := range 20 {
				before := onRedis(t, list)
				statuses := askHealth(t, list, fmt.Sprint("203.0.113.", round))
				if redisFailures(list) != before {
					continue // on this busy machine Redis was slow, and each counted by itself
				}
				if statuses[200] != 30 || statuses[429] != 5 {
					t.Errorf("statuses %v, want 30 times 200 and 5 times 429", statuses)
				}
				return
			}
			t.Error("Redis did not answer in time in any round")
		})
	}
}

// askHealth sends 35 requests of one client to the replicas in turn.
func askHealth(t *testing.T, replicas []*server, client string) map[int]int {
	t.Helper()
	statuses := map[int]int{}
	for i := range 35 {
		a, err := replicas[i%len(replicas)].send(t.Context(), http.MethodGet, "/api/health", nil, "X-Forwarded-For", client)
		if err != nil {
			t.Fatal(err)
		}
		statuses[a.status]++
		if a.header.Get("X-Ratelimit-Limit") != "30" || a.header.Get("Ratelimit") == "" {
			t.Errorf("headers %v", a.header)
		}
		if a.status == http.StatusTooManyRequests && (a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"error"`)) {
			t.Errorf("refused with %v %s", a.header, a.body)
		}
	}
	return statuses
}

// onRedis waits until every replica decides with Redis, and returns its
// failures so far.
func onRedis(t *testing.T, replicas []*server) (failures string) {
	t.Helper()
	err := testserver.Poll(patience, func(context.Context) error {
		if failures = redisFailures(replicas); strings.Contains(failures, "redis_up 0") {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		t.Fatalf("the replicas do not come back to Redis: %v\n%s", err, failures)
	}
	return failures
}

// redisFailures are the lines of the metrics that tell how often the replicas
// had to decide without Redis, and whether they do so now.
func redisFailures(replicas []*server) string {
	var lines strings.Builder
	for _, s := range replicas {
		_, body := s.get("/metrics")
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, "chatops_ratelimit_redis_failures_total") || line == "chatops_ratelimit_redis_up 0\n" {
				lines.WriteString(line)
			}
		}
	}
	return lines.String()
}
