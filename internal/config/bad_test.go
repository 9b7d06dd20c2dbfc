package config

import (
	"fmt"
	"testing"
)

// badSettings are values that each setting refuses, and what it says would have
// been right.
var badSettings = []struct {
	env  string
	bad  []string
	want string
}{
	{
		env:  "DATABASE_URL",
		bad:  []string{"mysql://u@h/d", "postgres://u:a@b@h/d"},
		want: "must be sqlite://path/to/file.db or postgres://user:password@host:5432/name, with special characters of the password percent-encoded",
	},
	{
		env:  "REDIS_URL",
		bad:  []string{"http://h:6379", "redis:///x y"},
		want: "must be redis://user:password@host:6379/0, rediss://..., unix:///path/redis.sock, redis+sentinel://user:password@host1:26379,host2:26379/mastername/0 or redis+cluster://user:password@host1:6379,host2:6379",
	},
	{
		env:  "PORT",
		bad:  []string{"many", "-1", "65536", "0.5"},
		want: "must be a whole number from 0 to 65535",
	},
	{
		env:  "LISTEN",
		bad:  []string{"http://127.0.0.1", "127.0.0.1:70000"},
		want: "must be an address such as 127.0.0.1, [::1] or 127.0.0.1:8080",
	},
	{
		env:  "PUBLIC_URL",
		bad:  []string{"llm.example", "ftp://a.example"},
		want: "must be an https:// or http:// address",
	},
	{
		env:  "CORS_ALLOWED_ORIGINS",
		bad:  []string{"https://a.example/path", "a.example"},
		want: "must be origins such as https://www.firma.example, separated by commas, or *",
	},
	{
		env:  "ADMIN_API_KEY",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "CHAT_RATE_LIMIT",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "API_RATE_LIMIT_HOUR",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "API_RATE_LIMIT_MINUTE",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "HEALTH_RATE_LIMIT",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "CONSENT_RATE_LIMIT",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "LEAD_RATE_LIMIT",
		bad:  []string{"many", "0 per minute"},
		want: `must be limits such as "30 per minute" or "10/second", joined by ";"`,
	},
	{
		env:  "RATE_LIMIT_ENABLED",
		bad:  []string{"maybe", "2"},
		want: "must be true or false",
	},
	{
		env:  "RATE_LIMIT_KEYS",
		bad:  []string{"many", "999", "10000001", "1000.5"},
		want: "must be a whole number from 1000 to 10000000",
	},
	{
		env:  "TRUSTED_PROXIES",
		bad:  []string{"10.0.0.0/33", "proxy"},
		want: "must be addresses and networks such as 10.0.0.0/8 or 192.0.2.7, separated by commas",
	},
	{
		env:  "ENVIRONMENT",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "MIGRATION_SECRET",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "LOG_LEVEL",
		bad:  []string{"other", "debuginfo"},
		want: "must be one of debug, info, warn, error",
	},
	{
		env:  "LOG_FORMAT",
		bad:  []string{"other", "textjson"},
		want: "must be one of text, json",
	},
	{
		env:  "KNOWLEDGE_DIR",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "CONSENT_MODE",
		bad:  []string{"other", "explicitimplied"},
		want: "must be one of explicit, implied",
	},
	{
		env:  "CONSENT_KEYS",
		bad:  []string{"k1", "k1:AAAA"},
		want: "must be id:base64 entries separated by commas, newest first, each with at least 32 random bytes (openssl rand -base64 32)",
	},
	{
		env:  "RETENTION_MONTHS",
		bad:  []string{"0", "messages=3"},
		want: "must be a number of months, or entries such as conversations=24,leads=36,audit=72,access=24, each from 1 to 1200",
	},
	{
		env:  "FOLLOWUP_SCHEDULE",
		bad:  []string{"72h 24h", "soon"},
		want: "must be 1 to 9 growing delays from 1m to 90d, such as 24h 72h 168h, or off",
	},
	{
		env:  "SCHEDULER_ENABLED",
		bad:  []string{"maybe", "2"},
		want: "must be true or false",
	},
	{
		env:  "DLQ_MAX_RETRIES",
		bad:  []string{"many", "-1", "101", "0.5"},
		want: "must be a whole number from 0 to 100",
	},
	{
		env:  "DLQ_RETRY_DELAY_MINUTES",
		bad:  []string{"many", "0.0005", "1441"},
		want: "must be a number from 0.001 to 1440 (minutes)",
	},
	{
		env:  "DLQ_RETRY_MINUTES",
		bad:  []string{"many", "0.0005", "1441"},
		want: "must be a number from 0.001 to 1440 (minutes)",
	},
	{
		env:  "DLQ_CLEANUP_DAYS",
		bad:  []string{"many", "0", "3651", "1.5"},
		want: "must be a whole number from 1 to 3650 (days)",
	},
	{
		env:  "DLQ_EDIT",
		bad:  []string{"maybe", "2"},
		want: "must be true or false",
	},
	{
		env:  "DLQ_LEASE_SECONDS",
		bad:  []string{"many", "0", "3601", "1.5"},
		want: "must be a whole number from 1 to 3600 (seconds)",
	},
	{
		env:  "DLQ_ALERT_WAITING",
		bad:  []string{"many", "-1", "100000001", "0.5"},
		want: "must be a whole number from 0 to 100000000",
	},
	{
		env:  "DLQ_ALERT_AGE_MINUTES",
		bad:  []string{"many", "-0.0005", "100001"},
		want: "must be a number from 0 to 100000 (minutes)",
	},
	{
		env:  "DLQ_ALERT_GROWTH",
		bad:  []string{"many", "-1", "1000001", "0.5"},
		want: "must be a whole number from 0 to 1000000",
	},
	{
		env:  "CACHE_CLEANUP_MINUTES",
		bad:  []string{"many", "0.0005", "1441"},
		want: "must be a number from 0.001 to 1440 (minutes)",
	},
	{
		env:  "CB_FAIL_MAX",
		bad:  []string{"many", "0", "1001", "1.5"},
		want: "must be a whole number from 1 to 1000",
	},
	{
		env:  "CB_RESET_TIMEOUT",
		bad:  []string{"many", "0", "86401", "1.5"},
		want: "must be a whole number from 1 to 86400 (seconds)",
	},
	{
		env:  "CB_MAX_OPEN_SECONDS",
		bad:  []string{"many", "0", "86401", "1.5"},
		want: "must be a whole number from 1 to 86400 (seconds)",
	},
	{
		env:  "CB_SLOW_SECONDS",
		bad:  []string{"many", "-1", "3601", "0.5"},
		want: "must be a whole number from 0 to 3600 (seconds)",
	},
	{
		env:  "OPENAI_BASE_URL",
		bad:  []string{"llm.example", "ftp://a.example"},
		want: "must be an https:// or http:// address",
	},
	{
		env:  "OPENAI_API_KEY",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "GPT_MODEL",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "OPENAI_TIMEOUT_SECONDS",
		bad:  []string{"many", "0", "26", "1.5"},
		want: "must be a whole number from 1 to 25 (seconds)",
	},
	{
		env:  "OPENAI_IDLE_TIMEOUT_SECONDS",
		bad:  []string{"many", "0", "26", "1.5"},
		want: "must be a whole number from 1 to 25 (seconds)",
	},
	{
		env:  "SLACK_WEBHOOK_URL",
		bad:  []string{"llm.example", "ftp://a.example"},
		want: "must be an https:// or http:// address",
	},
	{
		env:  "SLACK_RATE",
		bad:  []string{"many", "0.0095", "101"},
		want: "must be a number from 0.01 to 100",
	},
	{
		env:  "SLACK_LEAD_SCORE",
		bad:  []string{"many", "-1", "101", "0.5"},
		want: "must be a whole number from 0 to 100",
	},
	{
		env:  "MONDAY_API_KEY",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "MONDAY_BOARD_ID",
		bad:  []string{"12a", "-5"},
		want: "must be digits",
	},
	{
		env:  "MONDAY_API_URL",
		bad:  []string{"llm.example", "ftp://a.example"},
		want: "must be an https:// or http:// address",
	},
	{
		env:  "MONDAY_COLUMNS",
		bad:  []string{"email", "e mail=x"},
		want: "must be name=value entries separated by commas",
	},
	{
		env:  "MONDAY_EXTERNAL_ID_COLUMN",
		bad:  []string{"a\x00b"},
		want: "must be text",
	},
	{
		env:  "SMTP_URL",
		bad:  []string{"https://mail.example", "smtp://mail.example?tls=ssl"},
		want: "must be smtp://user:password@host:587?tls=starttls|implicit|none",
	},
	{
		env:  "MAIL_FROM",
		bad:  []string{"Bot", "a@b.example, c@d.example"},
		want: "must be an e-mail address, as in bot@firma.example or Bot <bot@firma.example>",
	},
	{
		env:  "ESCALATION_EMAIL",
		bad:  []string{"ola", "Ola <ola@firma.example>"},
		want: "must be one e-mail address",
	},
	{
		env:  "ADMIN_EMAIL",
		bad:  []string{"ola", "Ola <ola@firma.example>"},
		want: "must be one e-mail address",
	},
	{
		env:  "WEBHOOKS",
		bad:  []string{"crm", "crm=ftp://a.example"},
		want: "must be name=https://... entries separated by commas",
	},
	{
		env:  "WEBHOOK_SECRETS",
		bad:  []string{"crm", "crm="},
		want: "must be name=secret entries separated by commas",
	},
}

func TestLoad_OfABadValue_NamesTheSettingTheValueAndTheFix(t *testing.T) {
	t.Parallel()
	for _, tt := range badSettings {
		t.Run(tt.env, func(t *testing.T) {
			t.Parallel()
			f := fieldOf(t, tt.env)
			for _, bad := range tt.bad {
				_, err := Load(sources(map[string]string{tt.env: bad}, nil))
				if err == nil {
					t.Errorf("%q is taken", bad)
					continue
				}
				want := fmt.Sprintf("%s is %q (environment): %s", tt.env, f.show(bad), tt.want)
				if list := problemsOf(t, err); len(list) != 1 || list[0].String() != want {
					t.Errorf("%q gives\n%v\nwant\n%s", bad, err, want)
				}
			}
		})
	}
}

func TestLoad_OfABadValue_IsTestedForEverySetting(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, tt := range badSettings {
		tested[tt.env] = true
	}
	for _, f := range Fields() {
		if !tested[f.Env] {
			t.Errorf("%s has no bad value among those of this test", f.Env)
		}
	}
}
