package deadletter

import (
	"strings"
	"sync/atomic"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// service says what the engine can do for a lane.
type service int

const (
	served       service = iota // a sender delivers its alerts
	unconfigured                // the program has the integration, this process has no sender for it
	unknown                     // no version of this program delivers there
)

// lane is what the engine remembers of a lane.
type lane struct {
	name        string
	label       string // for logs, metrics and reports: holds no secret
	integration string
	service     service
	sender      chatops.AlertSender // of a served lane
	policy      chatops.LanePolicy
	breaker     *breaker.Breaker
	ramp        *ramp // of the integration
	met         *laneMetrics
	slots       chan struct{} // one per attempt that may be under way

	// Whether a class may have due alerts. Cleared before they are claimed.
	freshDue, pendingDue atomic.Bool
	seenWakes            atomic.Uint64 // wake-ups before the last claim of fresh alerts
	latency              atomic.Int64  // moving average of an attempt, ns; 0: unknown
	misconfigured        atomic.Bool
	lastCause            atomic.Pointer[cause]
	lastStart            atomic.Int64 // of the last attempt, ns since 1970; serial lanes

	// Guarded by Engine.mu.
	workers    int
	tailing    int // workers that wait for their last attempts only
	barren     int // worker runs in a row that claimed nothing
	restUntil  time.Time
	restWakes  uint64 // wake-ups seen when the rest began
	restSoft   bool   // a wake-up ends the rest
	blocked    time.Time
	freshState chatops.LaneState
	retryState chatops.LaneState
}

// laneOf returns the lane of a name. The lock is held.
func (e *Engine) laneOf(name string) *lane {
	if l, ok := e.lanes[name]; ok {
		return l
	}
	integration := chatops.Integration(name)
	l := &lane{name: name, label: name, integration: integration, sender: e.senders[integration]}
	switch {
	case l.sender != nil:
		l.policy = l.sender.Policy()
		defaultTo(&l.policy.Timeout, 15*time.Second)
		defaultTo(&l.policy.Parallel, 8)
		if l.policy.Serial {
			l.policy.Parallel = 1
		}
		l.breaker, l.ramp = e.opts.Breakers.Get(integration), e.ramps[integration]
		l.met = e.met.lane(integration)
		l.slots = make(chan struct{}, max(1, l.policy.Parallel))
	case e.opts.known(integration):
		l.service = unconfigured
	default:
		l.service = unknown
	}
	if l.service == unknown || strings.Contains(name, "/") {
		l.label, _, _ = strings.Cut(name, ":")
		if l.label = Redact(l.label); len(l.label) > 32 || l.service == unknown && strings.Contains(l.label, "/") {
			l.label = "unknown"
		}
	}
	e.lanes[name] = l
	return l
}

// rest keeps the lane from being claimed by this process. A soft rest ends
// with the next wake-up. The lock is held.
func (l *lane) rest(until time.Time, soft bool, wakes uint64) {
	l.restUntil, l.restSoft, l.restWakes = until, soft, wakes
}

// observe takes the mean duration of a batch's attempts into the average.
func (l *lane) observe(mean time.Duration) {
	mean = max(mean, 1)
	if old := l.latency.Load(); old > 0 {
		mean = (3*time.Duration(old) + mean) / 4
	}
	l.latency.Store(int64(mean))
}

const (
	firstBatch  = 50              // while the lane's speed is unknown
	serialBatch = 20              // so that fresh alerts get their turn
	serialTurn  = 5 * time.Second // what a serial batch may take
	batchTurn   = time.Second     // what any other batch may take
	fastAttempt = 50 * time.Microsecond
)

// batchSize is how many alerts the lane should take at once: few when its
// receiver is slow, so that fresh alerts do not wait behind old ones.
func (l *lane) batchSize(most int) int {
	latency := time.Duration(l.latency.Load())
	if l.policy.Serial {
		step := max(latency, l.policy.Interval, time.Millisecond)
		return min(max(1, int(serialTurn/step)), serialBatch, most)
	}
	if latency == 0 {
		return min(firstBatch, most)
	}
	n := int64(batchTurn) * int64(l.policy.Parallel) / int64(latency)
	return int(min(max(n, int64(l.policy.Parallel)), int64(most)))
}

// probes returns how many alerts the breaker lets the lane claim: -1 for no
// limit, 1 when it admits its probe now, 0 otherwise, with the time to look
// again. A probe that the fleet grants sooner wakes the coordinator.
func (l *lane) probes() (int, time.Time) {
	if l.breaker.State() == breaker.Closed {
		return -1, time.Time{}
	}
	s := l.breaker.Snapshot()
	switch {
	case s.State == breaker.Closed:
		return -1, time.Time{}
	case s.Ready:
		return 1, time.Time{}
	}
	return 0, s.RetryAt
}

// parks reports whether fresh alerts of the lane are to be made pending instead
// of being sent: its breaker is open. They would be hidden among those that are
// on their way otherwise, from the runbook and from whoever counts the pending
// ones. A command-line process parks nothing.
func (e *Engine) parks(l *lane) bool {
	if l.service != served || e.opts.LeaveUnconfigured || l.breaker.State() == breaker.Closed {
		return false
	}
	state := l.breaker.Snapshot().State
	return state == breaker.Open || state == breaker.ForcedOpen
}

// openText is why an alert waits behind the breaker.
func (l *lane) openText() string {
	return "circuit breaker of " + Redact(l.integration) + " is open: waiting until it answers again"
}
