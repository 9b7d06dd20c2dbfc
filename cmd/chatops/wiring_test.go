package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/cache"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/ratelimit"
)

// settingsOf are the settings of an environment.
func settingsOf(t *testing.T, env map[string]string) *config.Config {
	t.Helper()
	loaded, err := config.Load(config.Sources{LookupEnvFunc: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Config
}

func TestAddress_HasThePortThatIsMeant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		raw, port, want string
	}{
		{"smtp://mail.example", "587", "mail.example:587"},
		{"smtp://mail.example:25", "587", "mail.example:25"},
		{"smtp://u:p%40w@mail.example?tls=implicit", "587", "mail.example:587"},
		{"https://hooks.example/services/x", "443", "hooks.example:443"},
		{"https://hooks.example./x", "443", "hooks.example:443"},
		{"http://127.0.0.1:8080", "80", "127.0.0.1:8080"},
	} {
		if got, err := address(tt.raw, tt.port); err != nil || got != tt.want {
			t.Errorf("%s is reached at %q, %v; want %s", tt.raw, got, err, tt.want)
		}
	}
	for _, raw := range []string{"", "mail.example", "https://", "smtp://:587", "https://a b/", "https://secret\x7f@h"} {
		got, err := address(raw, "443")
		if chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%q is reached at %q, %v; want an invalid address", raw, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the address: %v", err)
		}
	}
}

func TestWordDial_SaysInWordsWhyNot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"dial tcp 127.0.0.1:1: connect: connection refused":                            "the connection is refused",
		"dial tcp: lookup hooks.invalid: no such host":                                 "its host name is not known",
		"dial tcp: lookup hooks.example on 10.0.0.1:53: server misbehaving":            "its host name cannot be looked up",
		"dial tcp 10.0.0.9:443: connect: no route to host":                             "there is no route to it",
		"dial tcp 10.0.0.9:443: connect: network is unreachable":                       "its network is unreachable",
		"tls: failed to verify certificate: x509: certificate signed by unknown":       "its certificate is not trusted",
		"tls: first record does not look like a TLS handshake":                         "it does not speak TLS as expected",
		"dial tcp 10.0.0.9:443: i/o timeout":                                           "it does not answer",
		"context deadline exceeded":                                                    "it does not answer",
		"dial tcp: something new that nobody has seen, of https://hooks.example/token": "no connection can be made",
	} {
		if got := wordDial(errors.New(text)); got != want {
			t.Errorf("%q is worded %q, want %q", text, got, want)
		}
	}
}

func TestUnopened_SaysWhatToDoAboutAFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flag string
		err  error
		want string
		code chatops.Code
	}{
		{"record", fs.ErrExist, "--record f.jsonl: the file exists, and is not overwritten: give another name", chatops.CodeUsage},
		{"replay", fs.ErrNotExist, "--replay f.jsonl: there is no such file", chatops.CodeNotFound},
		{"record", fs.ErrNotExist, "--record: file does not exist", chatops.CodeUsage},
		{"replay", fs.ErrPermission, "--replay: permission denied", chatops.CodeUsage},
	} {
		err := unopened(tt.flag, "f.jsonl", tt.err)
		if err.Error() != tt.want || chatops.ErrorCode(err) != tt.code {
			t.Errorf("--%s, %v: %v (%s), want %s", tt.flag, tt.err, err, chatops.ErrorCode(err), tt.want)
		}
	}
}

// breakersAt are breakers whose time a test makes.
func breakersAt(now *time.Time) *breaker.Set {
	return breaker.NewSet(breaker.Options{FailMax: 1, ResetTimeout: time.Minute, NowFunc: func() time.Time { return *now }})
}

// failOnce opens a breaker.
func failOnce(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	p, ok := b.Allow()
	if !ok {
		t.Fatal("the breaker is open already")
	}
	p.FailureBecause("HTTP 503")
}

