package config

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// Whatever a driver puts around them, no configured secret is left.
func TestScrub_LeavesNoSecretOfAnySetting(t *testing.T) {
	t.Parallel()
	secret := rapid.StringMatching(`[A-Z0-9%]{4,12}`)
	noise := rapid.StringMatching(`[a-z :/@]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		l := &Loaded{secrets: rapid.SliceOfN(secret, 1, 6).Draw(t, "secrets")}
		if rapid.Bool().Draw(t, "one in another") {
			l.secrets = append(l.secrets, l.secrets[0][:4], l.secrets[0]+"X")
		}
		var b strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "pieces") {
			b.WriteString(noise.Draw(t, "noise") + rapid.SampledFrom(l.secrets).Draw(t, "secret"))
		}
		before := slices.Clone(l.secrets)
		got := l.Scrub(b.String())
		for _, s := range l.secrets {
			if strings.Contains(got, s) {
				t.Fatalf("%q became %q, which holds %q", b.String(), got, s)
			}
		}
		if again := l.Scrub(got); again != got || !slices.Equal(before, l.secrets) {
			t.Fatalf("%q became %q, then %q", b.String(), got, again)
		}
	})
}

func TestScrub_TakesTheLongestSecretFirst(t *testing.T) {
	t.Parallel()
	l := &Loaded{secrets: []string{"pass", "password", "key"}}
	if got, want := l.Scrub("password, pass, key"), "[redacted], [redacted], key"; got != want {
		t.Errorf("Scrub = %q, want %q: a short secret stands in ordinary words", got, want)
	}
}

func TestLoad_ReadsTheFileOfAVariable(t *testing.T) {
	t.Parallel()
	denied := &fs.PathError{Op: "open", Path: "/run/denied", Err: fs.ErrPermission}
	for _, c := range []struct{ path, content, want, problem string }{
		{"/run/plain", "k1", "k1", ""},
		{"/run/unix", "k1\n", "k1", ""},
		{"/run/windows", "k1\r\n", "k1", ""},
		{"/run/inside", "k 1\n\n\n", "k 1", ""},
		{"/run/begin", "\nk1", "\nk1", ""},
		{"/run/full", strings.Repeat("k", maxSecretFile), strings.Repeat("k", maxSecretFile), ""},
		{"/run/larger", strings.Repeat("k", maxSecretFile+1), "", `ADMIN_API_KEY_FILE is "/run/larger" (environment): is larger than 64 KiB`},
		{"/run/ends", "\r\n\n", "", `ADMIN_API_KEY_FILE is "/run/ends" (environment): is empty`},
		{"/run/denied", "", "", `ADMIN_API_KEY_FILE is "/run/denied" (environment): cannot be read: permission denied`},
		{"/run/broken", "", "", `ADMIN_API_KEY_FILE is "/run/broken" (environment): cannot be read: input/output error`},
	} {
		s := sources(map[string]string{"ADMIN_API_KEY_FILE": c.path}, nil)
		s.ReadFileFunc = func(path string) ([]byte, error) {
			switch path {
			case denied.Path:
				return nil, denied
			case "/run/broken":
				return nil, errors.New("input/output error")
			}
			return []byte(c.content), nil
		}
		l, err := Load(s)
		if got := l.Config.AdminAPIKey.Reveal(); got != c.want {
			t.Errorf("%s: key %.20q, want %.20q", c.path, got, c.want)
		}
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.HasSuffix(err.Error(), c.problem)) {
			t.Errorf("%s: %v, want %q", c.path, err, c.problem)
		}
	}
}

func TestLoad_EveryFieldTakesItsProblemToItsOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		with func(*Sources)
		want string
	}{
		{"flag", func(s *Sources) { s.Flags = map[string]string{"port": "x"} }, `PORT is "x" (--port)`},
		{"variable", func(s *Sources) { s.LookupEnvFunc = lookup("PORT", "x") }, `PORT is "x" (environment)`},
		{"profile", func(s *Sources) { s.Profile = "bad" }, `PORT is "y" (/c.toml [profiles.bad])`},
		{"file", func(*Sources) {}, `PORT is "z" (/c.toml)`},
	} {
		s := sources(nil, map[string]string{"/c.toml": "port = \"z\"\n[profiles.bad]\nport = \"y\"\n"})
		s.ConfigPath = "/c.toml"
		c.with(&s)
		_, err := Load(s)
		if want := c.want + ": must be a whole number from 0 to 65535"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", c.name, err, want)
		}
		if chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%s: code %q", c.name, chatops.ErrorCode(err))
		}
	}
}

func lookup(name, value string) func(string) (string, bool) {
	return func(n string) (string, bool) {
		if n != name {
			return "", false
		}
		return value, true
	}
}

// What the user asked for with a flag is no surprise.
func TestLoad_WarnsOfNothingThatWasMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with func(*Sources)
		want int
	}{
		"a flag":                 {func(s *Sources) { s.Flags = map[string]string{"port": "3"} }, 0},
		"a variable":             {func(s *Sources) { s.LookupEnvFunc = lookup("PORT", "3") }, 1},
		"the same in a variable": {func(s *Sources) { s.LookupEnvFunc = lookup("PORT", "2") }, 0},
		"nothing":                {func(*Sources) {}, 0},
		"no profile":             {func(s *Sources) { s.Profile, s.LookupEnvFunc = "", lookup("PORT", "3") }, 0},
	} {
		s := sources(nil, map[string]string{"/c.toml": "port = 1\n[profiles.p]\nport = 2\n"})
		s.ConfigPath, s.Profile = "/c.toml", "p"
		c.with(&s)
		l, err := Load(s)
		if err != nil || len(l.Warnings) != c.want {
			t.Errorf("%s: warnings %q, %v", name, l.Warnings, err)
		}
	}
}

func TestLoad_ShowsSettingsWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"DATABASE_URL": "postgres://u:" + canary + "@h/d", "PUBLIC_URL": "https://u:" + canary + "@chat.example", "ADMIN_API_KEY": canary,
		"WEBHOOKS": "crm=https://crm.example/" + canary, "WEBHOOK_SECRETS": "crm=" + canary, "LOG_LEVEL": "WARN",
	}
	l, err := Load(sources(env, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"DATABASE_URL": "postgres://u:[redacted]@h/d", "PUBLIC_URL": "https://u:[redacted]@chat.example", "ADMIN_API_KEY": "[redacted]",
		"WEBHOOKS": "crm=[redacted]", "WEBHOOK_SECRETS": "crm=[redacted]", "LOG_LEVEL": "WARN", "PORT": "8080", "LISTEN": "",
	}
	origins := map[string]Origin{"PORT": OriginDefault, "LISTEN": OriginNone, "LOG_LEVEL": OriginEnv}
	for i, s := range l.Settings {
		if s.Env != Fields()[i].Env {
			t.Fatalf("setting %d is %s, want %s", i, s.Env, Fields()[i].Env)
		}
		if shown, ok := want[s.Env]; ok && s.Shown != shown {
			t.Errorf("%s shows %q, want %q", s.Env, s.Shown, shown)
		}
		if origin, ok := origins[s.Env]; ok && s.Origin != origin {
			t.Errorf("%s is from %q, want %q", s.Env, s.Origin, origin)
		}
		assertNoCanary(t, s.Env, s.Shown+s.Detail)
	}
	if l.Config.LogLevel != "warn" {
		t.Errorf("LOG_LEVEL is %q: words are taken in any case", l.Config.LogLevel)
	}
}
