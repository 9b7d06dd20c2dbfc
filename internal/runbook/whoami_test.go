package runbook

import (
	"strings"
	"testing"
)

func TestWhoami_TellsTheEnvironmentAndNoSecret(t *testing.T) {
	t.Parallel()
	const redisPassword = "redis-canary-1"
	for _, tt := range []struct {
		name, profile, redis, want string
	}{
		{"no profile", "", "", `{"actor":"ewa","host":"ops-1","profile":null,"environment":"default","changes":"asked","protected":false,"read_only":false,` +
			`"database_engine":"postgresql","database_host":"db.example:5432/chatops","redis_host":null,"version":"` + Version() + `"}`},
		{"protected", protectedProd, "redis://app:" + redisPassword + "@cache.example:6379/0", `"profile":"prod","environment":"Production","changes":"protected",` +
			`"protected":true,"read_only":false,"database_engine":"postgresql","database_host":"db.example:5432/chatops","redis_host":"cache.example:6379/0"`},
		{"read-only wins", protectedProd + "read_only = true\n", "", `"changes":"refused","protected":true,"read_only":true`},
	} {
		c := newConsole(t, newFakeStore())
		if tt.profile != "" {
			c.profile(tt.profile)
		}
		if tt.redis != "" {
			c.vars["REDIS_URL"] = tt.redis
		}
		c.must(exitOK, "whoami -o jsonl")
		if !strings.Contains(c.out.String(), tt.want) || c.opened > 0 || strings.Contains(c.out.String(), redisPassword) {
			t.Errorf("%s: opened %d, prints %s\nwant %s", tt.name, c.opened, &c.out, tt.want)
		}
	}
}

func TestWhoami_IsReadAsATable(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore()).terminal("").profile(protectedProd)
	c.vars["DATABASE_URL"] = "sqlite://instance/chatbot.db"
	c.must(exitOK, "whoami --color never")
	c.prints(`FIELD        VALUE
actor        ewa
host         ops-1
profile      prod
environment  Production
changes      are confirmed by typing prod
database     instance/chatbot.db (sqlite)
redis        none
version      ` + Version() + "\n")
	c.must(exitOK, "whoami --color always")
	if !strings.Contains(c.out.String(), "\x1b[31mProduction\x1b[0m") {
		t.Errorf("the environment lacks its colour:\n%s", &c.out)
	}
	c.must(exitUsage, "whoami --profile stage")
}