func TestCutOff_NamesWhatLetsNothingThrough(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	set := breakersAt(&now)
	for _, name := range []string{"slack", "email", "monday"} {
		set.Get(name)
	}
	wantCutOff := func(when string, want ...string) {
		t.Helper()
		if got := cutOff(set); !slices.Equal(got, want) {
			t.Errorf("%s: %v are cut off, want %v", when, got, want)
		}
	}
	wantCutOff("all are closed")
	failOnce(t, set.Get("slack"))
	wantCutOff("one is open", "slack")
	set.Get("monday").Trip(time.Time{}, "maintenance")
	wantCutOff("one more is tripped", "monday", "slack")
	now = now.Add(2 * time.Minute)
	wantCutOff("the open one may be probed", "monday")
	probe, ok := set.Get("slack").Allow()
	if !ok {
		t.Fatal("no probe is let through")
	}
	wantCutOff("a probe is out", "monday", "slack")
	probe.Success()
	wantCutOff("the probe went well", "monday")
	set.Get("monday").Auto()
	now = now.Add(time.Hour)
	if got := cutOff(set); slices.Contains(got, "slack") {
		t.Errorf("%v are cut off", got)
	}
}

func TestBreakerHealth_TellsHowLongOnlyWhileItIsOpen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	set := breakersAt(&now)
	b := set.Get("slack")
	s := b.Snapshot()
	if h := breakerHealth(&s); h.State != "closed" || h.OpenForSeconds != 0 || h.FailCount != 0 || h.Reason != "" || !h.RetryAt.IsZero() {
		t.Errorf("closed it is %+v", h)
	}
	failOnce(t, b)
	s = b.Snapshot()
	if h := breakerHealth(&s); h.State != "open" || h.OpenForSeconds != 60 || h.FailCount != 1 || h.Reason != "HTTP 503" || !h.RetryAt.Equal(now.Add(time.Minute)) {
		t.Errorf("open it is %+v", h)
	}
	now = now.Add(time.Hour)
	s = b.Snapshot()
	if h := breakerHealth(&s); h.State != "half_open" || h.OpenForSeconds != 0 {
		t.Errorf("half open it is %+v", h)
	}
}

func TestDeclareBreakers_MakesOnePerIntegrationAndOneForTheModel(t *testing.T) {
	t.Parallel()
	now := time.Now()
	set := breakersAt(&now)
	declareBreakers(settingsOf(t, map[string]string{"WEBHOOKS": "crm=https://crm.example/hook,erp=https://erp.example/hook"}), set)
	var names []string
	for _, s := range set.Snapshots() {
		names = append(names, s.Name)
		if s.State != breaker.Closed {
			t.Errorf("%s is %s before its first call", s.Name, s.State)
		}
	}
	if got, want := strings.Join(names, " "), "email llm monday slack webhook:crm webhook:erp"; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
}

func TestSenderOptions_CarryTheSettings(t *testing.T) {
	t.Parallel()
	o := senderOptions(settingsOf(t, map[string]string{
		"SLACK_WEBHOOK_URL": "https://hooks.example/x", "SLACK_RATE": "2.5", "MONDAY_API_KEY": "k", "MONDAY_BOARD_ID": "42", "MONDAY_API_URL": "https://monday.example/v2",
		"MONDAY_COLUMNS": "email=e1,phone=p1", "MONDAY_EXTERNAL_ID_COLUMN": "key", "SMTP_URL": "smtp://mail.example", "MAIL_FROM": "Bot <bot@firma.example>",
		"WEBHOOKS": "crm=https://crm.example/hook,erp=https://erp.example/hook", "WEBHOOK_SECRETS": "crm=whsec_x",
	}))
	if o.Slack.WebhookURL != "https://hooks.example/x" || o.Slack.Rate != 2.5 {
		t.Errorf("slack is %+v", o.Slack)
	}
	if m := o.Monday; m.APIKey != "k" || m.BoardID != "42" || m.URL != "https://monday.example/v2" || m.Columns["phone"] != "p1" || len(m.Columns) != 2 || m.ExternalIDColumn != "key" {
		t.Errorf("monday is %+v", m)
	}
	if o.Email.URL != "smtp://mail.example" || o.Email.From != "Bot <bot@firma.example>" {
		t.Errorf("e-mail is %+v", o.Email)
	}
	if crm, erp := o.Webhooks["crm"], o.Webhooks["erp"]; len(o.Webhooks) != 2 || crm.URL != "https://crm.example/hook" || crm.Secret != "whsec_x" || erp.Secret != "" {
		t.Errorf("the webhooks are %+v", o.Webhooks)
	}
}

