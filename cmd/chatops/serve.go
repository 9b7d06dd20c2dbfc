package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"chatops/internal/breaker"
	"chatops/internal/cache"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/deadletter"
	"chatops/internal/fleet"
	"chatops/internal/jobs"
	"chatops/internal/operation"
	"chatops/internal/ratelimit"
	"chatops/internal/runbook"
	"chatops/internal/server"
)

// serve runs the whole service until the context ends, then drains: requests in
// flight finish, attempts in flight are recorded and leases given back.
func serve(ctx context.Context, cfg *config.Config, reload runbook.ReloadFunc, log *slog.Logger) error {
	hangups, release := hangups()
	defer release()
	err := prepareSchema(ctx, cfg, log)
	pending := errors.Is(err, errPending)
	if err != nil && (!pending || cfg.MigrationSecret.IsZero()) {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.ListenAddress())
	if err != nil {
		return chatops.Errorf(chatops.CodeInvalid, "serve: %w: choose another with PORT or LISTEN", err)
	}
	defer func() { _ = ln.Close() }() // the server closes it, unless none was started
	if pending {
		if migrated, err := awaitMigration(ctx, cfg, log, ln); !migrated {
			return err
		}
	}
	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	s, err := newService(ctx, cfg, log, store)
	if err != nil {
		return err
	}
	defer s.release()
	log.Info("serving", "address", ln.Addr().String(), "database", cfg.DatabaseURL.Host(), "pid", os.Getpid())
	go reloadLimits(ctx, hangups, reload, s.limits, log)
	return s.run(ctx, log, ln)
}

// service is everything that a serving process runs.
type service struct {
	store     chatops.Store
	engine    *deadletter.Engine
	carrier   *operation.Carrier
	cache     *cache.Cache
	web       *server.Server
	limits    *ratelimit.Limits
	breakers  *breaker.Set
	replica   *fleet.Replica
	scheduler *jobs.Scheduler
	releases  []func()
}

// newService joins the parts; nothing runs yet.
func newService(ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store) (s *service, err error) {
	s = &service{store: store}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	redisClient, err := openRedis(cfg)
	if err != nil {
		return nil, err
	}
	if redisClient != nil {
		s.releases = append(s.releases, func() { _ = redisClient.Close() })
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.cache, err = newCache(cfg, log, redisClient, metrics); err != nil {
		return nil, err
	}
	s.breakers = newBreakers(cfg, log, store)
	declareBreakers(cfg, s.breakers)
	if s.engine, err = newEngine(cfg, log, store, s.breakers, metrics); err != nil {
		return nil, err
	}
	if s.carrier, err = newCarrier(log, store, s.breakers, s.engine.Wake, metrics, ""); err != nil {
		return nil, err
	}
	knowledge, err := loadKnowledge(cfg)
	if err != nil {
		return nil, err
	}
	answerer, release, err := newAnswerer(cfg, log, knowledge, s.breakers, s.cache.Space(spaceAnswers), metrics)
	if err != nil {
		return nil, err
	}
	s.releases = append(s.releases, release)
	visitors, err := newChat(cfg, store, knowledge, answerer, s.cache.Space(spaceReplies), s.engine.Wake)
	if err != nil {
		return nil, err
	}
	if s.limits, err = newLimits(cfg, log, redisClient, metrics); err != nil {
		return nil, err
	}
	if s.replica, err = newReplica(log, store, s.breakers, s.limits, s.jobReports); err != nil {
		return nil, err
	}
	tokens, err := newTokens(ctx, cfg, store)
	if err != nil {
		return nil, err
	}
	if err := store.EnsureConsentTexts(ctx, chatops.BuiltInConsentTexts()); err != nil {
		return nil, err
	}
	s.scheduler, err = jobs.New(jobs.Options{
		Store: store, Instance: replica(), Jobs: s.jobTable(cfg, log, knowledge, tokens), Fleet: cfg.Scheduler, Log: log,
	})
	if err != nil {
		return nil, err
	}
	health := s.healthChecks(cfg, redisClient)
	health.DoctorFunc = newWebDoctor(cfg, log, store, redisClient)
	if cfg.ConsentKeys.IsZero() && !embedded(cfg) {
		log.Warn("CONSENT_KEYS is not set: links in mails are signed with a key that the database keeps; whoever reads a backup has it")
	}
	s.web = newWeb(cfg, log, metrics, store, visitors, knowledge, s.limits, health, links{tokens, s.engine.Wake})
	return s, nil
}

func (s *service) release() {
	for _, release := range slices.Backward(s.releases) {
		release()
	}
}

// run serves until the context ends and everything in flight is finished.
func (s *service) run(ctx context.Context, log *slog.Logger, ln net.Listener) error {
	// The engine outlives the web server: alerts of the last requests get their
	// first attempt.
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	g, serving := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stopDelivering()
		return s.web.Run(serving, ln)
	})
	g.Go(func() error { return s.limits.Run(serving) })
	// Until the last attempt is made, this is a replica with breakers.
	g.Go(func() error { return s.breakers.Run(delivering) })
	g.Go(func() error { return s.replica.Run(delivering) })
	g.Go(func() error { return s.engine.Run(delivering) })
	g.Go(func() error { return s.carrier.Run(serving) })
	g.Go(func() error { return s.cache.Run(serving) })
	g.Go(func() error { return s.scheduler.Run(serving) })
	err := g.Wait()
	if err == nil {
		log.Info("stopped: everything in flight was finished")
	}
	return err
}
