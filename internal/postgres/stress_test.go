package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// The stress test plays a busy day in a few seconds: producers whose commits
// come late, workers that crash, stall past their lease, record in parts and
// meet failures, and sweeps in between.
const (
	stressProducers = 8
	stressWorkers   = 8
	stressEach      = 120 // alerts per producer
	stressLease     = 150 * time.Millisecond
)

type stress struct {
	t     *testing.T
	url   string
	lanes []string
	total int

	mu        sync.Mutex
	delivered map[int64]int // by completions that were not rejected
	rejected  int
	crashed   int
}

func TestQueue_UnderCrashesStallsAndLateCommits_DeliversEachAlertOnce(t *testing.T) {
	t.Parallel()
	r := &stress{
		t: t, url: migrated(t), lanes: []string{"slack:alerts", "webhook:crm"},
		total: stressProducers * stressEach, delivered: map[int64]int{},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i := range stressProducers {
		wg.Go(func() { r.produce(ctx, i) })
	}
	done, finish := context.WithCancel(ctx)
	defer finish()
	for i := range stressWorkers {
		wg.Go(func() { r.work(done, finish, i) })
	}
	wg.Go(func() { r.sweep(done) })
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatalf("%d of %d alerts delivered in two minutes", len(r.delivered), r.total)
	}
	r.check()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// produce queues alerts, half of them in transactions that stay open a while.
func (r *stress) produce(ctx context.Context, n int) {
	s := open(r.t, r.url, postgres.Options{MaxConns: 2})
	pool, err := pgxpool.New(ctx, r.url)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer pool.Close()
	for i := range stressEach {
		lane := r.lanes[i%2]
		if i%2 == 0 {
			a := chatops.NewAlert{EventType: "x", Target: lane, Payload: []byte(`{}`), IdempotencyKey: fmt.Sprintf("%d:%d", n, i)}
			if _, err := s.Enqueue(ctx, []chatops.NewAlert{a}); err != nil {
				r.t.Error(err)
				return
			}
			continue
		}
		tx, err := pool.Begin(ctx)
		if err != nil {
			r.t.Error(err)
			return
		}
		_, err = tx.Exec(ctx, `insert into dead_letter_queue (event_type, target, payload, status)
			values ('x', $1, '{}', $2)`, lane, []string{"queued", "pending"}[rand.IntN(2)])
		pause(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
		if commit := tx.Commit(ctx); err != nil || commit != nil {
			r.t.Error(err, commit)
			return
		}
	}
}

func (r *stress) work(ctx context.Context, finish func(), n int) {
	s := open(r.t, r.url, postgres.Options{MaxConns: 2})
	for ctx.Err() == nil {
		req := chatops.ClaimRequest{
			Lane: r.lanes[rand.IntN(2)], Fresh: rand.IntN(2) == 0, Limit: 1 + rand.IntN(20),
			Owner: fmt.Sprint("worker-", n), Lease: stressLease,
		}
		batch, err := s.Claim(ctx, req)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.t.Error(err)
			return
		}
		for batch != nil && batch.LeaseID != 0 {
			batch = r.handle(ctx, s, batch)
		}
		r.mu.Lock()
		if len(r.delivered) == r.total {
			finish()
		}
		r.mu.Unlock()
		if batch == nil || batch.LeaseID == 0 {
			pause(ctx, time.Duration(rand.IntN(4))*time.Millisecond)
		}
	}
}

// handle works on a batch and returns the next one.
func (r *stress) handle(ctx context.Context, s *postgres.Store, batch *chatops.Batch) *chatops.Batch {
	switch rand.IntN(20) {
	case 0: // a crash
		r.mu.Lock()
		r.crashed++
		r.mu.Unlock()
		return nil
	case 1: // a stall that outlasts the lease
		pause(ctx, stressLease+100*time.Millisecond)
	}
	if len(batch.Alerts) > 3 && rand.IntN(3) == 0 {
		half := *batch
		half.Alerts = batch.Alerts[:len(batch.Alerts)/2]
		if _, ok := r.record(ctx, s, chatops.Record{Batch: &half, Outcomes: r.outcomes(half.Alerts)}); !ok {
			return nil
		}
		rest := *batch
		rest.Alerts = batch.Alerts[len(half.Alerts):]
		batch = &rest
	}
	outcomes := r.outcomes(batch.Alerts)
	if rand.IntN(10) == 0 && len(outcomes) > 1 {
		outcomes = outcomes[:len(outcomes)-1] // the last one is given back
	}
	next := batch.Request
	got, _ := r.record(ctx, s, chatops.Record{Batch: batch, Outcomes: outcomes, Done: true, Next: &next})
	return got
}

func (r *stress) outcomes(alerts []chatops.Alert) []chatops.Outcome {
	list := make([]chatops.Outcome, 0, len(alerts))
	for _, a := range alerts {
		o := chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeDelivered, Attempt: &chatops.Attempt{Outcome: "delivered"}}
		if rand.IntN(5) == 0 {
			o.Kind, o.Attempt.Outcome = chatops.OutcomeRetry, "transient"
			o.Delay = time.Duration(rand.IntN(5)) * time.Millisecond
		}
		list = append(list, o)
	}
	return list
}

func (r *stress) record(ctx context.Context, s *postgres.Store, rec chatops.Record) (*chatops.Batch, bool) {
	next, err := s.Record(ctx, rec)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case chatops.ErrorCode(err) == chatops.CodeConflict:
		r.rejected++
		return nil, false
	case err != nil:
		if ctx.Err() == nil {
			r.t.Error(err)
		}
		return nil, false
	}
	for _, o := range rec.Outcomes {
		if o.Kind == chatops.OutcomeDelivered {
			r.delivered[o.AlertID]++
		}
	}
	return next, true
}

func (r *stress) sweep(ctx context.Context) {
	s := open(r.t, r.url, postgres.Options{MaxConns: 2})
	for ctx.Err() == nil {
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			r.t.Error(err)
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}

func (r *stress) check() {
	twice := 0
	for _, n := range r.delivered {
		if n > 1 {
			twice++
		}
	}
	r.t.Logf("%d delivered, %d batches crashed, %d records rejected", len(r.delivered), r.crashed, r.rejected)
	if twice > 0 || len(r.delivered) != r.total {
		r.t.Errorf("%d of %d alerts delivered, %d of them more than once", len(r.delivered), r.total, twice)
	}
	if r.crashed == 0 || r.rejected == 0 {
		r.t.Errorf("%d crashes and %d rejections: the test was too gentle", r.crashed, r.rejected)
	}
	var left, attempts int
	db := handle(r.t, r.url)
	if err := db.QueryRow(`select count(*) filter (where status <> 'delivered'),
		(select count(*) from delivery_attempt where outcome = 'delivered') from dead_letter_queue`).Scan(&left, &attempts); err != nil {
		r.t.Fatal(err)
	}
	if left != 0 || attempts != r.total {
		r.t.Errorf("%d alerts left, %d delivered attempts stored", left, attempts)
	}
}
