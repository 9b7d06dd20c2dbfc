package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"chatops/internal/cache"
	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/deadletter"
	"chatops/internal/fleet"
	"chatops/internal/jobs"
)

// jobTable is everything that the program does by the clock. A new job is one
// entry here: its name, when it is due, and what does it.
func (s *service) jobTable(cfg *config.Config, log *slog.Logger, k *chat.Knowledge, tokens *consent.Tokens) []jobs.Job {
	return []jobs.Job{
		{Name: cache.JobName, Schedule: jobs.Every(cfg.CacheCleanup), RunFunc: s.cache.CleanUp, EachProcess: true},
		{Name: deadletter.JobRetry, Schedule: jobs.Every(cfg.DLQSweep), RunFunc: counting(s.engine.Sweep, "claimable again")},
		{Name: deadletter.JobCleanup, Schedule: jobs.Daily(3, 30), RunFunc: counting(s.engine.Cleanup, "deleted")},
		{Name: deadletter.JobAlarm, Schedule: jobs.Every(time.Minute), RunFunc: s.alarm(cfg, log).Watch},
		{Name: fleet.JobForget, Schedule: jobs.Every(time.Minute), RunFunc: s.replica.Forget},
		{Name: "consent_retention", Schedule: jobs.Daily(4, 10), RunFunc: s.retention(cfg)},
		{Name: "followups", Schedule: jobs.Every(followupEvery), RunFunc: planFollowups(cfg, log, s.store, k, tokens, s.engine.Wake)},
		{Name: "request_cleanup", Schedule: jobs.Every(10 * time.Minute), RunFunc: s.forgetRequests},
	}
}

// alarm tells people of a queue that needs somebody.
func (s *service) alarm(cfg *config.Config, log *slog.Logger) *deadletter.Alarm {
	return &deadletter.Alarm{Store: s.store, Limits: cfg.QueueLimits(), Email: cfg.EscalationEmail, Replica: replica(), Log: log}
}

// counting words the result of work that counts alerts.
func counting(work func(context.Context) (int, error), done string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		n, err := work(ctx)
		return chatops.Count(n, "alert") + " " + done, err
	}
}

// retention deletes what RETENTION_MONTHS gives an end to.
func (s *service) retention(cfg *config.Config) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if cfg.RetentionMonths == "" {
			return "RETENTION_MONTHS is not set: nothing has an end", nil
		}
		done, err := consent.Purge(ctx, s.store, cfg.Retention(time.Now()))
		return fmt.Sprintf("%d rows deleted or emptied", consent.Rows(done)), err
	}
}

// forgetBatch is how many keys of repeated requests are deleted in one
// transaction.
const forgetBatch = 1000

// forgetRequests deletes the keys of repeated requests that have expired.
func (s *service) forgetRequests(ctx context.Context) (string, error) {
	total := 0
	for n := forgetBatch; n == forgetBatch; total += n {
		var err error
		if n, err = s.store.DeleteExpiredOnce(ctx, forgetBatch); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d keys deleted", total), nil
}

// jobReports are the jobs of every part of the service, by name.
func (s *service) jobReports() []chatops.JobReport {
	all := s.scheduler.Report()
	if d := s.engine.Report().Digest; d.Name != "" {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b chatops.JobReport) int { return strings.Compare(a.Name, b.Name) })
	return all
}
