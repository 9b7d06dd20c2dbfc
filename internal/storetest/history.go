package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func historyCases() []testCase {
	return []testCase{
		{"RandomHistory_LosesNothingAndDeliversNothingTwice", randomHistory},
		{"ManyWorkersWithCrashes_DeliverEachAlertOnce", manyWorkers},
	}
}

// histories numbers them, so that each has lanes of its own in one database.
var histories atomic.Int64

// history plays claims, outcomes, crashes, expiries, sweeps and edits by hand
// against a store and checks each answer against a model.
type history struct {
	*env
	model   *model
	stores  []chatops.Store
	lanes   []string
	keys    int
	batches []*workerBatch // what workers hold in memory
}

// workerBatch is a batch in a worker's memory and what is still to be recorded.
type workerBatch struct {
	batch *chatops.Batch
	lease *modelLease
	open  []int64
}

func randomHistory(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	rapid.Check(e.t, func(t *rapid.T) {
		inner := *e
		inner.t = t
		n := histories.Add(1)
		h := &history{
			env: &inner, model: newModel(), stores: stores,
			lanes: []string{fmt.Sprintf("slack:history-%d", n), fmt.Sprintf("monday:history-%d", n)},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":         h.check,
			"enqueue":  h.enqueue,
			"claim":    h.claimSome,
			"claim 2":  h.claimSome,
			"record":   h.recordSome,
			"record 2": h.recordSome,
			"crash":    h.crash,
			"sweep":    func(*rapid.T) { h.sweepAll() },
			"drain":    h.claimAll,
			"time":     h.pass,
			"insert":   h.insert,
			"revive":   h.revive,
		})
		h.finishAll()
	})
}

func (h *history) lane(t *rapid.T) string { return rapid.SampledFrom(h.lanes).Draw(t, "lane") }

func (h *history) storeOf(t *rapid.T) chatops.Store {
	return h.stores[rapid.IntRange(0, 1).Draw(t, "replica")]
}

// check compares every row with the model.
func (h *history) check(*rapid.T) {
	stored := h.alerts(chatops.AlertFilter{Targets: h.lanes})
	if len(stored) != len(h.model.alerts) {
		h.t.Fatalf("%d alerts stored, the model has %d", len(stored), len(h.model.alerts))
	}
	for _, a := range stored {
		m := h.model.alerts[a.ID]
		if m == nil || a.Status != m.status || a.RetryCount != m.retries {
			h.t.Fatalf("stored alert %d is %s with %d retries, the model says %+v", a.ID, a.Status, a.RetryCount, m)
		}
	}
}

func (h *history) enqueue(t *rapid.T) {
	lane := h.lane(t)
	delay := rapid.SampledFrom([]time.Duration{0, 0, 0, 5 * time.Second, time.Minute}).Draw(t, "delay")
	list := make([]chatops.NewAlert, rapid.IntRange(1, 4).Draw(t, "alerts"))
	for i := range list {
		h.keys++
		list[i] = newAlert(lane, fmt.Sprintf("%s/%d", h.lanes[0], h.keys))
		list[i].Delay = delay
	}
	before := h.clock.Peek()
	n, err := h.storeOf(t).Enqueue(h.ctx, list)
	h.must(err)
	if n != len(list) {
		h.t.Fatalf("Enqueue of %d new alerts added %d", len(list), n)
	}
	for _, a := range list {
		id := h.count(`SELECT id FROM dead_letter_queue WHERE idempotency_key = '` + a.IdempotencyKey + `'`)
		h.model.add(id, lane, chatops.AlertQueued, before.Add(delay), h.clock.Peek().Add(delay))
	}
}

func (h *history) insert(t *rapid.T) {
	lane := h.lane(t)
	status := rapid.SampledFrom([]chatops.AlertStatus{chatops.AlertPending, chatops.AlertQueued}).Draw(t, "status")
	id := h.insertRaw(lane, string(status), "", h.clock.Peek().Add(-time.Hour))
	h.model.add(id, lane, status, time.Time{}, h.clock.Peek())
}

// revive is the old runbook's statement.
func (h *history) revive(t *rapid.T) {
	lane := h.lane(t)
	h.exec(`UPDATE dead_letter_queue SET retry_count=0, status='pending' WHERE status='failed' AND target='` + lane + `'`)
	for _, m := range h.model.alerts {
		if m.lane == lane && m.status == chatops.AlertFailed {
			m.status, m.retries, m.dueFrom, m.dueUntil = chatops.AlertPending, 0, time.Time{}, h.clock.Peek()
		}
	}
}

func (h *history) pass(t *rapid.T) {
	h.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, 33 * time.Second, 2 * time.Minute}).Draw(t, "time"))
}

func (h *history) crash(t *rapid.T) {
	if len(h.batches) > 0 {
		h.drop(rapid.IntRange(0, len(h.batches)-1).Draw(t, "worker"))
	}
}

func (h *history) drop(i int) { h.batches = append(h.batches[:i:i], h.batches[i+1:]...) }

