package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// poolCollector shows the connections of the store on /metrics.
type poolCollector struct{ poolsFunc func() []chatops.PoolStats }

// Descriptions of what it shows.
var (
	descPoolMax    = poolDesc("connections_max", "Connections that there may be to the database.")
	descPoolOpen   = poolDesc("connections_open", "Connections that there are to the database.")
	descPoolInUse  = poolDesc("connections_in_use", "Connections that work for somebody now.")
	descPoolWaits  = poolDesc("waits_total", "Calls that had to wait for a connection.")
	descPoolWaited = poolDesc("wait_seconds_total", "How long calls waited for a connection, together.")
)

func poolDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("chatops_store_pool_"+name, help, []string{"pool"}, nil)
}

// Describe implements prometheus.Collector.
func (c poolCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPoolMax, descPoolOpen, descPoolInUse, descPoolWaits, descPoolWaited} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.poolsFunc() {
		show := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, v, p.Name)
		}
		show(descPoolMax, prometheus.GaugeValue, float64(p.Max))
		show(descPoolOpen, prometheus.GaugeValue, float64(p.Open))
		show(descPoolInUse, prometheus.GaugeValue, float64(p.InUse))
		show(descPoolWaits, prometheus.CounterValue, float64(p.Waits))
		show(descPoolWaited, prometheus.CounterValue, p.Waited.Seconds())
	}
}
