package ratelimit

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// metrics is what is measured besides the counts of each limit.
type metrics struct {
	redis    prometheus.Histogram
	failures prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
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
}

// decisions makes the counter of one outcome of a limit.
func decisions(limit, outcome string, counts *minute) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name:        "chatops_ratelimit_decisions_total",
		Help:        "Events that a rate limit allowed or denied. An event of several limits is allowed by all of them or denied by one.",
		ConstLabels: prometheus.Labels{"limit": limit, "outcome": outcome},
	}, counts.total)
}

// register hands everything to a registry, with the gauges of a Limits.
func (m *metrics) register(reg prometheus.Registerer, l *Limits) error {
	if reg == nil {
		return nil
	}
	all := []prometheus.Collector{prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "chatops_ratelimit_blocked_total",
		Help: "Requests of clients that an operator blocked.",
	}, l.blocked.total), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "chatops_ratelimit_keys",
		Help: "Clients and routes whose events are remembered in this process.",
	}, func() float64 { return float64(l.memory.size()) })}
	for _, n := range l.all {
		all = append(all, decisions(n.name, "allowed", &n.allowed), decisions(n.name, "denied", &n.denied))
	}
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
