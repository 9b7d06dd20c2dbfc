package deadletter

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// metrics are the engine's counters, and a collector of what is known anyway.
type metrics struct {
	attempts        *prometheus.CounterVec
	seconds         *prometheus.HistogramVec
	lostLeases      prometheus.Counter
	panics          prometheus.Counter
	failed          prometheus.Counter
	escalationsLost prometheus.Counter
	stats           atomic.Pointer[chatops.QueueStats]
	engine          *Engine
}

// Descriptions of the metrics that are made when somebody asks for them.
var (
	descBreaker = prometheus.NewDesc("chatops_breaker_state",
		"State of an integration's circuit breaker: 0 closed, 1 half open, 2 open, 3 forced open.", []string{"integration"}, nil)
	descBreakerOpened = prometheus.NewDesc("chatops_breaker_opened_total",
		"Times an integration's circuit breaker opened or was tripped.", []string{"integration"}, nil)
	descBreakerRejected = prometheus.NewDesc("chatops_breaker_rejected_total",
		"Calls that an integration's circuit breaker did not let through.", []string{"integration"}, nil)
	descBreakerProbes = prometheus.NewDesc("chatops_breaker_probes_total",
		"Probes that an integration's circuit breaker let through.", []string{"integration"}, nil)
	descBreakerFailures = prometheus.NewDesc("chatops_breaker_failures_total",
		"Failures that an integration's circuit breaker was told of, by kind: slow answers, and errors.", []string{"integration", "kind"}, nil)
	descBreakerOpenFor = prometheus.NewDesc("chatops_breaker_open_seconds",
		"How long the present opening of a circuit breaker lasts until a probe: it grows while the integration flaps. 0 while closed.", []string{"integration"}, nil)
	descMisconfigured = prometheus.NewDesc("chatops_delivery_misconfigured",
		"1 while an integration rejects our credentials or address.", []string{"integration"}, nil)
	descUnconfigured = prometheus.NewDesc("chatops_delivery_unconfigured",
		"1 while alerts wait for an integration that is not configured.", []string{"integration"}, nil)
	descLag = prometheus.NewDesc("chatops_delivery_lag_seconds",
		"How long the most overdue alert of an integration has been due.", []string{"integration", "class"}, nil)
	descLanes = prometheus.NewDesc("chatops_delivery_lanes",
		"Lanes of an integration by what the engine does with them.", []string{"integration", "state"}, nil)
	descAlerts = prometheus.NewDesc("chatops_alerts",
		"Alerts by type and status.", []string{"event_type", "status"}, nil)
	descOldest = prometheus.NewDesc("chatops_alerts_oldest_age_seconds",
		"Age of the oldest waiting and the oldest failed alert.", []string{"state"}, nil)
)

// newMetrics makes the metrics and registers them where there is a registerer.
func newMetrics(e *Engine, reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "chatops", Name: name, Help: help})
	}
	m := &metrics{
		engine: e,
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "chatops", Name: "delivery_attempts_total", Help: "Attempts to deliver an alert, by what became of them.",
		}, []string{"integration", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "chatops", Name: "delivery_attempt_seconds", Help: "Duration of attempts to deliver an alert.",
			Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 15, 60},
		}, []string{"integration"}),
		lostLeases:      counter("delivery_lost_leases_total", "Batches whose lease another process took over before their outcomes were stored."),
		panics:          counter("delivery_panics_total", "Attempts that ended in a panic of the sender."),
		failed:          counter("delivery_failed_total", "Alerts that failed for good."),
		escalationsLost: counter("delivery_escalations_lost_total", "Escalations that could not be delivered within their budget."),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.attempts, m.seconds, m.lostLeases, m.panics, m.failed, m.escalationsLost, m,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// laneMetrics are the metrics of one integration, looked up once.
type laneMetrics struct {
	delivered prometheus.Counter
	seconds   prometheus.Observer
	byOutcome *prometheus.CounterVec
	name      string
}

func (m *metrics) lane(integration string) *laneMetrics {
	return &laneMetrics{
		delivered: m.attempts.WithLabelValues(integration, string(chatops.OutcomeDelivered)),
		seconds:   m.seconds.WithLabelValues(integration),
		byOutcome: m.attempts, name: integration,
	}
}

