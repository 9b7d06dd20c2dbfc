package storetest

import (
	"fmt"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// model is a queue that is obviously right: a map of alerts, each in at most
// one lease. Because a store reads the clock somewhere inside a call, times are
// known as intervals, and the model accepts either answer at their edges.
type model struct {
	alerts map[int64]*modelAlert
	leases []*modelLease
	paused map[string]time.Time // lane -> certainly paused until
	fuzzy  map[string]time.Time // lane -> certainly free from
}

type modelAlert struct {
	lane              string
	status            chatops.AlertStatus
	retries           int
	dueFrom, dueUntil time.Time   // the due time lies between
	lease             *modelLease // nil: free
	recorded          bool        // has an outcome of a batch that is still leased
	delivered         int
}

type modelLease struct {
	id        int64
	lane      string
	length    time.Duration
	until     time.Time // lives at least until
	end       time.Time // has certainly run out after
	exclusive bool
	gone      bool
	alerts    []int64
}

// live reports whether the lease certainly lives.
func (l *modelLease) live(now time.Time) bool { return !l.gone && now.Before(l.until) }

func newModel() *model {
	return &model{alerts: map[int64]*modelAlert{}, paused: map[string]time.Time{}, fuzzy: map[string]time.Time{}}
}

func waiting(s chatops.AlertStatus) bool {
	return s == chatops.AlertQueued || s == chatops.AlertPending
}

func classOf(fresh bool) chatops.AlertStatus {
	if fresh {
		return chatops.AlertQueued
	}
	return chatops.AlertPending
}

func (m *model) add(id int64, lane string, status chatops.AlertStatus, from, until time.Time) {
	m.alerts[id] = &modelAlert{lane: lane, status: status, dueFrom: from, dueUntil: until}
}

// claim checks a batch, not empty, that was claimed between before and after.
func (m *model) claim(b *chatops.Batch, before, after time.Time) (*modelLease, error) {
	req := b.Request
	if len(b.Alerts) > req.Limit {
		return nil, fmt.Errorf("claimed %d alerts with limit %d", len(b.Alerts), req.Limit)
	}
	if after.Before(m.paused[req.Lane]) {
		return nil, fmt.Errorf("claimed %d alerts of a lane that is paused until %v, now %v", len(b.Alerts), m.paused[req.Lane], after)
	}
	l := &modelLease{
		id: b.LeaseID, lane: req.Lane, length: req.Lease, until: before.Add(req.Lease), end: after.Add(req.Lease),
		exclusive: req.Exclusive, alerts: ids(b),
	}
	for _, other := range m.leases {
		if other.id == l.id {
			return nil, fmt.Errorf("lease %d was given out twice", l.id)
		}
		if req.Exclusive && other.lane == req.Lane && other.live(after) {
			return nil, fmt.Errorf("exclusive claim of %s while lease %d lives", req.Lane, other.id)
		}
	}
	for i, a := range b.Alerts {
		if err := m.take(a, l, req, after); err != nil {
			return nil, err
		}
		if i == 0 {
			continue
		}
		p := b.Alerts[i-1]
		if a.NextAttemptAt.Before(p.NextAttemptAt) || a.NextAttemptAt.Equal(p.NextAttemptAt) && a.ID < p.ID {
			return nil, fmt.Errorf("alert %d due %v was claimed after %d due %v", a.ID, a.NextAttemptAt, p.ID, p.NextAttemptAt)
		}
	}
	m.leases = append(m.leases, l)
	return l, nil
}

// take moves one alert into a lease.
func (m *model) take(a chatops.Alert, l *modelLease, req chatops.ClaimRequest, after time.Time) error {
	known := m.alerts[a.ID]
	switch {
	case known == nil:
		return fmt.Errorf("claimed alert %d, which nobody queued", a.ID)
	case known.lane != req.Lane || known.status != classOf(req.Fresh) || a.Status != known.status:
		return fmt.Errorf("claimed alert %d (%s, %s) for lane %s, fresh %v", a.ID, known.lane, known.status, req.Lane, req.Fresh)
	case known.lease != nil && !known.recorded:
		return fmt.Errorf("claimed alert %d, which is in lease %d until %v, now %v", a.ID, known.lease.id, known.lease.until, after)
	case known.dueFrom.After(after):
		return fmt.Errorf("claimed alert %d, which is due at %v, now %v", a.ID, known.dueFrom, after)
	}
	known.lease, known.recorded = l, false
	return nil
}

// record applies outcomes that were accepted between before and after.
func (m *model) record(l *modelLease, rec chatops.Record, before, after time.Time) error {
	for _, o := range rec.Outcomes {
		a := m.alerts[o.AlertID]
		if a.lease != l || a.recorded {
			return fmt.Errorf("outcome of alert %d was accepted from lease %d, which does not hold it", o.AlertID, l.id)
		}
		a.recorded = true
		a.apply(o.Kind)
		a.dueFrom, a.dueUntil = before.Add(o.Delay), after.Add(o.Delay)
	}
	if rec.PauseLane > 0 {
		m.paused[l.lane], m.fuzzy[l.lane] = before.Add(rec.PauseLane), after.Add(rec.PauseLane)
	}
	l.until, l.end = before.Add(l.length), after.Add(l.length)
	if rec.Done {
		m.free(l)
	}
	return nil
}

func (a *modelAlert) apply(kind chatops.OutcomeKind) {
	wasRetry := a.status == chatops.AlertPending
	switch kind {
	case chatops.OutcomeDelivered:
		a.status = chatops.AlertDelivered
		a.delivered++
	case chatops.OutcomeRetry, chatops.OutcomeFailed:
		a.status = chatops.AlertPending
		if kind == chatops.OutcomeFailed {
			a.status = chatops.AlertFailed
		}
		if wasRetry {
			a.retries++
		}
	case chatops.OutcomeParked:
		a.status = chatops.AlertPending
	case chatops.OutcomeCancelled:
		a.status = chatops.AlertCancelled
	case chatops.OutcomeHeld:
	}
}

// free ends a lease.
func (m *model) free(l *modelLease) {
	l.gone = true
	for _, id := range l.alerts {
		if a := m.alerts[id]; a.lease == l {
			a.lease, a.recorded = nil, false
		}
	}
}

// nearExpiry reports whether a lease runs out within d of now.
func (m *model) nearExpiry(now time.Time, d time.Duration) bool {
	for _, l := range m.leases {
		if !l.gone && l.until.Before(now.Add(d)) && l.end.After(now.Add(-d)) {
			return true
		}
	}
	return false
}

func (m *model) sweep(now time.Time) {
	for _, l := range m.leases {
		if !l.gone && l.end.Before(now) {
			m.free(l)
		}
	}
}

// claimable lists what a claim must give at now, after a sweep.
func (m *model) claimable(req chatops.ClaimRequest, now time.Time) []int64 {
	if !now.After(m.fuzzy[req.Lane]) {
		return nil
	}
	for _, l := range m.leases {
		if l.exclusive && l.lane == req.Lane && !l.gone {
			return nil
		}
	}
	var out []int64
	for id, a := range m.alerts {
		if a.lane == req.Lane && a.status == classOf(req.Fresh) && a.lease == nil && a.dueUntil.Before(now) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
