package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	delivered = `select count(*) from dead_letter_queue where status = 'delivered' and target = 'webhook:crm'`
	untouched = `select count(*) from dead_letter_queue where status = 'failed' and operation_id is null`
)

// scale is how large the outage is: E2E_OPERATION_ROWS=1000000 makes it what it
// may be in earnest, with four replicas, which takes many minutes.
type scale struct {
	rows, replicas, kills int
	rate                  string
	anew                  int // the rate after the pause
	early, later          int // how much is released before the pause, and before the end
}

func operationScale(t *testing.T) scale {
	t.Helper()
	text := os.Getenv("E2E_OPERATION_ROWS")
	if text == "" {
		return scale{rows: 2000, replicas: 2, kills: 1, rate: "300", anew: 150, early: 60, later: 400}
	}
	rows, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return scale{rows: rows, replicas: 4, kills: 2, rate: "5000", anew: 10_000, early: rows / 20, later: rows / 5}
}

// flood is a fleet, its receiver and what is left of them.
type flood struct {
	*world

	receiver *forgetful
	alive    []*server
	paths    []string // of the replicas that live
}

func startFlood(w *world, replicas int) *flood {
	o := &flood{world: w, receiver: startForgetful(w)}
	for i := range replicas {
		path := "/" + strconv.Itoa(i)
		w.env["WEBHOOKS"] = "crm=" + o.receiver.server.URL + path + "#allow_private"
		o.alive, o.paths = append(o.alive, w.serve()), append(o.paths, path)
	}
	return o
}

// killCarrier kills the replica that carries the operation while the receiver
// holds its requests back, with nothing that was answered and not recorded.
func (o *flood) killCarrier() {
	o.t.Helper()
	o.receiver.close()
	o.receiver.awaitHeld(true, o.paths...)
	err := testserver.Poll(patience, func(ctx context.Context) error {
		keys, _, _ := o.receiver.counts()
		if n, err := o.tryNumber(ctx, delivered); err != nil || n != keys {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		o.t.Fatal("what the receiver has taken is not on record")
	}
	at := carrier(o.world, o.alive)
	o.alive[at].kill()
	o.receiver.awaitHeld(false, o.paths[at])
	o.alive, o.paths = slices.Delete(o.alive, at, at+1), slices.Delete(o.paths, at, at+1)
	o.leasesRunOut()
	o.exec(`update dlq_operation set lease_until = now() - interval '1 second' where lease_until is not null`)
	o.receiver.open()
	if carrier(o.world, o.alive) < 0 {
		o.t.Error("no other replica goes on")
	}
}

// F18, F17, F5: an outage has left many failed alerts. A dry run, a canary, a
// ramp; the replica that carries it and the command line are killed; it is
// paused, a second operator wants the same alerts, it is resumed, paced anew and
// cancelled; and the rest goes out with a second command. Each alert arrives
// once.
func TestOperation_OfManyAlerts_SurvivesKillsAndObeys(t *testing.T) {
	t.Parallel()
	const late = 10
	size := operationScale(t)
	w := newWorld(t, postgres)
	o := startFlood(w, size.replicas)
	k := o.receiver
	w.enqueueMany(size.rows, "k", "failed")
	w.exec(`analyze dead_letter_queue`)

	begin := time.Now()
	told := func(what string) { t.Logf("%8v  %s", time.Since(begin).Round(time.Millisecond), what) }
	if matched, requeued := w.retryCount("--all", "--canary", "1", "--rate", size.rate, "--dry-run"); matched != size.rows || requeued != 0 {
		t.Fatalf("the dry run counts %d and requeues %d", matched, requeued)
	}
	told("dry run")
	k.closeAfter(1) // the canary
	cli := w.start("dlq", "retry", "--all", "--canary", "1", "--rate", size.rate, "--yes", "--now", "--reason", "CRM is back")
	k.awaitHeld(true, o.paths...) // the ramp has begun
	w.await(1, delivered)
	w.enqueueMany(late, "late", "failed") // is not swept in
	told("canary")
	o.killCarrier()
	cli.kill()
	told("replica and command line killed")
	for i := 1; i < size.kills; i++ {
		w.awaitAtLeast(1000*i, changedOf)
		o.killCarrier()
		told("another replica killed")
	}
	id := w.text(`select id from dlq_operation`)
	w.awaitAtLeast(size.early, changedOf)

	paused := w.operation("pause", id, "--yes", "--reason", "a break")
	if paused.State != "paused" {
		t.Errorf("after the pause it is %s", paused.State)
	}
	told("paused at " + strconv.Itoa(paused.Released))
	if _, requeued := w.retryCount("--all", "--status", "failed", "--yes"); requeued != late {
		t.Errorf("a second operator was given %d, want the %d that are in no operation", requeued, late)
	}
	if n := w.number(changedOf); n != paused.Released {
		t.Errorf("released %d, then %d while it was paused", paused.Released, n)
	}
	w.operation("rate", id, strconv.Itoa(size.anew), "--yes")
	if got := w.operation("resume", id, "--yes"); got.State != "running" || *got.Rate != float64(size.anew) {
		t.Errorf("after the resume it is %s at %v", got.State, got.Rate)
	}
	w.awaitAtLeast(size.later, changedOf)
	cancelled := w.operation("cancel", id, "--yes", "--reason", "enough")
	if cancelled.Left == 0 || cancelled.Released+cancelled.Left != size.rows {
		t.Errorf("cancelled with %d released and %d left of %d", cancelled.Released, cancelled.Left, size.rows)
	}
	if n := w.number(untouched); n != cancelled.Left {
		t.Errorf("%d are as they were, want %d", n, cancelled.Left)
	}
	told("cancelled at " + strconv.Itoa(cancelled.Released))
	long := 2*patience + time.Duration(size.rows)*3*time.Millisecond
	if rest := w.start("dlq", "retry", "--all", "--yes"); rest.waitFor(long) != 0 {
		t.Errorf("the rest is not requeued: %s", rest.err.String())
	}
	told("the rest requeued at once")
	w.awaitFor(long, size.rows+late, delivered)
	told("all delivered")
	keys, twice, total := k.counts()
	if keys != size.rows+late || twice != 0 || total != size.rows+late {
		t.Errorf("the receiver took %d requests for %d keys, %d keys more than once; want %d, each once", total, keys, twice, size.rows+late)
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
