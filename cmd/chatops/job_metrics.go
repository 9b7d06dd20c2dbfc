package main

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/server"
)

// jobCollector shows this replica's jobs on /metrics.
type jobCollector struct {
	jobsFunc func(context.Context) ([]server.JobHealth, error)
}

// Descriptions of what it shows.
var (
	descJobLast = prometheus.NewDesc("chatops_job_last_run_timestamp_seconds",
		"When a job of this replica ran last, in Unix seconds; 0: not yet.", []string{"job"}, nil)
	descJobNext = prometheus.NewDesc("chatops_job_next_run_timestamp_seconds",
		"When a job of this replica will run next, in Unix seconds; 0: unknown.", []string{"job"}, nil)
	descJobOK = prometheus.NewDesc("chatops_job_ok",
		"Whether the last run of a job of this replica did what it should; 1 before the first run.", []string{"job"}, nil)
)

// Describe implements prometheus.Collector.
func (c jobCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descJobLast, descJobNext, descJobOK} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(ch chan<- prometheus.Metric) {
	jobs, err := c.jobsFunc(context.Background())
	if err != nil {
		return // health says so
	}
	for _, j := range jobs {
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, j.Name)
		}
		gauge(descJobLast, unixSeconds(j.LastRun))
		gauge(descJobNext, unixSeconds(j.NextRun))
		ok := 0.0
		if j.LastRun.IsZero() || strings.HasPrefix(j.LastResult, "ok") {
			ok = 1
		}
		gauge(descJobOK, ok)
	}
}

// unixSeconds is a moment as Prometheus has it; 0 where there is none.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
