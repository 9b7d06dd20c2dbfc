package server

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// How old the answers about health may be.
const (
	pingMaxAge = 500 * time.Millisecond
	deepMaxAge = time.Second
)

// Health holds the looks at what the program depends on. PingFunc is required;
// a nil function means that the part is not there, which is shown as
// "not_configured" and is no fault. Errors are logged; the public sees only that
// there was one, for texts may name hosts. Every function must return when its
// context ends, after 2 s at most.
type Health struct {
	// PingFunc makes a round trip to the database.
	PingFunc  func(context.Context) error
	RedisFunc func(context.Context) error
	// SMTPFunc says whether mail can be sent.
	SMTPFunc     func(context.Context) error
	JobsFunc     func(context.Context) ([]JobHealth, error)
	BreakersFunc func(context.Context) (map[string]BreakerHealth, error)
	QueueFunc    func(context.Context) (*chatops.QueueStats, error)
	// LimiterFunc tells of the rate limiter; it waits for nothing.
	LimiterFunc func() chatops.LimiterReport
	// InstancesFunc returns the heartbeats of all replicas.
	InstancesFunc func(context.Context) ([]chatops.Instance, error)
	CacheFunc     func(context.Context) (CacheHealth, error)
	// DoctorFunc looks for every known symptom. Whoever has the admin key sees all
	// that it finds; it may take 30 s.
	DoctorFunc func(context.Context) *Examination
}

// JobHealth is a scheduled job as /api/health/deep shows it.
type JobHealth struct {
	Name       string    `json:"name"`
	LastRun    time.Time `json:"last_run,omitzero" doc:"Absent: it has not run yet"`
	LastResult string    `json:"last_result,omitempty"`
	NextRun    time.Time `json:"next_run,omitzero"`
	Holder     string    `json:"holder,omitempty" doc:"Of a job of the fleet: the replica that runs it now"`
	Paused     bool      `json:"paused,omitempty"`
}

// BreakerHealth is a circuit breaker of this process as /api/health/deep shows it.
type BreakerHealth struct {
	State          string    `json:"state" enum:"closed,open,half_open,forced_open"`
	FailCount      int       `json:"fail_count"`
	RetryAt        time.Time `json:"retry_at,omitzero" doc:"When an open breaker lets a probe through"`
	OpenForSeconds float64   `json:"open_for_seconds,omitempty" doc:"How long the breaker stays open this time, which grows while the integration flaps"`
	// Reason is shown where it names no place and no operator has written it.
	Reason string `json:"reason,omitempty" doc:"Why it is not closed; chatops breaker status tells all"`
}

// CacheHealth is the cache of this process as /api/health/deep shows it.
type CacheHealth struct {
	Backend string `json:"backend,omitempty" enum:"redis,local" doc:"Where it keeps things now"`
	Entries int    `json:"entries" doc:"What this replica keeps in memory"`
}

// The states of a dependency.
const (
	stateOK      = "ok"
	stateError   = "error"
	stateMissing = "not_configured"
)

// CheckResult is what one look found, as /api/health/deep shows it.
type CheckResult struct {
	Status    string  `json:"status" enum:"ok,error,not_configured"`
	Error     string  `json:"error,omitempty" doc:"What kind of trouble; the log holds the rest"`
	LatencyMS float64 `json:"latency_ms" doc:"How long the look took"`
}

type schedulerResult struct {
	CheckResult
	Jobs []JobHealth `json:"jobs" nullable:"false"`
}

type queueResult struct {
	CheckResult
	Pending          int64   `json:"pending" doc:"Alerts waiting: never tried, or to be tried again"`
	Failed           int64   `json:"failed" doc:"Alerts that wait for an operator"`
	OldestAgeSeconds float64 `json:"oldest_age_seconds" doc:"Age of the oldest waiting alert; 0 when none waits"`
}

type redisResult struct {
	CheckResult
	Backend string `json:"backend,omitempty" enum:"redis,local" doc:"Where requests are counted now"`
}

type limiterResult struct {
	CheckResult
	Enabled bool   `json:"enabled"`
	Backend string `json:"backend,omitempty" enum:"redis,local" doc:"local: this replica counts by itself"`
}

type replicasResult struct {
	CheckResult
	Live  int `json:"live" doc:"Replicas that report"`
	Stale int `json:"stale" doc:"Replicas that have stopped reporting and were not removed yet"`
}

type cacheResult struct {
	CheckResult
	CacheHealth
}

