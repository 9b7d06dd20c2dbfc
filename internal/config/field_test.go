package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fieldOf returns the setting of a variable.
func fieldOf(tb testing.TB, env string) *Field {
	tb.Helper()
	for _, f := range Fields() {
		if f.Env == env {
			return &f
		}
	}
	tb.Fatalf("no setting %s", env)
	return nil
}

func TestFields_TagsAreComplete(t *testing.T) {
	t.Parallel()
	seenEnv, seenFlag := map[string]bool{}, map[string]bool{}
	for _, f := range Fields() {
		number, _ := f.isNumber()
		switch {
		case f.Help == "" || !strings.HasSuffix(f.Help, "."):
			t.Errorf("%s: help must be a sentence, is %q", f.Env, f.Help)
		case seenEnv[f.Env] || f.Flag != "" && seenFlag[f.Flag]:
			t.Errorf("%s: name or flag used twice", f.Env)
		case number && (f.min == "" || f.max == "" || f.Default == ""):
			t.Errorf("%s: a number needs min, max and default", f.Env)
		case f.kind == typeDuration && f.unit == 0:
			t.Errorf("%s: a duration needs a unit", f.Env)
		case f.form != "" && forms[f.form].checkFunc == nil:
			t.Errorf("%s: unknown form %q", f.Env, f.form)
		}
		seenEnv[f.Env], seenFlag[f.Flag] = true, true
		if f.Default != "" && !f.set(new(Config), f.Default) {
			t.Errorf("%s: the default %q does not have the form %q", f.Env, f.Default, f.Form)
		}
	}
}

func TestFields_SecretsHaveRedactingTypes(t *testing.T) {
	t.Parallel()
	for _, f := range Fields() {
		named := strings.HasSuffix(f.Env, "_KEY") || strings.HasSuffix(f.Env, "_SECRETS") || f.Env == "SLACK_WEBHOOK_URL" || f.Env == "WEBHOOKS"
		if named && !f.Secret {
			t.Errorf("%s is named like a secret and is shown", f.Env)
		}
		if f.Secret && f.kind != typeSecret && f.kind != typeSecretPairs {
			t.Errorf("%s is secret and its type %s does not redact itself", f.Env, f.kind)
		}
	}
}

func TestParse_AcceptsAndRejectsByForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env, text string
		want      any // nil: rejected
	}{
		{"PORT", "9000", 9000},
		{"PORT", "0", 0},
		{"PORT", "-1", nil},
		{"PORT", "65536", nil},
		{"PORT", "80.5", nil},
		{"PORT", "0x50", nil},
		{"PORT", "1e3", nil},
		{"PORT", "http", nil},
		{"PORT", "", nil},
		{"DLQ_RETRY_MINUTES", "0.5", 30 * time.Second},
		{"DLQ_RETRY_DELAY_MINUTES", "5", 5 * time.Minute},
		{"DLQ_RETRY_DELAY_MINUTES", "0", nil},
		{"DLQ_RETRY_DELAY_MINUTES", "NaN", nil},
		{"DLQ_RETRY_DELAY_MINUTES", "Inf", nil},
		{"DLQ_CLEANUP_DAYS", "30", 30 * 24 * time.Hour},
		{"DLQ_CLEANUP_DAYS", "1.5", nil},
		{"CB_RESET_TIMEOUT", "60", time.Minute},
		{"CB_RESET_TIMEOUT", "60s", nil},
		{"SLACK_RATE", "0.5", 0.5},
		{"SCHEDULER_ENABLED", "No", false},
		{"SCHEDULER_ENABLED", "maybe", nil},
		{"LOG_FORMAT", "JSON", "json"},
		{"LOG_FORMAT", "xml", nil},
		{"CONSENT_MODE", "implied", "implied"},
		{"ADMIN_EMAIL", "jan@firma.example", "jan@firma.example"},
		{"ADMIN_EMAIL", "a@b.example, c@d.example", nil},
		{"ADMIN_EMAIL", "Jan <jan@firma.example>", nil},
		{"MAIL_FROM", "Bot <bot@firma.example>", "Bot <bot@firma.example>"},
		{"MAIL_FROM", "bot@firma.example\r\nBcc: x@y.example", nil},
		{"MONDAY_BOARD_ID", "12ab", nil},
		{"MONDAY_COLUMNS", "email=e1, phone = p1", Pairs{{"email", "e1"}, {"phone", "p1"}}},
		{"MONDAY_COLUMNS", "email", nil},
		{"MONDAY_COLUMNS", "a=1,a=2", nil},
		{"CORS_ALLOWED_ORIGINS", "https://a.example, *", []string{"https://a.example", "*"}},
		{"CORS_ALLOWED_ORIGINS", "https://a.example/path", nil},
		{"PUBLIC_URL", "ftp://x", nil},
		{"LISTEN", "127.0.0.1:9", "127.0.0.1:9"},
		{"LISTEN", "::1", "::1"},
		{"LISTEN", "127.0.0.1:99999", nil},
		{"LISTEN", "not a host", nil},
		{"CACHE_CLEANUP_MINUTES", "0.25", 15 * time.Second},
		{"RATE_LIMIT_KEYS", "999", nil},
		{"LEAD_RATE_LIMIT", "10/second;200 per hour", "10/second;200 per hour"},
		{"LEAD_RATE_LIMIT", "many per minute", nil},
		{"LEAD_RATE_LIMIT", "0 per minute", nil},
		{"TRUSTED_PROXIES", "10.0.0.0/8, ::1", []string{"10.0.0.0/8", "::1"}},
		{"TRUSTED_PROXIES", "10.0.0.0/33", nil},
		{"TRUSTED_PROXIES", "proxy.example", nil},
	}
	for _, tt := range tests {
		got, ok := fieldOf(t, tt.env).parse(tt.text)
		if ok != (tt.want != nil) || ok && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s=%q gives %#v, %t; want %#v", tt.env, tt.text, got, ok, tt.want)
		}
	}
}

