package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// The statements of a record. The first is the fence: it takes the lease's row,
// or ends the transaction when the lease is gone.
const (
	lost = `'the batch is no longer leased to this owner'`

	// keepLease extends the lease and takes the recorded alerts out of it.
	keepLease = `
with kept as (
  update dlq_lease set until = ` + dbNow + ` + $3::bigint * interval '1 microsecond',
    ids = array(select i from unnest(ids) i where i <> all ($4::bigint[]))
  where id = $2::bigint returning 1)
select chatops_require(count(*) = 1, ` + lost + `) from kept`

	// endLease gives up a batch whose alerts all have outcomes.
	endLease = `
with ended as (delete from dlq_lease where id = $1::bigint returning 1)
select chatops_require(count(*) = 1, ` + lost + `) from ended`

	// freeLease gives up a batch and makes what is left of it claimable.
	freeLease = `
with ended as (delete from dlq_lease where id = $2::bigint returning ids),
freed as (
  update dead_letter_queue d set next_attempt_at = ` + dbNow + ` from ended
  where d.id = any (ended.ids) and d.id <> all ($3::bigint[]) and d.status in ('queued', 'pending'))
select chatops_require(count(*) = 1, ` + lost + `) from ended`

	markDelivered = `
update dead_letter_queue set status = 'delivered', delivered_at = ` + dbNow + `, last_attempt_at = ` + dbNow + `
where id = any ($2::bigint[]) and status in ('queued', 'pending')`

	markOthers = `
update dead_letter_queue d set
  status = case o.kind when 'failed' then 'failed' when 'cancelled' then 'cancelled' when 'held' then d.status else 'pending' end,
  retry_count = d.retry_count + case when o.kind in ('retry', 'failed') and d.status = 'pending' then 1 else 0 end,
  next_attempt_at = case when o.kind in ('failed', 'cancelled') then d.next_attempt_at else ` + dbNow + ` + o.delay * interval '1 microsecond' end,
  last_attempt_at = case when o.attempted then ` + dbNow + ` else d.last_attempt_at end,
  error_message = coalesce(nullif(o.error, ''), d.error_message),
  fingerprint = coalesce(nullif(o.fingerprint, ''), d.fingerprint)
from unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[])
  o (id, kind, delay, error, fingerprint, attempted)
where d.id = o.id and d.status in ('queued', 'pending')`

	insertAttempts = `
insert into delivery_attempt (alert_id, started_at, duration_ms, outcome, http_status, error, replica)
select a.alert_id, a.started_at, a.duration_ms, a.outcome, a.http_status, nullif(a.error, ''), nullif(a.replica, '')
from unnest($1::bigint[], $2::timestamptz[], $3::float8[], $4::text[], $5::integer[], $6::text[], $7::text[])
  a (alert_id, started_at, duration_ms, outcome, http_status, error, replica)`

	pauseLane = `
with k as (select lane, status from dlq_lane where lane = $2::text order by status for update)
update dlq_lane l set paused_until = greatest(l.paused_until, ` + dbNow + ` + $3::bigint * interval '1 microsecond')
from k where l.lane = k.lane and l.status = k.status`
)

