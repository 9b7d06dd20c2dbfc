package server

import (
	"context"
	"errors"
	"time"

	"chatops/internal/chatops"
)

// judge sums the checks up.
func judge(c *deepChecks, breakers CheckResult) string {
	if c.Database.Status != stateOK {
		return unhealthy
	}
	for _, r := range []CheckResult{
		c.Redis.CheckResult, c.SMTP, c.Scheduler.CheckResult, breakers, c.DeadLetterQueue.CheckResult,
		c.RateLimiter.CheckResult, c.Replicas.CheckResult, c.Cache.CheckResult,
	} {
		if r.Status == stateError {
			return degraded
		}
	}
	for _, b := range c.CircuitBreakers {
		if b.State != "closed" {
			return degraded
		}
	}
	if c.DeadLetterQueue.Failed > 0 {
		return degraded
	}
	return healthy
}

// check runs one look. A panic in it is an error of that part alone.
func (s *Server) check(ctx context.Context, name string, look func(context.Context) error) (r CheckResult) {
	if look == nil {
		return CheckResult{Status: stateMissing}
	}
	start := s.opts.Now()
	r.Status = stateOK
	defer func() {
		if v := recover(); v != nil {
			s.opts.Log.Error("health check panicked", "check", name, "panic", describePanic(v))
			r.Status, r.Error = stateError, "internal error"
		}
		r.LatencyMS = float64(s.opts.Now().Sub(start)) / float64(time.Millisecond)
	}()
	if err := look(ctx); err != nil {
		s.opts.Log.Warn("health check did not pass", "check", name, "error", err.Error())
		r.Status, r.Error = stateError, publicTrouble(err)
	}
	return r
}

// publicTrouble says what kind of trouble a check met.
func publicTrouble(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case chatops.ErrorCode(err) == chatops.CodeUnavailable:
		return "unreachable"
	}
	return "not working"
}

func (s *Server) checkJobs(ctx context.Context, look func(context.Context) ([]JobHealth, error)) schedulerResult {
	r := schedulerResult{Jobs: []JobHealth{}}
	if look == nil {
		r.CheckResult = s.check(ctx, "scheduler", nil)
		return r
	}
	r.CheckResult = s.check(ctx, "scheduler", func(ctx context.Context) error {
		jobs, err := look(ctx)
		r.Jobs = append(r.Jobs, jobs...)
		return err
	})
	return r
}

func (s *Server) checkBreakers(ctx context.Context, look func(context.Context) (map[string]BreakerHealth, error)) (map[string]BreakerHealth, CheckResult) {
	all := map[string]BreakerHealth{}
	if look == nil {
		return all, s.check(ctx, "circuit_breakers", nil)
	}
	r := s.check(ctx, "circuit_breakers", func(ctx context.Context) error {
		found, err := look(ctx)
		for name, b := range found {
			b.Reason = publicReason(b)
			all[name] = b
		}
		return err
	})
	return all, r
}

// publicReason is what anybody may read of why a breaker is not closed: an
// operator writes for colleagues, and an error may name a host.
func publicReason(b BreakerHealth) string {
	switch {
	case b.State == "forced_open":
		return "tripped by an operator"
	case namesPlace(b.Reason):
		return ""
	}
	return b.Reason
}

func (s *Server) checkQueue(ctx context.Context, look func(context.Context) (*chatops.QueueStats, error)) queueResult {
	var r queueResult
	if look == nil {
		r.CheckResult = s.check(ctx, "dead_letter_queue", nil)
		return r
	}
	r.CheckResult = s.check(ctx, "dead_letter_queue", func(ctx context.Context) error {
		stats, err := look(ctx)
		if err != nil {
			return err
		}
		r.Pending = stats.Total(chatops.AlertQueued, chatops.AlertPending)
		r.Failed = stats.Total(chatops.AlertFailed)
		if !stats.OldestWaiting.IsZero() {
			r.OldestAgeSeconds = max(0, stats.Now.Sub(stats.OldestWaiting).Seconds())
		}
		return nil
	})
	return r
}

func (s *Server) checkLimiter(ctx context.Context, look func() chatops.LimiterReport) (r limiterResult) {
	if look == nil {
		r.CheckResult = s.check(ctx, "rate_limiter", nil)
		return r
	}
	r.CheckResult = s.check(ctx, "rate_limiter", func(context.Context) error {
		report := look()
		r.Enabled, r.Backend = report.Enabled, report.Backend
		return nil
	})
	return r
}

func (s *Server) checkReplicas(ctx context.Context, look func(context.Context) ([]chatops.Instance, error)) (r replicasResult) {
	if look == nil {
		r.CheckResult = s.check(ctx, "replicas", nil)
		return r
	}
	r.CheckResult = s.check(ctx, "replicas", func(ctx context.Context) error {
		all, err := look(ctx)
		for i := range all {
			if all[i].Stale() {
				r.Stale++
			} else {
				r.Live++
			}
		}
		return err
	})
	return r
}

func (s *Server) checkCache(ctx context.Context, look func(context.Context) (CacheHealth, error)) (r cacheResult) {
	if look == nil {
		r.CheckResult = s.check(ctx, "cache", nil)
		return r
	}
	r.CheckResult = s.check(ctx, "cache", func(ctx context.Context) (err error) {
		r.CacheHealth, err = look(ctx)
		return err
	})
	return r
}