// observe counts one attempt. Deliveries (f is nil) are counted by the batch.
func (m *laneMetrics) observe(f *failure, spent time.Duration) {
	m.seconds.Observe(spent.Seconds())
	if f != nil {
		m.byOutcome.WithLabelValues(m.name, string(f.Kind)).Inc()
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descBreaker, descBreakerOpened, descBreakerRejected, descBreakerProbes, descBreakerFailures, descBreakerOpenFor,
		descMisconfigured, descUnconfigured, descLag, descLanes, descAlerts, descOldest,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	r := m.engine.Report()
	for i := range r.Breakers {
		collectBreaker(ch, &r.Breakers[i])
	}
	wrong := map[string]float64{}
	for name := range m.engine.senders {
		wrong[name] = 0
	}
	for _, name := range r.Misconfigured {
		wrong[name] = 1
	}
	for name, v := range wrong {
		gauge(descMisconfigured, v, name)
	}
	for _, name := range r.Unconfigured {
		gauge(descUnconfigured, 1, name)
	}
	m.collectLanes(ch, r.Lanes)
	s := m.stats.Load()
	if s == nil {
		return
	}
	for _, c := range s.Counts {
		gauge(descAlerts, float64(c.Count), Redact(c.EventType), string(c.Status))
	}
	gauge(descOldest, age(s.Now, s.OldestWaiting), "waiting")
	gauge(descOldest, age(s.Now, s.OldestFailed), "failed")
}

// collectBreaker gives the metrics of one integration's breaker.
func collectBreaker(ch chan<- prometheus.Metric, b *breaker.Snapshot) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, b.Name)
	}
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{b.Name}, labels...)...)
	}
	gauge(descBreaker, breakerLevel(b.State))
	gauge(descBreakerOpenFor, b.OpenFor.Seconds())
	count(descBreakerOpened, b.Opened)
	count(descBreakerRejected, b.Rejected)
	count(descBreakerProbes, b.Probes)
	count(descBreakerFailures, b.Slow, "slow")
	count(descBreakerFailures, b.Failures-min(b.Slow, b.Failures), "error")
}

// laneStates are those of lanes whose integration has a sender here.
var laneStates = []LaneStatus{LaneIdle, LaneDelivering, LaneWaiting, LaneBreakerOpen}

// collectLanes sums the lanes of an integration up: there may be many, and their
// names are addresses.
func (m *metrics) collectLanes(ch chan<- prometheus.Metric, lanes []LaneReport) {
	type class struct {
		fresh, retry time.Duration
		known        bool
		states       map[LaneStatus]int
	}
	all := map[string]*class{}
	for name := range m.engine.senders {
		all[name] = &class{states: map[LaneStatus]int{}}
	}
	for _, l := range lanes {
		c := all[l.Integration]
		if c == nil || l.State == LaneUnknown || l.State == LaneUnconfigured {
			continue // their names are whatever somebody wrote into a row
		}
		c.known = true
		c.fresh, c.retry = max(c.fresh, l.FreshLag), max(c.retry, l.RetryLag)
		c.states[l.State]++
	}
	for name, c := range all {
		for _, state := range laneStates {
			ch <- prometheus.MustNewConstMetric(descLanes, prometheus.GaugeValue, float64(c.states[state]), name, string(state))
		}
		if c.known {
			ch <- prometheus.MustNewConstMetric(descLag, prometheus.GaugeValue, c.fresh.Seconds(), name, "fresh")
			ch <- prometheus.MustNewConstMetric(descLag, prometheus.GaugeValue, c.retry.Seconds(), name, "retry")
		}
	}
}

func age(now, then time.Time) float64 {
	if then.IsZero() {
		return 0
	}
	return now.Sub(then).Seconds()
}

func breakerLevel(s breaker.State) float64 {
	switch s {
	case breaker.HalfOpen:
		return 1
	case breaker.Open:
		return 2
	case breaker.ForcedOpen:
		return 3
	case breaker.Closed:
	}
	return 0
}