// Record stores outcomes and, with rec.Next, claims again, in one transaction
// and one round trip.
func (s *Store) Record(ctx context.Context, rec chatops.Record) (*chatops.Batch, error) {
	if err := checkRecord(&rec); err != nil {
		return nil, err
	}
	cause, err := newAlertColumns(rec.Enqueue)
	if err != nil {
		return nil, err
	}
	o := newOutcomeColumns(rec.Outcomes)
	now := s.now()
	var next *chatops.Batch
	err = s.batch(ctx, func(b *pgx.Batch) {
		queueFence(b, now, &rec, o)
		o.queue(b, now)
		if rec.PauseLane > 0 {
			b.Queue(pauseLane, now, rec.Batch.Request.Lane, rec.PauseLane.Microseconds())
		}
		queueReceipts(b, now, &rec)
		if len(rec.Enqueue) > 0 {
			queueAlerts(b, now, cause)
		}
		if rec.Next != nil && rec.Done {
			next = queueClaim(b, now, *rec.Next)
		}
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

// checkRecord refuses outcomes of alerts that are not in the batch: its lease
// does not protect them.
func checkRecord(rec *chatops.Record) error {
	if rec.Batch == nil || rec.Batch.LeaseID == 0 {
		return chatops.Errorf(chatops.CodeConflict, "an empty batch has no lease")
	}
	held := make(map[int64]bool, len(rec.Batch.Alerts))
	for i := range rec.Batch.Alerts {
		held[rec.Batch.Alerts[i].ID] = true
	}
	for i := range rec.Outcomes {
		if id := rec.Outcomes[i].AlertID; !held[id] {
			return chatops.Errorf(chatops.CodeInvalid, "outcome of alert %d, which is not in the batch or has one already", id)
		}
		delete(held, rec.Outcomes[i].AlertID)
	}
	return nil
}

func queueFence(b *pgx.Batch, now *time.Time, rec *chatops.Record, o *outcomeColumns) {
	lease := rec.Batch.LeaseID
	switch {
	case !rec.Done:
		b.Queue(keepLease, now, lease, rec.Batch.Request.Lease.Microseconds(), o.all)
	case len(rec.Outcomes) == len(rec.Batch.Alerts):
		b.Queue(endLease, lease)
	default:
		b.Queue(freeLease, now, lease, o.all)
	}
}

// outcomeColumns are outcomes as the arrays that unnest takes, in order of id
// so that rows are always locked in the same order.
type outcomeColumns struct {
	all, delivered []int64

	id                       []int64
	kind, error, fingerprint []string
	delay                    []int64 // microseconds
	attempted                []bool

	attempts attemptColumns
}

func newOutcomeColumns(outcomes []chatops.Outcome) *outcomeColumns {
	sorted := slices.Clone(outcomes)
	slices.SortFunc(sorted, func(a, b chatops.Outcome) int { return cmp.Compare(a.AlertID, b.AlertID) })
	o := &outcomeColumns{all: make([]int64, 0, len(sorted)), delivered: make([]int64, 0, len(sorted))}
	for i := range sorted {
		out := &sorted[i]
		o.all = append(o.all, out.AlertID)
		if out.Attempt != nil {
			o.attempts.add(out.AlertID, out.Attempt)
		}
		if out.Kind == chatops.OutcomeDelivered {
			o.delivered = append(o.delivered, out.AlertID)
			continue
		}
		o.id = append(o.id, out.AlertID)
		o.kind = append(o.kind, string(out.Kind))
		o.delay = append(o.delay, max(out.Delay, 0).Microseconds())
		o.error = append(o.error, chatops.CleanText(out.Error))
		o.fingerprint = append(o.fingerprint, chatops.CleanText(out.Fingerprint))
		o.attempted = append(o.attempted, out.Attempt != nil ||
			out.Kind == chatops.OutcomeRetry || out.Kind == chatops.OutcomeFailed)
	}
	return o
}

func (o *outcomeColumns) queue(b *pgx.Batch, now *time.Time) {
	if len(o.delivered) > 0 {
		b.Queue(markDelivered, now, o.delivered)
	}
	if len(o.id) > 0 {
		b.Queue(markOthers, now, o.id, o.kind, o.delay, o.error, o.fingerprint, o.attempted)
	}
	if a := &o.attempts; len(a.alert) > 0 {
		b.Queue(insertAttempts, a.alert, a.started, a.ms, a.outcome, a.status, a.text, a.replica)
	}
}

// attemptColumns are attempts as the arrays that unnest takes.
type attemptColumns struct {
	alert                  []int64
	started                []time.Time
	ms                     []float64
	outcome, text, replica []string
	status                 []int32
}

func (c *attemptColumns) add(alert int64, a *chatops.Attempt) {
	c.alert = append(c.alert, alert)
	c.started = append(c.started, a.StartedAt.UTC())
	c.ms = append(c.ms, float64(a.Duration)/float64(time.Millisecond))
	c.outcome = append(c.outcome, chatops.CleanText(a.Outcome))
	c.status = append(c.status, int32(min(max(a.HTTPStatus, 0), 999999)))
	c.text = append(c.text, chatops.CleanText(a.Error))
	c.replica = append(c.replica, chatops.CleanText(a.Replica))
}