func TestEngineOptions_CarryTheSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		env     map[string]string
		retries int
		delay   time.Duration
		sweep   time.Duration
		lease   time.Duration
	}{
		{"as it is", nil, 5, 5 * time.Minute, time.Second, 30 * time.Second},
		{"no retries", map[string]string{"DLQ_MAX_RETRIES": "0"}, -1, 5 * time.Minute, time.Second, 30 * time.Second},
		{"quick", map[string]string{"DLQ_RETRY_DELAY_MINUTES": "0.5", "DLQ_RETRY_MINUTES": "0.01"}, 5, 30 * time.Second, 600 * time.Millisecond, 30 * time.Second},
		{"slow", map[string]string{"DLQ_MAX_RETRIES": "100", "DLQ_RETRY_MINUTES": "60", "DLQ_LEASE_SECONDS": "90"}, 100, 5 * time.Minute, time.Second, 90 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := engineOptions(settingsOf(t, tt.env), slog.New(slog.DiscardHandler), nil)
			if o.Retry.MaxRetries != tt.retries || o.Retry.Delay != tt.delay || o.SweepEvery != tt.sweep || o.Lease != tt.lease {
				t.Errorf("%d retries after %s, swept every %s, leased for %s", o.Retry.MaxRetries, o.Retry.Delay, o.SweepEvery, o.Lease)
			}
			if o.Replica != replica() || o.LeaveUnconfigured {
				t.Errorf("it is replica %s, and leaves alone what is not configured: %t", o.Replica, o.LeaveUnconfigured)
			}
		})
	}
}

func TestAlarm_CarriesTheSettings(t *testing.T) {
	t.Parallel()
	a := (&service{}).alarm(settingsOf(t, map[string]string{
		"DLQ_ALERT_WAITING": "7", "DLQ_ALERT_AGE_MINUTES": "1.5", "DLQ_ALERT_GROWTH": "0", "ESCALATION_EMAIL": "ola@firma.example",
	}), slog.New(slog.DiscardHandler))
	if want := (chatops.QueueLimits{Waiting: 7, Age: 90 * time.Second}); a.Limits != want || a.Email != "ola@firma.example" || a.Replica != replica() {
		t.Errorf("the alarm is %+v, want the limits %+v", a, want)
	}
	a = (&service{}).alarm(settingsOf(t, nil), slog.New(slog.DiscardHandler))
	if want := (chatops.QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20}); a.Limits != want || a.Email != "" {
		t.Errorf("without settings it is %+v, want the limits %+v", a, want)
	}
}

func TestCounting_WordsWhatWasDone(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is away")
	for _, tt := range []struct {
		n    int
		err  error
		want string
	}{
		{0, nil, "0 alerts deleted"},
		{1, nil, "1 alert deleted"},
		{312, nil, "312 alerts deleted"},
		{7, broken, "7 alerts deleted"},
	} {
		said, err := counting(func(context.Context) (int, error) { return tt.n, tt.err }, "deleted")(t.Context())
		if said != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%d, %v: it says %q, %v", tt.n, tt.err, said, err)
		}
	}
}

func TestRetention_WithoutASetting_DeletesNothing(t *testing.T) {
	t.Parallel()
	said, err := (&service{}).retention(settingsOf(t, nil))(t.Context()) // there is no store to ask
	if err != nil || said != "RETENTION_MONTHS is not set: nothing has an end" {
		t.Errorf("it says %q, %v", said, err)
	}
}

