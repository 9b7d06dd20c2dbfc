package deadletter

import (
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

// flushEvery is how often outcomes are stored while a batch runs: a crash
// repeats no more than that.
const flushEvery = 25 * time.Millisecond

// run is one batch on its way.
type run struct {
	e     *Engine
	lf    *life
	l     *lane
	batch *chatops.Batch

	next     atomic.Int64 // index of the next alert to start
	waiting  atomic.Int64 // helpers that have not taken their next alert yet
	stop     atomic.Bool  // start no more
	tailing  atomic.Bool  // the last attempts of the batch are under way
	leaseEnd atomic.Int64 // ns since 1970, by this process's clock
	attempts []chatops.Attempt
	exited   chan struct{} // a helper has ended

	helpers int // owned by the delivering worker

	mu        sync.Mutex
	ended     int // helpers that have ended
	ready     []chatops.Outcome
	enqueue   []chatops.NewAlert
	untried   []int         // taken, but not allowed to start
	hold      time.Duration // what was not tried waits this long; 0: it is given back at once
	pause     time.Duration // the receiver asked for it
	paused    bool          // the receiver has asked for a pause
	spent     time.Duration // on attempts
	tried     int
	failures  int
	cancelled int // must not be sent any more
	lost      int // failed for good
	sample    string
}

// deliver makes the attempts of a batch, stores what became of them and
// returns the next batch, or nil, and whether the worker may go on.
func (e *Engine) deliver(lf *life, l *lane, b *chatops.Batch, freshRun *int) (*chatops.Batch, bool) {
	n := len(b.Alerts)
	r := &run{
		e: e, lf: lf, l: l, batch: b,
		attempts: make([]chatops.Attempt, n),
		ready:    make([]chatops.Outcome, 0, n),
		exited:   make(chan struct{}, l.policy.Parallel),
	}
	r.extendLease()
	defer func() {
		if r.tailing.Load() {
			e.tail(l, -1)
		}
	}()
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	want := l.policy.Parallel
	if lat := l.latency.Load(); lat > 0 && lat < int64(fastAttempt) {
		want = 1 // a sender that answers at once needs no company
	}
	r.addHelpers(want)
	alive := true
	for !r.over() {
		select {
		case <-r.exited:
			continue
		case <-tick.C:
		case <-lf.abandon.Done():
			return r.finish(freshRun, alive)
		}
		r.addHelpers(l.policy.Parallel)
		if alive {
			alive = r.flush()
		}
		if r.unstarted() == 0 && lf.claims.Err() == nil && !r.tailing.Swap(true) {
			e.tail(l, 1)
		}
	}
	return r.finish(freshRun, alive)
}

// tail counts the workers of a lane that have nothing left to start.
func (e *Engine) tail(l *lane, by int) {
	e.mu.Lock()
	l.tailing += by
	e.mu.Unlock()
	if by > 0 {
		e.look()
	}
}

func (r *run) unstarted() int {
	return max(0, len(r.batch.Alerts)-int(r.next.Load()))
}

// halted reports whether no further alert of the batch may be started.
func (r *run) halted() bool {
	return r.stop.Load() || r.lf.claims.Err() != nil
}

// over reports whether every helper has ended and none is needed any more.
func (r *run) over() bool {
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	return ended == r.helpers && (r.unstarted() == 0 || r.halted())
}

// addHelpers starts goroutines that make attempts, as many as the batch and
// the lane's limit have room for.
func (r *run) addHelpers(want int) {
	r.mu.Lock()
	running := r.helpers - r.ended
	r.mu.Unlock()
	for range min(want-running, r.unstarted()-int(r.waiting.Load())) {
		if r.halted() {
			return
		}
		select {
		case r.l.slots <- struct{}{}:
		default:
			return // the lane's other batches use them all
		}
		r.helpers++
		r.waiting.Add(1)
		go r.help()
	}
}

// help makes attempts until none is left to start.
func (r *run) help() {
	for goOn := true; goOn; {
		goOn = !r.halted() && r.pace()
		i := len(r.batch.Alerts)
		if goOn {
			i = int(r.next.Add(1)) - 1
		}
		r.waiting.Add(-1)
		if goOn = i < len(r.batch.Alerts) && r.try(i); goOn {
			r.waiting.Add(1)
		}
	}
	<-r.l.slots
	if r.tailing.Load() {
		r.e.look() // there is room for another worker now
	}
	r.mu.Lock()
	r.ended++
	r.mu.Unlock()
	select {
	case r.exited <- struct{}{}:
	default:
	}
}

// pace waits until the lane may make its next attempt: a serial one keeps its
// interval, and retries go slowly to a receiver that has just recovered. False:
// it will not.
func (r *run) pace() bool {
	if r.unstarted() == 0 {
		return true
	}
	var wait time.Duration
	if p := &r.l.policy; p.Serial && p.Interval > 0 {
		since := time.Duration(r.e.now().UnixNano() - r.l.lastStart.Load())
		if left := p.Interval - since; left <= p.Interval {
			wait = left
		}
	}
	if !r.batch.Request.Fresh {
		wait = max(wait, r.l.ramp.wait(r.e.now()))
	}
	if wait <= 0 {
		return true
	}
	return chatops.Sleep(r.lf.claims, wait) && !r.halted()
}

// settle takes in what an attempt came to.
func (r *run) settle(o chatops.Outcome, v verdict, spent time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = append(r.ready, o)
	r.tried++
	r.spent += spent
	switch o.Kind {
	case chatops.OutcomeDelivered:
	case chatops.OutcomeCancelled:
		r.cancelled++
	default:
		r.failures++
		r.sample = o.Attempt.Error
	}
	if o.Kind == chatops.OutcomeFailed {
		r.lost++
	}
	r.hold = max(r.hold, v.hold)
	r.pause = max(r.pause, v.pause)
	r.paused = r.paused || v.pause > 0
	if v.escalate != nil {
		r.enqueue = r.e.escalate(r.enqueue, v.escalate, r.l.integration, &o)
	}
}

// extendLease notes that the lease runs from now on.
func (r *run) extendLease() {
	r.leaseEnd.Store(r.e.now().Add(r.batch.Request.Lease).UnixNano())
}

func (r *run) leaseEnds() time.Time { return time.Unix(0, r.leaseEnd.Load()) }

// flush stores the outcomes so far, and a sign of life each third of the lease.
// False means that the lease is lost.
func (r *run) flush() bool {
	rec := r.take()
	left := r.leaseEnds().Sub(r.e.now())
	if len(rec.Outcomes) == 0 && rec.PauseLane == 0 && left > r.batch.Request.Lease*2/3 {
		return true
	}
	start := r.e.now()
	if _, ok := r.e.record(r.lf, r.l, rec, r.leaseEnds); !ok {
		r.stop.Store(true)
		return false
	}
	r.leaseEnd.Store(start.Add(r.batch.Request.Lease).UnixNano())
	r.stored(&rec)
	return true
}

// take moves what is ready into a record.
func (r *run) take() chatops.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := chatops.Record{Batch: r.batch, Outcomes: r.ready, Enqueue: r.enqueue, PauseLane: r.pause}
	r.ready, r.enqueue, r.pause = nil, nil, 0
	return rec
}

