package runbook

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestConfigView_ShowsOriginsAndNoSecret(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore()).profile("port = 9000\n")
	c.vars["ADMIN_API_KEY"] = "key-canary-2"
	c.must(exitOK, "config view --show-origin -o jsonl --redis-url redis://:pw-canary-3@cache:6379")
	for _, want := range []string{
		`{"name":"DATABASE_URL","value":"postgres://app:[redacted]@db.example:5432/chatops","origin":"env","source":"DATABASE_URL"}`,
		`{"name":"REDIS_URL","value":"redis://:[redacted]@cache:6379","origin":"flag","source":"--redis-url"}`,
		`{"name":"PORT","value":"9000","origin":"profile","source":"/home/op/.config/chatops/config.toml [profiles.prod]"}`,
		`{"name":"ADMIN_API_KEY","value":"[redacted]","origin":"env","source":"ADMIN_API_KEY"}`,
		`{"name":"LOG_LEVEL","value":"info","origin":"default"}`,
		`{"name":"SMTP_URL","value":"","origin":"unset"}`,
	} {
		if !strings.Contains(c.out.String(), want+"\n") {
			t.Errorf("missing %s in\n%s", want, &c.out)
		}
	}
	if strings.Contains(c.out.String()+c.err.String(), "canary") {
		t.Errorf("a secret is shown: %s", &c.out)
	}
	if c.opened != 0 {
		t.Error("config view opened the store")
	}
}

func TestConfigView_WithoutOriginsHasTwoColumns(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "config view")
	if !strings.HasPrefix(c.out.String(), "name\tvalue\nDATABASE_URL\tpostgres://app:[redacted]@") {
		t.Errorf("view is %s", &c.out)
	}
	c.must(exitOK, "config view -o json")
	var v struct {
		Profile *string `json:"profile"`
		File    *string `json:"file"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil || v.Profile != nil || v.File != nil {
		t.Errorf("JSON names profile %v and file %v, %v", v.Profile, v.File, err)
	}
}

func TestConfigView_ShowsTheRestWhenSomeSettingsAreBad(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.vars["PORT"] = "eighty"
	c.must(exitUsage, "config view")
	c.says(`chatops: PORT is "eighty" (environment): must be a whole number`)
	if !strings.Contains(c.out.String(), "LOG_LEVEL\tinfo") {
		t.Errorf("view is %s", &c.out)
	}
}

func TestConfigCheck_ProblemsAreAFinding(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "config check -o jsonl")
	c.must(exitOK, "config check")
	c.prints("the settings are sound\n")
	c.vars["PORT"], c.vars["LOG_LEVEL"] = "eighty", "loud"
	c.must(exitFinding, "config check -o json")
	c.says("chatops: 2 problems in the settings")
	var v struct {
		OK       bool          `json:"ok"`
		Problems []problemView `json:"problems"`
		Warnings []string      `json:"warnings"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil || v.OK || len(v.Problems) != 2 || v.Problems[0].Key != "PORT" || v.Problems[0].Value != "eighty" || v.Warnings == nil {
		t.Errorf("JSON is %+v, %v", v, err)
	}
	c.must(exitFinding, "config check -o table")
	if !strings.Contains(c.out.String(), "must be one of debug, info, warn, error") {
		t.Errorf("table is %s", &c.out)
	}
}

func TestSettings_ProblemsStopEveryOtherCommandAtOnce(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"serve", "dlq list", "dlq retry --all --yes", "migrate up"} {
		c := newConsole(t, newFakeStore())
		c.vars["PORT"], c.vars["LOG_LEVEL"] = "eighty", "loud"
		c.must(exitUsage, line)
		c.says("chatops: PORT is \"eighty\"", "chatops: LOG_LEVEL is \"loud\"", "chatops config view --show-origin")
		if c.opened != 0 {
			t.Errorf("%s opened the store", line)
		}
	}
}