func TestParse_AddressForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env, text string
		ok        bool
	}{
		{"DATABASE_URL", "sqlite://instance/chatbot.db", true},
		{"DATABASE_URL", "sqlite:///abs/c.db", true},
		{"DATABASE_URL", "sqlite::memory:", true},
		{"DATABASE_URL", "sqlite://", false},
		{"DATABASE_URL", "postgresql://u:p@h:5432/d", true},
		{"DATABASE_URL", "postgres://u:p@h1:1,h2:2/d", true},
		{"DATABASE_URL", "postgres://u:p%zz@h/d", false},
		{"DATABASE_URL", "postgres://u:a@b/c@h/d", false},
		{"DATABASE_URL", "postgres:///d?host=/run/postgresql", true},
		{"DATABASE_URL", "mysql://h/d", false},
		{"DATABASE_URL", "postgres://u:p@w@h/d", false},
		{"DATABASE_URL", "postgres://u:p%40w@h/d", true},
		{"DATABASE_URL", "host=h dbname=d", false},
		{"REDIS_URL", "rediss://:p@h:6379/1", true},
		{"REDIS_URL", "unix:///run/redis.sock", true},
		{"REDIS_URL", "redis+sentinel://app:p@h1,h2:26379/mine/0", true},
		{"REDIS_URL", "rediss+cluster://app:p@h1,h2?ca=/etc/ca.pem", true},
		{"REDIS_URL", "redis+sentinel://h1", false},
		{"REDIS_URL", "h:6379", false},
		{"REDIS_URL", "redis://h1:6379,h2:6379", false},
		{"REDIS_URL", "redis+sentinel://u:p@h1:26379,h2:26379/master/0", true},
		{"REDIS_URL", "rediss+sentinel://h1:26379/master?sentinel_password=x", true},
		{"REDIS_URL", "redis+cluster://u:p@h1:7000,h2:7001", true},
		{"REDIS_URL", "rediss+cluster://h1", true},
		{"REDIS_URL", "redis+cluster:///0", false},
		{"REDIS_URL", "redis+other://h1", false},
		{"REDIS_URL", "unix:///run/redis/redis.sock?db=1", true},
		{"REDIS_URL", "unix://u:p@/run/redis.sock", true},
		{"REDIS_URL", "unix://run/redis.sock", false},
		{"REDIS_URL", "unix:///", false},
		{"SMTP_URL", "smtp://u:p@h:587?tls=implicit", true},
		{"SMTP_URL", "smtp://h?tls=maybe", false},
		{"SMTP_URL", "smtp://h?tsl=none", false},
		{"SMTP_URL", "smtps://h", false},
		{"WEBHOOKS", "crm=https://crm.example/hook?k=1,erp=http://erp/x", true},
		{"WEBHOOKS", "crm=crm.example", false},
		{"WEBHOOKS", "c r m=https://crm.example", false},
		{"SLACK_WEBHOOK_URL", "https://hooks.slack.example/services/T/B/x", true},
		{"SLACK_WEBHOOK_URL", "hooks.slack.example", false},
	}
	for _, tt := range tests {
		if _, ok := fieldOf(t, tt.env).parse(tt.text); ok != tt.ok {
			t.Errorf("%s=%q accepted: %t, want %t", tt.env, tt.text, ok, tt.ok)
		}
	}
}

func TestParse_WholeNumbersKeepTheirValue(t *testing.T) {
	t.Parallel()
	f := fieldOf(t, "PORT")
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-100_000, 100_000).Draw(t, "n")
		got, ok := f.parse(strconv.Itoa(n))
		if ok != (n >= 0 && n <= 65535) || ok && got != n {
			t.Fatalf("%d gives %v, %t", n, got, ok)
		}
	})
}

func FuzzParse_NeverPanicsAndStaysInBounds(f *testing.F) {
	for _, s := range []string{"5", "0", "0.5", "-1", "1e9", "true", "a=b", "postgres://u:p@h/d", "smtp://h?tls=none", "\x00"} {
		f.Add(s)
	}
	fields := Fields()
	f.Fuzz(func(t *testing.T, text string) {
		for i := range fields {
			field := &fields[i]
			v, ok := field.parse(text)
			if !ok {
				continue
			}
			if d, isDuration := v.(time.Duration); isDuration && (d < 0 || d == 0 && field.min != "0" || d > 3650*24*time.Hour) {
				t.Errorf("%s=%q gives %s", field.Env, text, d)
			}
			if n, isFloat := v.(float64); isFloat && (math.IsNaN(n) || n <= 0) {
				t.Errorf("%s=%q gives %v", field.Env, text, n)
			}
		}
	})
}
