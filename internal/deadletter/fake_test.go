package deadletter

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// fakeQueue is a queue in memory that keeps to the words of chatops.Queue.
type fakeQueue struct {
	mu       sync.Mutex
	rows     map[int64]*fakeRow
	keys     map[string]bool
	leases   map[int64]*fakeLease
	paused   map[string]time.Time
	attempts []chatops.Attempt
	claims   []chatops.ClaimRequest // that gave something
	asked    int                    // claims in all
	records  []chatops.Record       // that were stored
	lanes    int                    // looks at the lanes
	sweeps   int
	lastID   int64
	lastLse  int64
	marks    map[string]chatops.CauseMark // what operators said
	remarks  []time.Duration              // the ages of which they were cleaned up
	wakes    map[int]func()

	// fault is asked before each call; an error is returned instead.
	faultFunc func(call string) error
	// changed is sent to after every stored record.
	changed chan struct{}
}

type fakeRow struct {
	chatops.Alert

	lease int64
}

type fakeLease struct {
	req   chatops.ClaimRequest
	until time.Time
}

var _ chatops.Queue = (*fakeQueue)(nil)

func newFakeQueue() *fakeQueue {
	return &fakeQueue{
		rows: map[int64]*fakeRow{}, keys: map[string]bool{}, leases: map[int64]*fakeLease{},
		paused: map[string]time.Time{}, wakes: map[int]func(){}, changed: make(chan struct{}, 1),
	}
}

func (q *fakeQueue) fault(call string) error {
	q.mu.Lock()
	f := q.faultFunc
	q.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(call)
}

func (q *fakeQueue) setFault(f func(call string) error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faultFunc = f
}

// add queues alerts of a target and returns their ids.
func (q *fakeQueue) add(n int, eventType, target string) []int64 {
	var ids []int64
	for range n {
		q.mu.Lock()
		ids = append(ids, q.insert(chatops.NewAlert{EventType: eventType, Target: target, Payload: json.RawMessage(`{}`)}))
		q.mu.Unlock()
	}
	return ids
}

// addPending stores an alert that waits for a retry.
func (q *fakeQueue) addPending(n int, target string, retries int) []int64 {
	ids := q.add(n, "test", target)
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		q.rows[id].Status, q.rows[id].RetryCount = chatops.AlertPending, retries
	}
	return ids
}

func (q *fakeQueue) insert(a chatops.NewAlert) int64 {
	q.lastID++
	now := time.Now()
	q.rows[q.lastID] = &fakeRow{Alert: chatops.Alert{
		ID: q.lastID, EventType: a.EventType, Target: a.Target, Payload: a.Payload, Status: chatops.AlertQueued,
		IdempotencyKey: a.IdempotencyKey, CreatedAt: now, NextAttemptAt: now.Add(a.Delay),
	}}
	return q.lastID
}

func (q *fakeQueue) enqueue(alerts []chatops.NewAlert) int {
	n := 0
	for _, a := range alerts {
		if a.IdempotencyKey != "" && q.keys[a.IdempotencyKey] {
			continue
		}
		q.keys[a.IdempotencyKey] = true
		q.insert(a)
		n++
	}
	return n
}

func waiting(s chatops.AlertStatus) bool {
	return s == chatops.AlertQueued || s == chatops.AlertPending
}

func (q *fakeQueue) blockedFor(lane string) time.Duration {
	d := time.Until(q.paused[lane])
	for _, l := range q.leases {
		if l.req.Lane == lane && l.req.Exclusive {
			d = max(d, time.Until(l.until))
		}
	}
	return d
}

