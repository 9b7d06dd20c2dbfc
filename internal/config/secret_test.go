package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

const canary = "hunter2-canary"

// everyPrint renders a value in all the ways that code could come to print it.
func everyPrint(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20s", "%T"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	fmt.Fprintln(&b, v)
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json: %v", err)
	}
	b.Write(raw)
	if raw, err = yaml.Marshal(v); err != nil {
		t.Fatalf("yaml: %v", err)
	}
	b.Write(raw)
	if raw, err = toml.Marshal(map[string]any{"v": v}); err != nil {
		t.Fatalf("toml: %v", err)
	}
	b.Write(raw)
	for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		slog.New(h).Info("x", "v", v)
	}
	return b.String()
}

func assertNoCanary(t *testing.T, name, text string) {
	t.Helper()
	hexed := fmt.Sprintf("%x", canary)
	for _, form := range []string{canary, hexed, strings.ToUpper(hexed)} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
}

func TestSecret_IsNeverShown(t *testing.T) {
	t.Parallel()
	type hidden struct{ inner Secret }
	type open struct {
		S Secret
		P *Secret
		L []Secret
		M map[string]Secret
	}
	s := NewSecret(canary)
	values := map[string]any{
		"secret": s, "pointer": &s, "unexported field": hidden{s},
		"struct": open{S: s, P: &s, L: []Secret{s}, M: map[string]Secret{"k": s}},
		"pairs":  SecretPairs{{Name: "crm", Value: s}},
		"config": Config{AdminAPIKey: s, SlackWebhookURL: s, Webhooks: SecretPairs{{Name: "crm", Value: s}}, DatabaseURL: NewURL("postgres://u:" + canary + "@h/d")},
	}
	for name, v := range values {
		assertNoCanary(t, name, everyPrint(t, v))
	}
	if s.Reveal() != canary {
		t.Errorf("Reveal = %q", s.Reveal())
	}
}

func TestSecret_ShowsWhetherThereIsOne(t *testing.T) {
	t.Parallel()
	if got := NewSecret("").String(); got != "" || !NewSecret("").IsZero() {
		t.Errorf("empty secret shows %q", got)
	}
	var b bytes.Buffer
	fmt.Fprint(&b, NewSecret("x"))
	if b.String() != "[redacted]" {
		t.Errorf("secret shows %q", b.String())
	}
}

func TestURL_ShowsEverythingButItsSecrets(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, shown, host string }{
		{"postgres://app:pw@db.example:5432/chatops", "postgres://app:[redacted]@db.example:5432/chatops", "db.example:5432/chatops"},
		{"postgres://app:p%40w@h1:5432,h2:5432/c?target_session_attrs=read-write", "postgres://app:[redacted]@h1:5432,h2:5432/c?target_session_attrs=read-write", "h1:5432,h2:5432/c"},
		{"postgres://app@h/d?sslpassword=x&sslmode=require", "postgres://app@h/d?sslpassword=[redacted]&sslmode=require", "h/d"},
		{"postgres:///d?host=/run/pg&password=x", "postgres:///d?host=/run/pg&password=[redacted]", "/run/pg/d"},
		{"postgres://app:a/b@h/d", "[redacted]", ""},
		{"redis://:pw@cache:6379/0", "redis://:[redacted]@cache:6379/0", "cache:6379/0"},
		{"redis://token@cache", "redis://[redacted]@cache", "cache"},
		{"redis+sentinel://a:pw@h1,h2:1/m?sentinel_password=x", "redis+sentinel://a:[redacted]@h1,h2:1/m?sentinel_password=[redacted]", "h1,h2:1/m"},
		{"unix://:pw@/run/redis.sock?db=1", "unix://:[redacted]@/run/redis.sock?db=1", "/run/redis.sock"},
		{"sqlite://instance/chat@home.db", "sqlite://instance/chat@home.db", "instance/chat@home.db"},
		{"sqlite:///var/lib/chatops/c.db", "sqlite:///var/lib/chatops/c.db", "/var/lib/chatops/c.db"},
		{"sqlite::memory:", "sqlite://:memory:", ":memory:"},
		{"smtp://bot:pw@mail.example:587?tls=starttls", "smtp://bot:[redacted]@mail.example:587?tls=starttls", "mail.example:587"},
		{"host=db password=pw", "[redacted]", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		u := NewURL(tt.in)
		if u.String() != tt.shown || u.Host() != tt.host {
			t.Errorf("URL %q shows %q at host %q, want %q at %q", tt.in, u.String(), u.Host(), tt.shown, tt.host)
		}
	}
}

func TestURL_NeverShowsAPassword(t *testing.T) {
	t.Parallel()
	schemes := rapid.SampledFrom([]string{"postgres", "redis", "rediss+sentinel", "unix", "smtp", "https"})
	rapid.Check(t, func(t *rapid.T) {
		password := "Z" + rapid.StringMatching(`[!-~]{0,6}`).Draw(t, "a") + canary + rapid.StringMatching(`[!-~]{0,6}`).Draw(t, "b")
		u := NewURL(schemes.Draw(t, "scheme") + "://user:" + password + "@host.example:99/path?x=1")
		if strings.Contains(u.String(), canary) || strings.Contains(u.Host(), canary) {
			t.Fatalf("%q shows as %q, host %q", u.Reveal(), u.String(), u.Host())
		}
	})
}

func FuzzURL_NeverShowsAPassword(f *testing.F) {
	f.Add("postgres", "/name?a=b")
	f.Add("redis", "#@?/")
	f.Add("smtp", "@@//")
	f.Fuzz(func(t *testing.T, scheme, tail string) {
		if isSQLite(scheme) || strings.HasPrefix(strings.ToLower(scheme), "sqlite://") {
			t.Skip("a path")
		}
		u := NewURL(scheme + "://user:" + canary + "@host" + tail)
		if strings.Contains(u.String(), canary) || strings.Contains(u.Host(), canary) {
			t.Fatalf("%q shows as %q, host %q", u.Reveal(), u.String(), u.Host())
		}
	})
}
