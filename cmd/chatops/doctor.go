package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/doctor"
	"chatops/internal/redisclient"
	"chatops/internal/sender"
)

// examineAround adds to an examination what is outside the database.
func examineAround(cfg *config.Config, p *doctor.Patient) (release func(), err error) {
	release = func() {}
	client, err := openRedis(cfg)
	around(cfg, client, p)
	if err != nil || client == nil {
		return release, err
	}
	return func() { _ = client.Close() }, nil
}

// around adds what the settings say, the disk, Redis and the integrations. client
// may be nil.
func around(cfg *config.Config, client redis.UniversalClient, p *doctor.Patient) {
	s := &p.Settings
	s.Embedded, s.ConsentKeys, s.TrustedProxies = embedded(cfg), !cfg.ConsentKeys.IsZero(), len(cfg.TrustedProxies) > 0
	s.Escalation, s.Mail = cfg.EscalationEmail != "", !cfg.SMTPURL.IsZero()
	p.Limits = cfg.QueueLimits()
	p.Integrations = integrations(cfg)
	if s.Embedded {
		p.DiskFunc = func() (*doctor.Disk, error) { return diskOf(cfg.DatabaseURL.Host()) }
	}
	if client != nil {
		p.RedisFunc = func(ctx context.Context) error { return redisclient.Ping(ctx, client) }
	}
}

// inside adds what the checks read of a database.
func inside(cfg *config.Config, log *slog.Logger, store chatops.Store, p *doctor.Patient) {
	p.Store = store
	p.SchemaFunc = func(ctx context.Context) (*chatops.MigrationStatus, error) {
		m, err := openMigrator(ctx, cfg, log)
		if err != nil {
			return nil, err
		}
		defer func() { _ = m.Close() }()
		return m.Status(ctx)
	}
	p.ChainFunc = func(ctx context.Context) (rows int64, broken int, err error) {
		r, err := consent.Verify(ctx, store)
		if err != nil {
			return 0, 0, err
		}
		return r.Rows, r.Total, nil
	}
}

// diskOf measures the file system of an SQLite file. Its folder may not exist yet:
// then it is that of the nearest one that does.
func diskOf(file string) (*doctor.Disk, error) {
	folder := filepath.Dir(file)
	for {
		var s syscall.Statfs_t
		err := syscall.Statfs(folder, &s)
		if err == nil {
			size := uint64(s.Bsize)                                                                               //nolint:gosec // never negative; its type differs by platform
			return &doctor.Disk{Folder: folder, Free: int64(s.Bavail * size), Total: int64(s.Blocks * size)}, nil //nolint:gosec // no disk is so large
		}
		if up := filepath.Dir(folder); errors.Is(err, syscall.ENOENT) && up != folder {
			folder = up
			continue
		}
		return nil, chatops.WrapError(chatops.CodeUnavailable, err, "the folder of the database cannot be looked at")
	}
}

// integrations are those that are configured, and how each can be reached: what
// alerts are sent to, and the language model.
func integrations(cfg *config.Config) []doctor.Integration {
	var all []doctor.Integration
	for _, r := range sender.Receivers(senderOptions(cfg)) {
		all = append(all, doctor.Integration{Name: r.Integration, ProbeFunc: func(ctx context.Context) error {
			if r.Err != nil {
				return r.Err
			}
			return reach(ctx, r.Address)
		}})
	}
	if hasModel(cfg) {
		address := cmp.Or(cfg.LLMURL.Reveal(), chat.DefaultLLMBaseURL)
		all = append(all, doctor.Integration{Name: "llm", ProbeFunc: func(ctx context.Context) error { return reach(ctx, address) }})
	}
	return all
}

// reach connects to the server of an address, and agrees on TLS where it speaks
// it; a mail server greets. No request is made: there is none that would do
// nothing with every receiver.
func reach(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return chatops.Errorf(chatops.CodeInvalid, "its address cannot be read")
	}
	ports := map[string]string{"https": "443", "http": "80", "smtp": "587", "smtps": "465"}
	host, err := address(raw, ports[u.Scheme])
	if err != nil {
		return err
	}
	if u.Scheme == "smtp" || u.Scheme == "smtps" {
		return greetSMTP(ctx, host, u.Scheme == "smtps")
	}
	var conn net.Conn
	if u.Scheme == "https" {
		conn, err = (&tls.Dialer{}).DialContext(ctx, "tcp", host)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", host)
	}
	if err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "%s", wordDial(err))
	}
	_ = conn.Close()
	return nil
}

// wordDial words why a connection was not made.
func wordDial(err error) string {
	text := err.Error()
	for _, known := range []struct{ part, says string }{
		{"connection refused", "the connection is refused"},
		{"no such host", "its host name is not known"},
		{"server misbehaving", "its host name cannot be looked up"},
		{"no route", "there is no route to it"},
		{"unreachable", "its network is unreachable"},
		{"certificate", "its certificate is not trusted"},
		{"tls:", "it does not speak TLS as expected"},
		{"timeout", "it does not answer"},
		{"deadline", "it does not answer"},
	} {
		if strings.Contains(text, known.part) {
			return known.says
		}
	}
	return "no connection can be made"
}