func TestCachePrefix_IsThatOfADatabase(t *testing.T) {
	t.Parallel()
	prefix := func(url string) string { return cachePrefix(settingsOf(t, map[string]string{"DATABASE_URL": url})) }
	one := prefix("postgres://u:first@db.example:5432/chatops")
	if !strings.HasPrefix(one, cache.DefaultPrefix+":") || len(one) != len(cache.DefaultPrefix)+13 {
		t.Errorf("the prefix is %q", one)
	}
	if other := prefix("postgres://v:second@db.example:5432/chatops?sslmode=require"); other != one {
		t.Errorf("another password gives %q instead of %q", other, one)
	}
	seen := map[string]string{one: "the first"}
	for _, url := range []string{
		"postgres://u:p@db.example:5432/other", "postgres://u:p@db2.example:5432/chatops", "sqlite://a.db", "sqlite://b.db", "sqlite::memory:", "sqlite::memory:",
	} {
		p := prefix(url)
		if before, taken := seen[p]; taken {
			t.Errorf("%s has the prefix of %s", url, before)
		}
		seen[p] = url
	}
	if prefix("sqlite://a.db") != prefix("sqlite://./a.db") {
		t.Error("one file has two prefixes")
	}
}

func TestApplyLimits_OfBadSettings_ChangesNothing(t *testing.T) {
	t.Parallel()
	cfg := settingsOf(t, map[string]string{"CHAT_RATE_LIMIT": "7 per minute"})
	limits, err := newLimits(cfg, slog.New(slog.DiscardHandler), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken := chatops.Errorf(chatops.CodeInvalid, "settings: PORT is wrong")
	for _, tt := range []struct {
		name   string
		reload func() (*config.Config, error)
		want   string
		fails  bool
	}{
		{"at first", func() (*config.Config, error) { return cfg, nil }, "7 per minute", false},
		{"settings that cannot be read", func() (*config.Config, error) { return nil, broken }, "7 per minute", true},
		{"a limit that is none", func() (*config.Config, error) { return &config.Config{ChatRateLimit: "many"}, nil }, "7 per minute", true},
		{"another limit", func() (*config.Config, error) {
			return settingsOf(t, map[string]string{"CHAT_RATE_LIMIT": "9 per hour"}), nil
		}, "9 per hour", false},
	} {
		if err := applyLimits(tt.reload, limits); (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := valueOf(limits, "chat"); got != tt.want {
			t.Errorf("%s: the limit of the chat is %q, want %q", tt.name, got, tt.want)
		}
	}
}

// valueOf is what a limit is reported to be.
func valueOf(limits *ratelimit.Limits, name string) string {
	r := limits.Report()
	for _, l := range r.Limits {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

func TestConfiguredMarks_AreThoseOfTheKeys(t *testing.T) {
	t.Parallel()
	if marks, err := configuredMarks(settingsOf(t, nil)); err != nil || marks != nil {
		t.Errorf("without keys there are marks, or %v", err)
	}
	key := "k1:" + strings.Repeat("A", 43) + "="
	marks, err := configuredMarks(settingsOf(t, map[string]string{"CONSENT_KEYS": key}))
	if err != nil {
		t.Fatal(err)
	}
	list := marks("anna@example.pl")
	if len(list) != 2 || !strings.HasPrefix(list[0], "hmac:k1:") || slices.Contains(marks("ola@example.pl"), list[0]) {
		t.Errorf("the marks are %v", list)
	}
	if _, err := configuredMarks(&config.Config{ConsentKeys: config.NewSecret("k1:AAAA")}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a short key: %v", err)
	}
}

func TestUnixSeconds_OfNoMomentIsZero(t *testing.T) {
	t.Parallel()
	for want, at := range map[float64]time.Time{
		0: {}, 1: time.Unix(1, 0), 1.5: time.Unix(1, 500_999_999), 1_770_000_000.25: time.Unix(1_770_000_000, 250_000_000),
	} {
		if got := unixSeconds(at); got != want {
			t.Errorf("%s is %v, want %v", at, got, want)
		}
	}
	if truth(true) != 1 || truth(false) != 0 {
		t.Errorf("yes is %v and no is %v", truth(true), truth(false))
	}
}