func (q *fakeQueue) Lanes(context.Context) ([]chatops.LaneState, error) {
	if err := q.fault("lanes"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes++
	type key struct {
		lane  string
		fresh bool
	}
	earliest := map[key]time.Time{}
	for _, r := range q.rows {
		k := key{r.Lane(), r.Status == chatops.AlertQueued}
		if !waiting(r.Status) || r.lease != 0 {
			continue
		}
		if t, ok := earliest[k]; !ok || r.NextAttemptAt.Before(t) {
			earliest[k] = r.NextAttemptAt
		}
	}
	var out []chatops.LaneState
	for k, t := range earliest {
		out = append(out, chatops.LaneState{Lane: k.lane, Fresh: k.fresh, DueIn: time.Until(t), BlockedFor: q.blockedFor(k.lane)})
	}
	return out, nil
}

func (q *fakeQueue) Claim(_ context.Context, req chatops.ClaimRequest) (*chatops.Batch, error) {
	if err := q.fault("claim"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.claim(req), nil
}

func (q *fakeQueue) claim(req chatops.ClaimRequest) *chatops.Batch {
	q.asked++
	b := &chatops.Batch{Request: req}
	if q.blockedFor(req.Lane) > 0 {
		return b
	}
	if req.Exclusive {
		for _, l := range q.leases {
			if l.req.Lane == req.Lane && l.until.After(time.Now()) {
				return b
			}
		}
	}
	var due []*fakeRow
	for _, r := range q.rows {
		if r.Lane() == req.Lane && r.lease == 0 && waiting(r.Status) &&
			(r.Status == chatops.AlertQueued) == req.Fresh && !r.NextAttemptAt.After(time.Now()) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *fakeRow) int {
		return cmp.Or(a.NextAttemptAt.Compare(b.NextAttemptAt), cmp.Compare(a.ID, b.ID))
	})
	due = due[:min(len(due), req.Limit)]
	if len(due) == 0 {
		return b
	}
	q.lastLse++
	b.LeaseID = q.lastLse
	q.leases[b.LeaseID] = &fakeLease{req: req, until: time.Now().Add(req.Lease)}
	for _, r := range due {
		r.lease = b.LeaseID
		b.Alerts = append(b.Alerts, r.Alert)
	}
	q.claims = append(q.claims, req)
	return b
}

func (q *fakeQueue) Record(_ context.Context, rec chatops.Record) (*chatops.Batch, error) {
	if err := q.fault("record"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	lease := q.leases[rec.Batch.LeaseID]
	if lease == nil {
		return nil, chatops.Errorf(chatops.CodeConflict, "record outcomes: the lease is gone")
	}
	now := time.Now()
	for _, o := range rec.Outcomes {
		q.apply(o, rec.Batch.LeaseID, now)
	}
	lease.until = now.Add(lease.req.Lease)
	if rec.Done {
		q.free(rec.Batch.LeaseID)
	}
	if rec.PauseLane > 0 {
		q.paused[lease.req.Lane] = now.Add(rec.PauseLane)
	}
	q.enqueue(rec.Enqueue)
	q.records = append(q.records, rec)
	select {
	case q.changed <- struct{}{}:
	default:
	}
	if rec.Done && rec.Next != nil {
		return q.claim(*rec.Next), nil
	}
	return nil, nil //nolint:nilnil // as the port has it
}

func (q *fakeQueue) apply(o chatops.Outcome, lease int64, now time.Time) {
	r := q.rows[o.AlertID]
	if r == nil || r.lease != lease {
		return
	}
	r.lease = 0
	if o.Error != "" {
		r.ErrorMessage = o.Error
	}
	if o.Fingerprint != "" {
		r.Fingerprint = o.Fingerprint
	}
	if o.Attempt != nil {
		q.attempts = append(q.attempts, *o.Attempt)
		r.LastAttemptAt = o.Attempt.StartedAt
	}
	r.NextAttemptAt = now.Add(o.Delay)
	retried := r.Status == chatops.AlertPending
	switch o.Kind {
	case chatops.OutcomeDelivered:
		r.Status, r.DeliveredAt = chatops.AlertDelivered, now
	case chatops.OutcomeRetry, chatops.OutcomeFailed:
		r.Status = chatops.AlertPending
		if retried {
			r.RetryCount++
		}
		if o.Kind == chatops.OutcomeFailed {
			r.Status = chatops.AlertFailed
		}
	case chatops.OutcomeParked:
		r.Status = chatops.AlertPending
	case chatops.OutcomeCancelled:
		r.Status = chatops.AlertCancelled
	case chatops.OutcomeHeld:
	}
}

func (q *fakeQueue) free(lease int64) int {
	n := 0
	delete(q.leases, lease)
	for _, r := range q.rows {
		if r.lease == lease {
			r.lease = 0
			n++
		}
	}
	return n
}

func (q *fakeQueue) Sweep(context.Context) (int, error) {
	if err := q.fault("sweep"); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sweeps++
	n := 0
	for id, l := range q.leases {
		if l.until.Before(time.Now()) {
			n += q.free(id)
		}
	}
	return n, nil
}

func (q *fakeQueue) Enqueue(_ context.Context, alerts []chatops.NewAlert) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.enqueue(alerts), nil
}

func (q *fakeQueue) CleanupRemarks(_ context.Context, age time.Duration) (int, error) {
	if err := q.fault("remarks"); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remarks = append(q.remarks, age)
	return 2, nil
}

func (q *fakeQueue) Cleanup(_ context.Context, age time.Duration, limit int) (int, error) {
	if err := q.fault("cleanup"); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for id, r := range q.rows {
		final := r.Status == chatops.AlertDelivered || r.Status == chatops.AlertDiscarded || r.Status == chatops.AlertCancelled
		if final && n < limit && time.Since(r.CreatedAt) > age {
			delete(q.rows, id)
			n++
		}
	}
	return n, nil
}

func (q *fakeQueue) CauseState(_ context.Context, fp string) (*chatops.CauseState, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &chatops.CauseState{CauseMark: q.marks[fp], Now: time.Now()}
	for _, r := range q.rows {
		if r.Status == chatops.AlertFailed && r.Fingerprint == fp {
			s.Size++
		}
	}
	return s, nil
}

func (q *fakeQueue) FailureDigest(_ context.Context, fp string) (*chatops.FailureDigest, error) {
	if err := q.fault("digest"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	d := &chatops.FailureDigest{Fingerprint: fp}
	for _, r := range q.rows {
		if r.Status != chatops.AlertFailed || r.Fingerprint != fp {
			continue
		}
		d.Failed++
		d.EventType, d.Target, d.Sample = r.EventType, r.Target, r.ErrorMessage
		if d.First.IsZero() || r.CreatedAt.Before(d.First) {
			d.First = r.CreatedAt
		}
		if r.CreatedAt.After(d.Last) {
			d.Last = r.CreatedAt
		}
	}
	return d, nil
}

func (q *fakeQueue) Watch(ctx context.Context, wake func()) error {
	if err := q.fault("watch"); err != nil {
		return err
	}
	q.mu.Lock()
	id := len(q.wakes)
	q.wakes[id] = wake
	q.mu.Unlock()
	<-ctx.Done()
	q.mu.Lock()
	delete(q.wakes, id)
	q.mu.Unlock()
	return nil
}

func (q *fakeQueue) Announce(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.wakes {
		w()
	}
	return nil
}

// row returns a copy of an alert.
func (q *fakeQueue) row(id int64) chatops.Alert {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.rows[id].Alert
}

// count returns how many alerts have a status.
func (q *fakeQueue) count(s chatops.AlertStatus) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, r := range q.rows {
		if r.Status == s {
			n++
		}
	}
	return n
}

// find returns the alerts of an event type.
func (q *fakeQueue) find(eventType string) []chatops.Alert {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []chatops.Alert
	for _, r := range q.rows {
		if r.EventType == eventType {
			out = append(out, r.Alert)
		}
	}
	return out
}

func (q *fakeQueue) madeAttempts() []chatops.Attempt {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.attempts)
}

func (q *fakeQueue) stored() []chatops.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.records)
}

func (q *fakeQueue) liveLeases() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.leases)
}

// claimed returns the claims that gave something.
func (q *fakeQueue) claimed() []chatops.ClaimRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.claims)
}

// claimCalls returns how often alerts were asked for.
func (q *fakeQueue) claimCalls() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked
}
