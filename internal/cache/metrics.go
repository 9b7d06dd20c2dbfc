package cache

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	requests *prometheus.CounterVec
	refused  *prometheus.CounterVec
	purged   prometheus.Counter
}

// spaceCounters are the counters of one space.
type spaceCounters struct{ memory, redis, miss, refused prometheus.Counter }

func (m *metrics) space(name string) spaceCounters {
	return spaceCounters{
		memory:  m.requests.WithLabelValues(name, "memory"),
		redis:   m.requests.WithLabelValues(name, "redis"),
		miss:    m.requests.WithLabelValues(name, "miss"),
		refused: m.refused.WithLabelValues(name),
	}
}

// newMetrics makes the metrics, and registers them where there is a registerer.
func newMetrics(reg prometheus.Registerer, c *Cache) (*metrics, error) {
	name := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "chatops", Subsystem: "cache", Name: name, Help: help}
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts(name("requests_total", "Values asked for, by where they were found.")), []string{"space", "result"}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts(name("refused_total", "Values that were not stored: too large, empty or without time to live.")), []string{"space"}),
		purged:   prometheus.NewCounter(prometheus.CounterOpts(name("purged_total", "Expired entries that the purge removed from memory."))),
	}
	if reg == nil {
		return m, nil
	}
	entries := func() float64 { n, _ := c.Size(); return float64(n) }
	bytes := func() float64 { _, n := c.Size(); return float64(n) }
	all := []prometheus.Collector{
		m.requests, m.refused, m.purged,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(name("entries", "Entries in memory.")), entries),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(name("bytes", "Bytes that the entries in memory are counted with.")), bytes),
		prometheus.NewCounterFunc(prometheus.CounterOpts(name("evicted_total", "Entries that made room for others in memory.")),
			func() float64 { return float64(c.memory.evicted.Load()) }),
	}
	if r := c.remote; r != nil {
		up := func() float64 {
			if r.down.Load() {
				return 0
			}
			return 1
		}
		all = append(all,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts(name("redis_up", "1 while values are shared through Redis, 0 while this replica caches by itself.")), up),
			prometheus.NewCounterFunc(prometheus.CounterOpts(name("redis_errors_total", "Calls of Redis that failed.")),
				func() float64 { return float64(r.errors.Load()) }))
	}
	for _, one := range all {
		if err := reg.Register(one); err != nil {
			return nil, err
		}
	}
	return m, nil
}
