package main

import (
	"bufio"
	"context"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/redisclient"
	"chatops/internal/server"
)

// healthChecks are the looks behind /api/health and /api/health/deep. client may
// be nil.
func (s *service) healthChecks(cfg *config.Config, client redis.UniversalClient) server.Health {
	h := server.Health{
		PingFunc:      s.store.Ping,
		QueueFunc:     s.store.QueueStats,
		InstancesFunc: s.store.Instances,
		LimiterFunc:   s.limits.Report,
		JobsFunc: func(context.Context) ([]server.JobHealth, error) {
			var all []server.JobHealth
			for _, j := range s.jobReports() {
				all = append(all, server.JobHealth{
					Name: j.Name, LastRun: j.LastRun, LastResult: j.LastResult, NextRun: j.NextRun, Holder: j.Holder, Paused: j.Paused,
				})
			}
			return all, nil
		},
		BreakersFunc: func(context.Context) (map[string]server.BreakerHealth, error) {
			all := map[string]server.BreakerHealth{}
			for _, b := range s.breakers.Snapshots() {
				all[b.Name] = breakerHealth(&b)
			}
			return all, nil
		},
	}
	for _, i := range integrations(cfg) {
		if i.Name == "email" {
			h.SMTPFunc = i.ProbeFunc
		}
	}
	if client != nil {
		h.RedisFunc = func(ctx context.Context) error { return redisclient.Ping(ctx, client) }
	}
	return h
}

func breakerHealth(b *breaker.Snapshot) server.BreakerHealth {
	h := server.BreakerHealth{State: string(b.State), FailCount: b.FailCount, RetryAt: b.RetryAt, Reason: b.Reason}
	if b.State == breaker.Open {
		h.OpenForSeconds = b.OpenFor.Seconds()
	}
	return h
}

// greetSMTP connects to the mail server and, where it speaks first in clear
// text, reads its greeting.
func greetSMTP(ctx context.Context, host string, implicitTLS bool) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return chatops.WrapError(chatops.CodeUnavailable, err, "the mail server does not accept connections")
	}
	defer func() { _ = conn.Close() }()
	if implicitTLS {
		return nil
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(2 * time.Second)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return chatops.WrapError(chatops.CodeUnavailable, err, "the mail server does not answer")
	}
	line, err := bufio.NewReaderSize(conn, 512).ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "220") {
		return chatops.Errorf(chatops.CodeUnavailable, "the mail server does not greet with 220")
	}
	_, _ = conn.Write([]byte("QUIT\r\n"))
	return nil
}
