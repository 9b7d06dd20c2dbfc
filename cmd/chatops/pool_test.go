package main

import (
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

func TestPoolCollector_ShowsEveryPoolOfTheStore(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(poolCollector{func() []chatops.PoolStats {
		return []chatops.PoolStats{
			{Name: "read", Max: 6, Open: 3, InUse: 2, Waits: 7, Waited: 1500 * time.Millisecond}, {Name: "write", Max: 1, Open: 1},
		}
	}})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"chatops_store_pool_connections_max read": 6, "chatops_store_pool_connections_max write": 1,
		"chatops_store_pool_connections_open read": 3, "chatops_store_pool_connections_open write": 1,
		"chatops_store_pool_connections_in_use read": 2, "chatops_store_pool_connections_in_use write": 0,
		"chatops_store_pool_waits_total read": 7, "chatops_store_pool_waits_total write": 0,
		"chatops_store_pool_wait_seconds_total read": 1.5, "chatops_store_pool_wait_seconds_total write": 0,
	}
	if !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}
