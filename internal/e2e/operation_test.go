package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"chatops/internal/testserver"
)

// forgetful is a receiver that has not taken what its sender did not live to
// hear about. Each replica reaches it by a path of its own.
type forgetful struct {
	*sink

	mu   sync.Mutex
	held map[string]int // requests that wait for the gate, by path
}

// ServeHTTP holds a request back while the gate is closed, and drops it when its
// sender has gone by then.
func (k *forgetful) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	k.sink.mu.Lock()
	gate := k.gate
	if k.arrived < k.free {
		gate = nil
	}
	k.sink.mu.Unlock()
	if gate != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then it is noticed that a sender goes
			return
		}
		k.hold(r.URL.Path, 1)
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		k.hold(r.URL.Path, -1)
		if r.Context().Err() != nil {
			return
		}
	}
	k.sink.ServeHTTP(rw, r)
}

func (k *forgetful) hold(path string, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held[path] += n
}

// awaitHeld waits until requests of the paths together are held back, or none.
func (k *forgetful) awaitHeld(some bool, paths ...string) {
	k.t.Helper()
	err := testserver.Poll(patience, func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		n := 0
		for _, path := range paths {
			n += k.held[path]
		}
		if (n > 0) != some {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		k.t.Fatalf("requests of %v held back: %v, want %t", paths, k.held, some)
	}
}

func startForgetful(w *world) *forgetful {
	w.t.Helper()
	k := &forgetful{sink: startSink(w.t, ""), held: map[string]int{}}
	k.server.Config.Handler = k
	return k
}

// operationOf is what the commands about operations say.
type operationOf struct {
	ID        string   `json:"id"`
	State     string   `json:"state"`
	Matched   int      `json:"matched"`
	Released  int      `json:"released"`
	Left      int      `json:"left"`
	Delivered int      `json:"delivered"`
	Failed    int      `json:"failed"`
	Waiting   int      `json:"waiting"`
	Rate      *float64 `json:"rate"`
}

func (w *world) operation(args ...string) operationOf {
	w.t.Helper()
	var got struct {
		operationOf

		Operations []operationOf `json:"operations"`
	}
	out := w.must(append(append([]string{"dlq", "operations"}, args...), "-o", "json")...).out
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	if len(got.Operations) > 0 {
		return got.Operations[0]
	}
	return got.operationOf
}

// retryCount is what `dlq retry -o json` says.
func (w *world) retryCount(args ...string) (matched, requeued int) {
	w.t.Helper()
	var got struct {
		Matched  int `json:"matched"`
		Requeued int `json:"requeued"`
	}
	out := w.must(append(append([]string{"dlq", "retry"}, args...), "-o", "json")...).out
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return got.Matched, got.Requeued
}

// carrier is the index of the replica that carries the operation.
func carrier(w *world, replicas []*server) int {
	w.t.Helper()
	at := -1
	err := testserver.Poll(patience, func(context.Context) error {
		holder := w.text(`select max(holder) from dlq_operation where pace is not null`)
		at = slices.IndexFunc(replicas, func(s *server) bool { return strings.HasSuffix(holder, ":"+strconv.Itoa(s.pid())) })
		if at < 0 {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		w.t.Fatal("no replica carries the operation")
	}
	return at
}

const (
	changedOf = `select coalesce(max(changed), 0) from dlq_operation where pace is not null`
	delivered = `select count(*) from dead_letter_queue where status = 'delivered'`
	untouched = `select count(*) from dead_letter_queue where status = 'failed' and operation_id is null`
)

// F18, F17, F5: an outage has left many failed alerts. A dry run, a canary, a
// ramp; the replica that carries it and the command line are killed; it is
// paused, a second operator wants the same alerts, it is resumed, paced anew and
// cancelled; and the rest goes out with a second command. Each alert arrives
// once.
func TestOperation_OfManyAlerts_SurvivesKillsAndObeys(t *testing.T) {
	t.Parallel()
	const rows, late = 2000, 10
	w := newWorld(t, postgres)
	k := startForgetful(w)
	var replicas []*server
	paths := []string{"/one", "/two"}
	for _, path := range paths {
		w.env["WEBHOOKS"] = "crm=" + k.server.URL + path + "#allow_private"
		replicas = append(replicas, w.serve())
	}
	w.enqueueMany(rows, "k", "failed")

	if matched, requeued := w.retryCount("--all", "--canary", "1", "--rate", "300", "--dry-run"); matched != rows || requeued != 0 {
		t.Fatalf("the dry run counts %d and requeues %d", matched, requeued)
	}
	k.closeAfter(1) // the canary
	cli := w.start("dlq", "retry", "--all", "--canary", "1", "--rate", "300", "--yes", "--now", "--reason", "CRM is back")
	k.awaitHeld(true, paths...) // the ramp has begun
	w.await(1, delivered)
	w.enqueueMany(late, "late", "failed") // is not swept in

	first := carrier(w, replicas)
	replicas[first].kill()
	cli.kill()
	k.awaitHeld(false, paths[first])
	w.leasesRunOut()
	w.exec(`update dlq_operation set lease_until = now() - interval '1 second'`)
	k.open()
	if next := carrier(w, replicas[1-first:2-first]); next != 0 {
		t.Errorf("the other replica does not go on: %d", next)
	}
	id := w.text(`select id from dlq_operation`)
	w.awaitAtLeast(60, changedOf)

	paused := w.operation("pause", id, "--yes", "--reason", "a break")
	if paused.State != "paused" {
		t.Errorf("after the pause it is %s", paused.State)
	}
	if _, requeued := w.retryCount("--all", "--status", "failed", "--yes"); requeued != late {
		t.Errorf("a second operator was given %d, want the %d that are in no operation", requeued, late)
	}
	if n := w.number(changedOf); n != paused.Released {
		t.Errorf("released %d, then %d while it was paused", paused.Released, n)
	}
	w.operation("rate", id, "1000", "--yes")
	if got := w.operation("resume", id, "--yes"); got.State != "running" || *got.Rate != 1000 {
		t.Errorf("after the resume it is %s at %v", got.State, got.Rate)
	}
	w.awaitAtLeast(400, changedOf)
	cancelled := w.operation("cancel", id, "--yes", "--reason", "enough")
	if cancelled.Left == 0 || cancelled.Released+cancelled.Left != rows {
		t.Errorf("cancelled with %d released and %d left of %d", cancelled.Released, cancelled.Left, rows)
	}
	if n := w.number(untouched); n != cancelled.Left {
		t.Errorf("%d are as they were, want %d", n, cancelled.Left)
	}
	w.must("dlq", "retry", "--all", "--yes", "--now")
	w.await(rows+late, delivered)
	keys, twice, total := k.counts()
	if keys != rows+late || twice != 0 || total != rows+late {
		t.Errorf("the receiver took %d requests for %d keys, %d keys more than once; want %d, each once", total, keys, twice, rows+late)
	}
	if n := w.number(`select count(*) from operator_action where actor = 'tester' and command like '%operations%' and result like 'ok:%'`); n != 4 {
		t.Errorf("%d actions on the operation are on record, want 4", n)
	}
}

// awaitAtLeast waits until a query gives a number or more.
func (w *world) awaitAtLeast(want int, query string) {
	w.t.Helper()
	w.await(1, `select case when (`+query+`) >= ? then 1 else 0 end`, want)
}