func (h *history) drawRequest(t *rapid.T) chatops.ClaimRequest {
	return chatops.ClaimRequest{
		Lane: h.lane(t), Fresh: rapid.Bool().Draw(t, "fresh"), Limit: rapid.IntRange(1, 4).Draw(t, "limit"),
		Owner:     rapid.SampledFrom([]string{"replica-1", "replica-2"}).Draw(t, "owner"),
		Lease:     rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute}).Draw(t, "lease"),
		Exclusive: rapid.IntRange(0, 3).Draw(t, "exclusive") == 0,
	}
}

func (h *history) claimSome(t *rapid.T) {
	req := h.drawRequest(t)
	before := h.clock.Peek()
	h.claimed(h.claimFrom(h.storeOf(t), req), before)
}

// claimed checks a batch and gives it to a worker.
func (h *history) claimed(b *chatops.Batch, before time.Time) {
	h.t.Helper()
	if len(b.Alerts) == 0 {
		return
	}
	lease, err := h.model.claim(b, before, h.clock.Peek())
	h.must(err)
	h.batches = append(h.batches, &workerBatch{batch: b, lease: lease, open: ids(b)})
}

func (h *history) recordSome(t *rapid.T) {
	if len(h.batches) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.batches)-1).Draw(t, "worker")
	w := h.batches[i]
	rec := chatops.Record{Batch: w.batch, Done: rapid.Bool().Draw(t, "done")}
	kinds := rapid.SampledFrom([]chatops.OutcomeKind{"", "delivered", "delivered", "retry", "failed", "held", "parked"})
	var left []int64
	for _, id := range w.open {
		kind := kinds.Draw(t, "outcome")
		if kind == "" {
			left = append(left, id)
			continue
		}
		o := outcomes(kind, id)
		o[0].Delay = rapid.SampledFrom([]time.Duration{0, 5 * time.Second, time.Minute}).Draw(t, "delay")
		rec.Outcomes = append(rec.Outcomes, o...)
	}
	if rapid.IntRange(0, 9).Draw(t, "pause") == 0 {
		rec.PauseLane = 5 * time.Second
	}
	if rec.Done && rapid.Bool().Draw(t, "next") {
		next := h.drawRequest(t)
		rec.Next = &next
	}
	before := h.clock.Peek()
	next, err := h.storeOf(t).Record(h.ctx, rec)
	after := h.clock.Peek()
	if err != nil {
		h.wantCode(err, chatops.CodeConflict)
		if w.lease.live(after) {
			h.t.Fatalf("outcomes of lease %d were rejected while it lives until %v, now %v", w.lease.id, w.lease.until, after)
		}
		h.drop(i)
		return
	}
	if w.lease.gone {
		h.t.Fatalf("outcomes of lease %d were accepted after it was freed", w.lease.id)
	}
	h.must(h.model.record(w.lease, rec, before, after))
	w.open = left
	if rec.Done {
		h.drop(i)
	}
	if next != nil {
		h.claimed(next, before)
	}
}

// sweepAll sweeps at a moment at which no lease is just running out.
func (h *history) sweepAll() {
	for h.model.nearExpiry(h.clock.Peek(), 2*time.Second) {
		h.clock.Advance(3 * time.Second)
	}
	h.sweepAny()
	h.model.sweep(h.clock.Peek())
}

// claimAll sweeps and then expects everything that is due and free.
func (h *history) claimAll(t *rapid.T) {
	h.sweepAll()
	h.clock.Advance(time.Second)
	req := chatops.ClaimRequest{Lane: h.lane(t), Fresh: rapid.Bool().Draw(t, "fresh"), Limit: 1000, Owner: "drain", Lease: time.Minute}
	before := h.clock.Peek()
	want := h.model.claimable(req, before)
	b := h.claimFrom(h.storeOf(t), req)
	got := map[int64]bool{}
	for _, id := range ids(b) {
		got[id] = true
	}
	for _, id := range want {
		if !got[id] {
			h.t.Fatalf("alert %d is due and free, but was not claimed after a sweep (got %v, want %v)", id, ids(b), want)
		}
	}
	h.claimed(b, before)
}

// finishAll lets every worker die and another one deliver what is left.
func (h *history) finishAll() {
	h.batches = nil
	h.clock.Advance(time.Hour)
	h.sweepAll()
	for _, lane := range h.lanes {
		for _, fresh := range []bool{true, false} {
			for {
				before := h.clock.Peek()
				b := h.claim(request(lane, fresh, 3))
				if len(b.Alerts) == 0 {
					break
				}
				h.claimed(b, before)
				rec := chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, ids(b)...), Done: true}
				before = h.clock.Peek()
				h.record(rec)
				h.must(h.model.record(h.batches[0].lease, rec, before, h.clock.Peek()))
				h.batches = nil
			}
		}
	}
	for id, m := range h.model.alerts {
		if waiting(m.status) {
			h.t.Fatalf("alert %d is still %s at the end: it was lost", id, m.status)
		}
		if m.status == chatops.AlertDelivered && m.delivered != 1 {
			h.t.Fatalf("alert %d was delivered %d times", id, m.delivered)
		}
	}
	h.check(nil)
}
