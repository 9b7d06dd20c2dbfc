package ratelimit

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	standardPatience = 50 * time.Millisecond
	// probeEvery is how often Redis is asked whether it is there, in good times
	// and at first in bad ones.
	probeEvery    = 2 * time.Second
	probeDown     = 500 * time.Millisecond
	probePatience = time.Second
	// A Redis that went down again within flapping is tried less often, but never
	// after a longer pause than maxProbePause.
	flapping      = 10 * time.Second
	maxProbePause = 3 * time.Second
)

// shared asks the Redis that all replicas share, and does without it while it
// does not answer in time.
type shared struct {
	client   redis.UniversalClient
	script   *redis.Script
	names    keyNames
	batch    batcher
	metrics  *metrics
	log      *slog.Logger
	probe    string // key of the probe of this process
	split    bool   // keys lie on several servers
	patience time.Duration
	punctual bool // the client ends every call with its context

	down   atomic.Bool
	wake   chan struct{}
	lastUp atomic.Int64 // Unix nanoseconds
}

func newShared(o Options, m *metrics) *shared {
	s := &shared{
		client: o.Redis, script: newScript(), names: newKeyNames(o.Secret), metrics: m, log: o.Log,
		patience: cmp.Or(o.Patience, standardPatience),
		probe:    keyPrefix + "{probe}:" + rand.Text(), wake: make(chan struct{}, 1),
	}
	single, ok := o.Redis.(*redis.Client)
	s.split = !ok
	s.punctual = ok && single.Options().ContextTimeoutEnabled
	s.batch = batcher{flights: map[*flight]struct{}{}, sendFunc: s.send}
	return s
}

// decide asks Redis about an event, for as long as patience. Without an answer
// the decision of this process stands.
func (s *shared) decide(ctx context.Context, asks []ask) (o outcome, ok bool) {
	if s.down.Load() || len(asks) > maxChecks {
		return outcome{}, false
	}
	e := &event{asks: slices.Clone(asks), keys: make([]string, len(asks)), done: make(chan struct{})}
	for i := range asks {
		e.keys[i] = s.names.name(&asks[i])
	}
	start := time.Now()
	switch f := s.batch.add(e); {
	case f == nil:
	case s.punctual: // no other goroutine is needed to leave in time
		s.batch.flyOnce(f)
	default:
		go s.batch.fly(f)
	}
	if !s.wait(ctx, e) {
		return outcome{}, false
	}
	s.metrics.redis.Observe(time.Since(start).Seconds())
	return e.outcome, e.ok
}

// wait waits for an event to end, or gives it up when that takes too long.
func (s *shared) wait(ctx context.Context, e *event) bool {
	select {
	case <-e.done:
		return true
	default:
	}
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case <-e.done:
		return true
	case <-timer.C:
		if e.claim() {
			s.fail("it did not answer in time")
			return false
		}
	case <-ctx.Done():
		if e.claim() {
			return false
		}
	}
	<-e.done // somebody else was quicker
	return true
}

// send decides on a batch in one round trip.
func (s *shared) send(batch []*event) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	sendFunc := s.sendTogether
	if s.split {
		sendFunc = s.sendSplit
	}
	if err := sendFunc(ctx, batch); err != nil {
		s.fail(reason(err))
	}
	for _, e := range batch {
		e.giveUp() // nothing happens to those that have their answer
	}
}

// sendTogether sends all events in one call of the script, or in a few where
// they have very many limits.
func (s *shared) sendTogether(ctx context.Context, batch []*event) error {
	for len(batch) > 0 {
		var c call
		n := 0
		for ; n < len(batch) && !c.full(); n++ {
			c.add(batch[n].asks, batch[n].keys)
		}
		outcomes, err := c.run(ctx, s.client, s.script)
		if err != nil {
			return err
		}
		for i, o := range outcomes {
			batch[i].answer(o)
		}
		batch = batch[n:]
	}
	return nil
}

// fail goes on without Redis.
func (s *shared) fail(why string) {
	if !s.down.CompareAndSwap(false, true) {
		return
	}
	s.metrics.failures.Inc()
	s.log.Warn("rate limits: Redis is left alone; this process counts by itself", "reason", why)
	s.batch.drop()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// reason says why Redis did not answer, without anything that could be secret.
func reason(err error) string {
	text := err.Error()
	for _, known := range []string{
		"READONLY", "OOM", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS", "NOPERM", "MISCONF",
		"connection refused", "timeout", "deadline exceeded", "EOF", "reset by peer", "not the script's",
	} {
		if strings.Contains(text, known) {
			return known
		}
	}
	return "unexpected answer"
}

// run asks Redis again and again whether it is there, until the context ends.
func (s *shared) run(ctx context.Context) {
	pause := time.Duration(0)
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
			pause = probeDown
			if up := s.lastUp.Load(); up != 0 && time.Since(time.Unix(0, up)) < flapping {
				pause = maxProbePause
			}
			continue
		case <-timer.C:
		}
		pause = s.check(ctx)
	}
}

// check probes Redis once and returns when to do so again.
func (s *shared) check(ctx context.Context) time.Duration {
	wasDown := s.down.Load()
	err := s.ask(ctx, probePatience) // may have to connect first
	if err == nil && wasDown {
		err = s.ask(ctx, s.patience/2)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && wasDown:
		return probeDown
	case err != nil:
		s.fail(reason(err))
	case wasDown:
		s.lastUp.Store(time.Now().UnixNano())
		s.down.Store(false)
		s.log.Info("rate limits: Redis answers again")
	}
	return probeEvery
}

// ask counts an event in a log of this process's own: only a write finds out
// whether Redis takes writes.
func (s *shared) ask(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start := time.Now()
	c := call{keys: []string{s.probe}, plan: []byte{1, 1}, values: []*value{probeValue}, checks: []int{1}}
	if _, err := c.run(ctx, s.client, s.script); err != nil {
		return err
	}
	if time.Since(start) > patience {
		return context.DeadlineExceeded
	}
	return nil
}

var probeValue = newValue(Limit{{Count: 10, Window: time.Second}}, sourceDefault, 0)
