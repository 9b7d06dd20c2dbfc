package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/server"
)

// jobCollector shows this replica's jobs on /metrics.
type jobCollector struct {
	jobsFunc func(context.Context) ([]server.JobHealth, error)

	mu        sync.Mutex
	succeeded map[string]time.Time // when each job was last seen to have succeeded
}

func newJobCollector(jobs func(context.Context) ([]server.JobHealth, error)) *jobCollector {
	return &jobCollector{jobsFunc: jobs, succeeded: map[string]time.Time{}}
}

// Descriptions of what it shows.
var (
	descJobLast = prometheus.NewDesc("chatops_job_last_run_timestamp_seconds",
		"When a job of this replica ran last, in Unix seconds; 0: not yet.", []string{"job"}, nil)
	descJobNext = prometheus.NewDesc("chatops_job_next_run_timestamp_seconds",
		"When a job of this replica will run next, in Unix seconds; 0: unknown.", []string{"job"}, nil)
	descJobOK = prometheus.NewDesc("chatops_job_ok",
		"Whether the last run of a job of this replica did what it should; 1 before the first run.", []string{"job"}, nil)
	descJobSuccess = prometheus.NewDesc("chatops_job_last_success_timestamp_seconds",
		"When the last run began that this replica has seen to succeed, in Unix seconds; 0: none since it started.", []string{"job"}, nil)
	descJobPaused = prometheus.NewDesc("chatops_job_paused",
		"Whether an operator has paused a job.", []string{"job"}, nil)
)

// Describe implements prometheus.Collector.
func (c *jobCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descJobLast, descJobNext, descJobOK, descJobSuccess, descJobPaused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *jobCollector) Collect(ch chan<- prometheus.Metric) {
	jobs, err := c.jobsFunc(context.Background())
	if err != nil {
		return // health says so
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range jobs {
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, j.Name)
		}
		gauge(descJobLast, unixSeconds(j.LastRun))
		gauge(descJobNext, unixSeconds(j.NextRun))
		ok := j.LastRun.IsZero() || strings.HasPrefix(j.LastResult, "ok")
		running := j.Holder != "" // the result is that of the run before
		if ok && !running && j.LastRun.After(c.succeeded[j.Name]) {
			c.succeeded[j.Name] = j.LastRun
		}
		gauge(descJobOK, truth(ok))
		gauge(descJobSuccess, unixSeconds(c.succeeded[j.Name]))
		gauge(descJobPaused, truth(j.Paused))
	}
}

// truth is yes or no as Prometheus has it.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// unixSeconds is a moment as Prometheus has it; 0 where there is none.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
