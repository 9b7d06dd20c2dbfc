package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"chatops/internal/pgtest"
	"chatops/internal/redistest"
	"chatops/internal/sendertest"
	"chatops/internal/testserver"
)

// A request that was completed is answered again by any replica, even while the
// database is away; a key that is used for something else never is.
func TestCache_ARepeatedRequestNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{Durable: true})
	w := bareWorld(t, postgres)
	w.useDatabase(pg.Database("chat"))
	w.useReceivers()
	w.env["REDIS_URL"] = redistest.New(t)
	w.must("migrate", "up")
	pair := w.replicas(2)
	const path = "/api/chatbot/chat"
	var body map[string]string
	var first *answer
	pair[1].awaitFound("reply", "memory", func(try int) { // it got there from Redis
		body = map[string]string{"session_id": fmt.Sprint("visit-", try), "message": "Jan Kowalski, jan@przyklad.pl, 60 m2 w Krakowie"}
		first = pair[0].mustSend(http.StatusOK, http.MethodPost, path, body, "Idempotency-Key", "k1")
		for range 2 {
			pair[1].mustSend(http.StatusOK, http.MethodPost, path, body, "Idempotency-Key", "k1")
		}
	})
	other := map[string]string{"session_id": body["session_id"], "message": "coś innego"}
	pg.Stop(pgtest.Immediate)
	for i, s := range pair {
		again := s.mustSend(http.StatusOK, http.MethodPost, path, body, "Idempotency-Key", "k1")
		if again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("replica %d repeats\n%s\nwant\n%s", i, again.body, first.body)
		}
		s.mustSend(http.StatusServiceUnavailable, http.MethodPost, path, other, "Idempotency-Key", "k1")
	}
	pg.Start()
	for _, s := range pair {
		s.awaitReady()
		s.mustSend(http.StatusUnprocessableEntity, http.MethodPost, path, other, "Idempotency-Key", "k1")
	}
	expectSealed(t, w.env["REDIS_URL"], "jan@przyklad.pl", "Kowalski", "visit-")
}

// awaitFound repeats what two replicas do together until this one has found
// something there: on a busy machine one of them may take Redis for down.
func (s *server) awaitFound(space, result string, do func(try int)) {
	s.t.Helper()
	nothing := fmt.Sprintf(`chatops_cache_requests_total{result=%q,space=%q} 0`, result, space)
	try := 0
	err := testserver.Poll(patience, func(context.Context) error {
		try++
		do(try)
		if _, metrics := s.get("/metrics"); strings.Contains(metrics, nothing) {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("nothing was found in %s after %d tries: %v", result, try, err)
	}
}

// expectSealed looks for words in everything that Redis holds.
func expectSealed(t *testing.T, url string, words ...string) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer func() { _ = c.Close() }()
	keys, err := c.Keys(t.Context(), "*cache*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	for _, key := range keys {
		value, err := c.Get(t.Context(), key).Result()
		if err != nil {
			t.Errorf("read %s: %v", key, err)
		}
		for _, word := range words {
			if strings.Contains(key+value, word) {
				t.Errorf("Redis holds %q under %s", word, key)
			}
		}
	}
}

// Two visitors who ask the same on two replicas cost one call of the model.
func TestCache_TheLanguageModelIsAskedOnceForAllReplicas(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		m := w.useLLM()
		const worded = "Gwarancja jest u nas standardem i chętnie o niej opowiemy."
		m.Set(sendertest.LLMStream(worded))
		w.env["REDIS_URL"] = redistest.New(t)
		pair := w.replicas(2)
		asked := 0
		pair[1].awaitFound("answer", "redis", func(try int) {
			before := len(m.Prompts())
			for i, s := range pair {
				r := s.mustSay(fmt.Sprint("visit-", i, "-", try), fmt.Sprint("Czy dajecie gwarancję? To pytanie nr ", try))
				if !strings.Contains(r.Response, worded) {
					t.Errorf("replica %d answers %q", i, r.Response)
				}
			}
			asked = len(m.Prompts()) - before
		})
		if asked != 1 {
			t.Errorf("the model was asked %d times, want once", asked)
		}
		pair[0].mustSay("visit", "A jak długo trwa remont?")
		before := len(m.Prompts())
		pair[0].mustSay("other", "A jak długo trwa remont?")
		if n := len(m.Prompts()) - before; n != 0 {
			t.Errorf("the same replica asked %d times for what it had just been told", n)
		}
		expectSealed(t, w.env["REDIS_URL"], "pytanie", "visit")
	})
}

func TestCache_IsCleanedUpAsOftenAsConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	w.env["CACHE_CLEANUP_MINUTES"] = "0.01"
	s := w.serve()
	if line := s.awaitLog(`"msg":"cache cleanup"`); !strings.Contains(line, `"removed":0`) {
		t.Errorf("logged %s", line)
	}
	// Health tells of jobs as of its last look at them, a second ago at most.
	var health string
	if err := testserver.Poll(patience, func(context.Context) error {
		if _, health = s.get("/api/health/deep"); !strings.Contains(health, `"name":"cache_cleanup"`) || !strings.Contains(health, "ok: 0 entries removed") {
			return errNotYet
		}
		return nil
	}); err != nil {
		t.Errorf("deep health does not tell of it: %s", health)
	}
	if _, body := s.get("/metrics"); !strings.Contains(body, "chatops_cache_entries 0") {
		t.Error("/metrics has nothing of the cache")
	}
}
