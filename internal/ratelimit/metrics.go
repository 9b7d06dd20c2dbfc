package ratelimit

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// metrics is what is measured. Its collectors exist whether somebody takes them
// or not.
type metrics struct {
	decisions *prometheus.CounterVec
	blocked   prometheus.Counter
	redis     prometheus.Histogram
	failures  prometheus.Counter
}

// decisionCounters are the counters of one limit.
type decisionCounters struct{ allowed, denied prometheus.Counter }

func newMetrics(limits []*named) *metrics {
	m := &metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chatops_ratelimit_decisions_total",
			Help: "Events that a rate limit allowed or denied. An event of several limits is allowed by all of them or denied by one.",
		}, []string{"limit", "outcome"}),
		blocked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chatops_ratelimit_blocked_total",
			Help: "Requests of clients that an operator blocked.",
		}),
		redis: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "chatops_ratelimit_redis_seconds",
			Help:    "Time that a decision waited for Redis.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chatops_ratelimit_redis_failures_total",
			Help: "Times that Redis stopped answering in time and this process began to count by itself.",
		}),
	}
	for _, n := range limits {
		n.metrics = decisionCounters{
			allowed: m.decisions.WithLabelValues(n.name, "allowed"),
			denied:  m.decisions.WithLabelValues(n.name, "denied"),
		}
	}
	return m
}

// register hands everything to a registry, with the gauges of a Limits.
func (m *metrics) register(reg prometheus.Registerer, l *Limits) error {
	if reg == nil {
		return nil
	}
	all := []prometheus.Collector{m.decisions, m.blocked, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "chatops_ratelimit_keys",
		Help: "Clients and routes whose events are remembered in this process.",
	}, func() float64 { return float64(l.memory.size()) })}
	if l.shared != nil {
		all = append(all, m.redis, m.failures, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "chatops_ratelimit_redis_up",
			Help: "1 while decisions are shared through Redis, 0 while this process counts by itself.",
		}, func() float64 {
			if l.shared.down.Load() {
				return 0
			}
			return 1
		}))
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return chatops.Errorf(chatops.CodeInternal, "register metrics of rate limits: %w", err)
		}
	}
	return nil
}