// stored makes known what a record has brought about.
func (r *run) stored(rec *chatops.Record) {
	if len(rec.Enqueue) > 0 {
		r.e.Wake()
	}
}

// finish stores the rest, gives the lease up and claims the next batch, in one
// round trip.
func (r *run) finish(freshRun *int, alive bool) (*chatops.Batch, bool) {
	e, l := r.e, r.l
	r.mu.Lock()
	if r.tried > 0 {
		l.observe(r.spent / time.Duration(r.tried))
	}
	l.met.delivered.Add(float64(r.tried - r.failures - r.cancelled))
	if r.hold > 0 || r.batch.Request.Fresh && e.parks(l) {
		r.holdRest()
	}
	goOn := r.hold == 0 && r.pause == 0 && !r.halted()
	r.mu.Unlock()
	goOn = goOn && !r.replaced()
	e.logBatch(r)
	if !alive {
		return nil, false
	}
	rec := r.take()
	rec.Done = true
	if l.policy.Serial && l.policy.Interval > 0 {
		since := time.Duration(e.now().UnixNano() - l.lastStart.Load())
		rec.PauseLane = max(rec.PauseLane, min(l.policy.Interval-since, l.policy.Interval))
		goOn = false
	} else if goOn {
		rec.Next = e.nextRequest(r.lf, l, freshRun)
	}
	next, ok := e.record(r.lf, l, rec, r.leaseEnds)
	if ok {
		r.stored(&rec)
	}
	return next, ok && goOn
}

// replaced reports whether another worker has taken this one's place while it
// waited for its last attempts.
func (r *run) replaced() bool {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	return r.tailing.Load() && r.l.workers-r.l.tailing >= r.e.opts.Workers
}

// holdRest makes what was not tried wait. Fresh alerts become pending with the
// reason, because the runbook does not look among the queued ones for trouble.
// The lock is held; no helper runs.
func (r *run) holdRest() {
	o := chatops.Outcome{Kind: chatops.OutcomeHeld, Delay: r.hold}
	switch {
	case !r.batch.Request.Fresh || r.e.opts.LeaveUnconfigured:
	case r.e.parks(r.l):
		o.Kind, o.Error = chatops.OutcomeParked, r.l.openText()
	case r.paused:
		o.Kind, o.Error = chatops.OutcomeParked, r.l.integration+" asked to wait: "+r.sample
	}
	held := r.untried
	for i := int(r.next.Load()); i < len(r.batch.Alerts); i++ {
		held = append(held, i)
	}
	for _, i := range held {
		o.AlertID = r.batch.Alerts[i].ID
		r.ready = append(r.ready, o)
	}
}
