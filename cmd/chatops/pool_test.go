package main

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
	"chatops/internal/server"
)

func TestPoolCollector_ShowsEveryPoolOfTheStore(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(poolCollector{func() []chatops.PoolStats {
		return []chatops.PoolStats{
			{Name: "read", Max: 6, Open: 3, InUse: 2, Waits: 7, Waited: 1500 * time.Millisecond}, {Name: "write", Max: 1, Open: 1},
		}
	}})
	got := gathered(t, reg)
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

// gathered is what a registry shows, by name and the value of the first label.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
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
	return got
}

func TestJobCollector_ShowsEveryJobOfTheReplica(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_770_000_000, 500_000_000)
	jobs := []server.JobHealth{
		{Name: "dlq_retry", LastRun: at, LastResult: "ok: 3 alerts", NextRun: at.Add(time.Minute)},
		{Name: "dlq_cleanup", LastRun: at, LastResult: "error: down", NextRun: at.Add(time.Hour)},
		{Name: "cache_cleanup", Paused: true},
	}
	var failing error
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newJobCollector(func(context.Context) ([]server.JobHealth, error) { return jobs, failing }))
	want := map[string]float64{
		"chatops_job_last_run_timestamp_seconds dlq_retry": 1_770_000_000.5, "chatops_job_next_run_timestamp_seconds dlq_retry": 1_770_000_060.5,
		"chatops_job_ok dlq_retry": 1, "chatops_job_ok dlq_cleanup": 0, "chatops_job_ok cache_cleanup": 1,
		"chatops_job_last_run_timestamp_seconds dlq_cleanup": 1_770_000_000.5, "chatops_job_next_run_timestamp_seconds dlq_cleanup": 1_770_003_600.5,
		"chatops_job_last_run_timestamp_seconds cache_cleanup": 0, "chatops_job_next_run_timestamp_seconds cache_cleanup": 0,
		"chatops_job_last_success_timestamp_seconds dlq_retry": 1_770_000_000.5, "chatops_job_last_success_timestamp_seconds dlq_cleanup": 0,
		"chatops_job_last_success_timestamp_seconds cache_cleanup": 0,
		"chatops_job_paused dlq_retry":                             0, "chatops_job_paused dlq_cleanup": 0, "chatops_job_paused cache_cleanup": 1,
	}
	if got := gathered(t, reg); !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	jobs[0].LastRun, jobs[0].LastResult = at.Add(time.Minute), "failed: down"
	want["chatops_job_last_run_timestamp_seconds dlq_retry"], want["chatops_job_ok dlq_retry"] = 1_770_000_060.5, 0
	if got := gathered(t, reg); !maps.Equal(got, want) {
		t.Errorf("after a failure the last success stays: %v, want %v", got, want)
	}
	jobs[0].LastRun, jobs[0].LastResult, jobs[0].Holder = at.Add(2*time.Minute), "ok: before", "a"
	want["chatops_job_last_run_timestamp_seconds dlq_retry"], want["chatops_job_ok dlq_retry"] = 1_770_000_120.5, 1
	if got := gathered(t, reg); !maps.Equal(got, want) {
		t.Errorf("a run that goes on is no success: %v, want %v", got, want)
	}
	failing = chatops.Errorf(chatops.CodeUnavailable, "unknown")
	if got := gathered(t, reg); len(got) != 0 {
		t.Errorf("metrics %v of unknown jobs", got)
	}
}