type deepChecks struct {
	Database        CheckResult              `json:"database"`
	Redis           redisResult              `json:"redis"`
	SMTP            CheckResult              `json:"smtp"`
	Scheduler       schedulerResult          `json:"scheduler"`
	CircuitBreakers map[string]BreakerHealth `json:"circuit_breakers"`
	DeadLetterQueue queueResult              `json:"dead_letter_queue"`
	RateLimiter     limiterResult            `json:"rate_limiter"`
	Replicas        replicasResult           `json:"replicas"`
	Cache           cacheResult              `json:"cache"`
}

// Overall verdicts. Degraded means that visitors are served and nothing is
// lost, while something needs attention.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
)

type deepHealth struct {
	Status    string     `json:"status" enum:"healthy,degraded,unhealthy"`
	Timestamp time.Time  `json:"timestamp"`
	Checks    deepChecks `json:"checks"`
}

type shallowHealth struct {
	Status        string `json:"status" enum:"healthy,unhealthy"`
	Database      string `json:"database" enum:"connected,unreachable"`
	Service       string `json:"service" enum:"chatops"`
	Version       string `json:"version"`
	UptimeSeconds int64  `json:"uptime_seconds"`
}

type healthOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       shallowHealth
}

type deepOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       *deepHealth
}

func (s *Server) addHealth() {
	addOperation(s, healthOperation[shallowHealth](s.api, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/api/health",
		Summary:     "Whether the service works",
		Description: "Asks the database at most every half second.",
		Metadata:    underLimits(limitHealth),
	}), s.health)
	addOperation(s, healthOperation[deepHealth](s.api, huma.Operation{
		OperationID: "health-deep", Method: http.MethodGet, Path: "/api/health/deep",
		Summary: "How each part does",
		Description: "503 when the database cannot be reached: nothing can be stored then. Other trouble is " +
			"\"degraded\" with status 200. Looks at most once a second.",
	}), s.deepHealth)
}

// healthOperation documents that 503 has the same body as 200.
func healthOperation[B any](api huma.API, op huma.Operation) huma.Operation {
	op.Tags = []string{"Health"}
	schema := huma.SchemaFromType(api.OpenAPI().Components.Schemas, reflect.TypeFor[B]())
	op.Responses = map[string]*huma.Response{"503": {
		Description: "Unhealthy",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}}
	return op
}

func (s *Server) ping(ctx context.Context) error {
	err := s.opts.Health.PingFunc(ctx)
	if err != nil {
		s.opts.Log.Warn("database does not answer", "error", err.Error())
	}
	return err
}

func (s *Server) health(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK, Body: shallowHealth{
		Status: healthy, Database: "connected", Service: "chatops", Version: s.opts.Version.Version,
		UptimeSeconds: int64(s.opts.Now().Sub(s.started) / time.Second),
	}}
	if err := s.pinged.get(ctx); err != nil {
		out.Status, out.RetryAfter = http.StatusServiceUnavailable, retryAfter[0]
		out.Body.Status, out.Body.Database = unhealthy, "unreachable"
	}
	return out, nil
}

func (s *Server) deepHealth(ctx context.Context, _ *struct{}) (*deepOutput, error) {
	d := s.examined.get(ctx)
	out := &deepOutput{Status: http.StatusOK, Body: d}
	if d.Status == unhealthy {
		out.Status, out.RetryAfter = http.StatusServiceUnavailable, retryAfter[0]
	}
	return out, nil
}

// examine looks at everything at once, so that one slow part does not delay the
// others.
func (s *Server) examine(ctx context.Context) *deepHealth {
	h := &s.opts.Health
	d := &deepHealth{Timestamp: s.opts.Now().UTC()}
	c := &d.Checks
	var breakers CheckResult
	var wg sync.WaitGroup
	wg.Go(func() { c.Database = s.check(ctx, "database", h.PingFunc) })
	wg.Go(func() { c.Redis.CheckResult = s.check(ctx, "redis", h.RedisFunc) })
	wg.Go(func() { c.SMTP = s.check(ctx, "smtp", h.SMTPFunc) })
	wg.Go(func() { c.Scheduler = s.checkJobs(ctx, h.JobsFunc) })
	wg.Go(func() { c.CircuitBreakers, breakers = s.checkBreakers(ctx, h.BreakersFunc) })
	wg.Go(func() { c.DeadLetterQueue = s.checkQueue(ctx, h.QueueFunc) })
	wg.Go(func() { c.RateLimiter = s.checkLimiter(ctx, h.LimiterFunc) })
	wg.Go(func() { c.Replicas = s.checkReplicas(ctx, h.InstancesFunc) })
	wg.Go(func() { c.Cache = s.checkCache(ctx, h.CacheFunc) })
	wg.Wait()
	if c.Redis.Status != stateMissing {
		c.Redis.Backend = c.RateLimiter.Backend
	}
	d.Status = judge(c, breakers)
	return d
}
