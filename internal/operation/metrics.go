package operation

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// metrics are about what this process carries. The operations' names are left
// out: there is no end of them.
type metrics struct {
	released, halts              prometheus.Counter
	carried, left, waiting, rate prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "chatops", Subsystem: "operation", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "chatops", Subsystem: "operation", Name: name, Help: help})
	}
	m := &metrics{
		released: counter("released_total", "Alerts that this process has made due for a bulk operation."),
		halts:    counter("halts_total", "Bulk operations that halted by themselves while this process carried them."),
		carried:  gauge("carried", "Bulk operations that this process carries."),
		left:     gauge("left", "Alerts that the operations this process carries have not released yet."),
		waiting:  gauge("deferred", "Carried operations that release nothing at present, because a breaker is open or the receiver is slow."),
		rate:     gauge("rate", "Alerts a second that the carried operations may release together."),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.released, m.halts, m.carried, m.left, m.waiting, m.rate} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// carries tells what is carried now.
func (m *metrics) carries(mine map[string]*load) {
	var left, waiting, rate float64
	for _, l := range mine {
		left += float64(l.op.Left())
		if l.pacer == nil || l.op.State != chatops.OperationRunning {
			continue
		}
		rate += l.pacer.Run.Rate
		if l.pacer.Run.Waits != "" {
			waiting++
		}
	}
	m.carried.Set(float64(len(mine)))
	m.left.Set(left)
	m.waiting.Set(waiting)
	m.rate.Set(rate)
}
