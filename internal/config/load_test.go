package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// sources makes Sources of variables and files that exist only in the test.
func sources(env, files map[string]string) Sources {
	return Sources{
		LookupEnvFunc: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		ReadFileFunc: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
}

const home = "/home/op"

var homeEnv = map[string]string{"HOME": home}

const homeFile = home + "/.config/chatops/config.toml"

func problemsOf(t *testing.T, err error) []Problem {
	t.Helper()
	var pe *ProblemError
	if !errors.As(err, &pe) || chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Fatalf("error %v is not a *ProblemError of CodeInvalid", err)
	}
	return pe.Problems
}

func TestLoad_DefaultsAloneAreSound(t *testing.T) {
	t.Parallel()
	l, err := Load(sources(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	if c.DatabaseURL.Reveal() != "sqlite://instance/chatbot.db" || c.Port != 8080 || c.DLQDelay != 5*time.Minute || c.DLQCleanup != 30*24*time.Hour || !c.Scheduler || c.ConsentMode != "explicit" {
		t.Errorf("defaults are %+v", c)
	}
	if c.ListenAddress() != ":8080" || c.Profile.Title() != "default" {
		t.Errorf("address %q, profile %q", c.ListenAddress(), c.Profile.Title())
	}
}

func TestLoad_EachOriginReachesTheConfig(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		homeFile: "port = 1001\nslack_rate = 2.5\n[profiles.prod]\nport = 1002\nprotected = true\nlabel = \"Production\"\n",
		"/run/p": "1003\n",
	}
	tests := []struct {
		name   string
		env    map[string]string
		with   func(*Sources)
		port   int
		origin Origin
	}{
		{"file", nil, nil, 1001, OriginFile},
		{"profile", nil, func(s *Sources) { s.Profile = "prod" }, 1002, OriginProfile},
		{"profile by variable", map[string]string{"CHATOPS_PROFILE": "prod"}, nil, 1002, OriginProfile},
		{"file of a variable", map[string]string{"PORT_FILE": "/run/p", "CHATOPS_PROFILE": "prod"}, nil, 1003, OriginEnvFile},
		{"variable", map[string]string{"PORT": "1004", "CHATOPS_PROFILE": "prod"}, nil, 1004, OriginEnv},
		{"empty variable", map[string]string{"PORT": ""}, nil, 1001, OriginFile},
		{"flag", map[string]string{"PORT": "1004"}, func(s *Sources) { s.Flags = map[string]string{"port": "1005"} }, 1005, OriginFlag},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"HOME": home}
			maps.Copy(env, tt.env)
			s := sources(env, files)
			if tt.with != nil {
				tt.with(&s)
			}
			l, err := Load(s)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(l.Settings, func(s Setting) bool { return s.Env == "PORT" })
			if l.Config.Port != tt.port || l.Settings[i].Origin != tt.origin {
				t.Errorf("port %d from %s, want %d from %s", l.Config.Port, l.Settings[i].Origin, tt.port, tt.origin)
			}
			if l.Config.SlackRate != 2.5 {
				t.Errorf("slack_rate %v, want the file's 2.5", l.Config.SlackRate)
			}
		})
	}
}

func TestLoad_ReportsEveryProblemAtOnce(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"HOME": home, "PORT": "eighty", "DLQ_RETRY_MINUTES": "-1", "LOG_LEVEL": "loud",
		"ADMIN_API_KEY": "a", "ADMIN_API_KEY_FILE": "/run/k", "SLACK_WEBHOOK_URL_FILE": "/run/gone",
	}
	_, err := Load(sources(env, map[string]string{homeFile: "dlq_max_retires = 3\n[profiles.p]\nprotect = true\ncolour = \"pink\"\n"}))
	got := err.Error()
	for _, want := range []string{
		`PORT is "eighty" (environment): must be a whole number from 0 to 65535`,
		`DLQ_RETRY_MINUTES is "-1" (environment): must be a number from 0.001 to 1440 (minutes)`,
		`LOG_LEVEL is "loud" (environment): must be one of debug, info, warn, error`,
		`ADMIN_API_KEY (environment): is set together with ADMIN_API_KEY_FILE`,
		`SLACK_WEBHOOK_URL_FILE is "/run/gone" (environment): cannot be read: file does not exist`,
		`dlq_max_retires (` + homeFile + `): unknown key; did you mean dlq_max_retries?`,
		`profiles.p.protect (` + homeFile + `): unknown key; did you mean protected?`,
		`profiles.p.colour is "pink" (` + homeFile + `): must be one of red`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if n := len(problemsOf(t, err)); n != 8 {
		t.Errorf("%d problems, want 8:\n%s", n, got)
	}
}

func TestLoad_NoProblemShowsASecret(t *testing.T) {
	t.Parallel()
	for _, f := range Fields() {
		if !f.Secret && f.kind != typeURL {
			continue
		}
		for _, bad := range []string{canary, "x://u:" + canary + "@h", "postgres://u:" + canary + "/@h", canary + "\x00", "crm=" + canary + ",,=", "a=" + canary} {
			l, err := Load(sources(map[string]string{f.Env: bad}, nil))
			text := fmt.Sprintf("%v %+v %v %v", err, l.Settings, l.Warnings, l.Config)
			assertNoCanary(t, f.Env+"="+bad, text)
			_, err = Load(sources(homeEnv, map[string]string{homeFile: f.Key + " = " + bad + "\n"}))
			if err == nil {
				t.Fatalf("%s = %s without quotes was accepted", f.Key, bad)
			}
			assertNoCanary(t, "file "+f.Key, err.Error())
		}
	}
}

func TestLoad_NamesTheBrokenLineOfAFile(t *testing.T) {
	t.Parallel()
	_, err := Load(sources(homeEnv, map[string]string{homeFile: "port = 1\nadmin_api_key = " + canary + "\n"}))
	if got := problemsOf(t, err)[0].String(); !strings.Contains(got, "line 2 is not valid TOML") {
		t.Errorf("problem is %q", got)
	}
}

func TestLoad_FileTypesBecomeSettings(t *testing.T) {
	t.Parallel()
	file := `
cors_allowed_origins = ["https://a.example", "https://b.example"]
scheduler_enabled = false
dlq_retry_minutes = 0.5
[webhooks]
crm = "https://crm.example/hook"
[webhook_secrets]
crm = "whsec_x"
[monday_columns]
phone = "p1"
email = "e1"
`
	l, err := Load(sources(homeEnv, map[string]string{homeFile: file}))
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	if len(c.CORSOrigins) != 2 || c.Scheduler || c.DLQSweep != 30*time.Second || c.Webhooks.Get("crm").Reveal() != "https://crm.example/hook" ||
		c.WebhookSecrets.Get("crm").Reveal() != "whsec_x" || c.MondayColumns.Map()["phone"] != "p1" {
		t.Errorf("settings are %+v", c)
	}
}

func TestLoad_RejectsFileValuesOfOtherTypes(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"port = 2026-01-01", "port = [1]", "webhooks = [[\"a\"]]", "log_level = [\"a,b\"]", "profiles = 1", "[profiles.\"a b\"]\nport = 1", "[profiles.a]\nread_only = \"yes\"", "port = \"\""} {
		if _, err := Load(sources(homeEnv, map[string]string{homeFile: file})); err == nil {
			t.Errorf("accepted %q", file)
		}
	}
}

func TestLoad_FindsTheSettingsFile(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/x/chatops/config.toml": "port = 1", homeFile: "port = 2", "/named.toml": "port = 3"}
	tests := []struct {
		env  map[string]string
		path string
		want int
	}{
		{map[string]string{"HOME": home, "XDG_CONFIG_HOME": "/x"}, "", 1},
		{map[string]string{"HOME": home}, "", 2},
		{map[string]string{"HOME": home, "XDG_CONFIG_HOME": "relative"}, "", 2},
		{map[string]string{"HOME": home}, "/named.toml", 3},
		{nil, "", 8080},
	}
	for _, tt := range tests {
		s := sources(tt.env, files)
		s.ConfigPath = tt.path
		l, err := Load(s)
		if err != nil || l.Config.Port != tt.want {
			t.Errorf("%v %q: port %d, %v; want %d", tt.env, tt.path, l.Config.Port, err, tt.want)
		}
	}
}

func TestLoad_NamedFileAndProfileMustExist(t *testing.T) {
	t.Parallel()
	s := sources(homeEnv, map[string]string{homeFile: "[profiles.prod]\n[profiles.staging]\n"})
	s.Profile = "prd"
	_, err := Load(s)
	if err == nil || !strings.Contains(err.Error(), `profile is "prd" (--profile): no such profile; the settings file has prod, staging`) {
		t.Errorf("unknown profile: %v", err)
	}
	s = sources(nil, nil)
	s.ConfigPath = "/nowhere.toml"
	if _, err = Load(s); err == nil || !strings.Contains(err.Error(), "/nowhere.toml (settings file): cannot be read") {
		t.Errorf("missing file: %v", err)
	}
}

func TestLoad_WarnsWhenTheEnvironmentOverridesTheProfile(t *testing.T) {
	t.Parallel()
	files := map[string]string{homeFile: "[profiles.prod]\ndatabase_url = \"postgres://u:pw@prod/d\"\n"}
	s := sources(map[string]string{"HOME": home, "DATABASE_URL": "postgres://u:pw@dev/d"}, files)
	s.Profile = "prod"
	l, err := Load(s)
	if err != nil || len(l.Warnings) != 1 || l.Warnings[0] != "DATABASE_URL overrides database_url of profile prod" {
		t.Errorf("warnings %q, %v", l.Warnings, err)
	}
}

func TestLoad_SettingsThatNeedEachOther(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"MONDAY_API_KEY": "k"}, "MONDAY_BOARD_ID: is needed"},
		{map[string]string{"WEBHOOK_SECRETS": "crm=whsec_1"}, `WEBHOOK_SECRETS is "crm": no webhook of this name`},
	}
	for _, tt := range tests {
		if _, err := Load(sources(tt.env, nil)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.env, err, tt.want)
		}
	}
}

func TestLoad_MailFromHasADefaultOfTheSenders(t *testing.T) {
	t.Parallel()
	if _, err := Load(sources(map[string]string{"SMTP_URL": "smtp://h"}, nil)); err != nil {
		t.Errorf("SMTP_URL alone: %v", err)
	}
}

func TestScrub_RemovesConfiguredSecretsFromForeignText(t *testing.T) {
	t.Parallel()
	l, err := Load(sources(map[string]string{
		"DATABASE_URL": "postgres://u:p%40ssw0rd@h/d", "ADMIN_API_KEY": canary, "WEBHOOKS": "crm=https://crm.example/" + canary,
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	got := l.Scrub("dial p@ssw0rd p%40ssw0rd https://crm.example/" + canary + " key " + canary)
	if want := "dial [redacted] [redacted] [redacted] key [redacted]"; got != want {
		t.Errorf("Scrub = %q, want %q", got, want)
	}
	if got := (*Loaded)(nil).Scrub("text"); got != "text" {
		t.Errorf("Scrub without settings = %q", got)
	}
}

func TestListenAddress_JoinsHostAndPort(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": ":8080", "127.0.0.1": "127.0.0.1:8080", "::1": "[::1]:8080", "[::1]": "[::1]:8080", "0.0.0.0:9": "0.0.0.0:9"} {
		if got := (&Config{Port: 8080, Listen: in}).ListenAddress(); got != want {
			t.Errorf("LISTEN=%q gives %q, want %q", in, got, want)
		}
	}
}

func TestNearest_FindsWhatWasMeant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{{"prot", "port"}, {"databse_url", "database_url"}, {"zzzzzzzz", ""}} {
		got, _ := Nearest(tt.in, []string{"port", "listen", "database_url"})
		if got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMarkdownTable_HasEverySettingOnce(t *testing.T) {
	t.Parallel()
	table := MarkdownTable()
	for _, f := range Fields() {
		if strings.Count(table, "| `"+f.Env+"` |") != 1 {
			t.Errorf("%s is not in the table once", f.Env)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); n != 6 {
			t.Errorf("line has %d cell borders: %s", n, line)
		}
	}
}

func FuzzParseFile_NeverPanicsNorShowsUnquotedText(f *testing.F) {
	f.Add("port = 1\n[profiles.a]\nlabel = \"x\"")
	f.Add("admin_api_key = " + canary)
	f.Add("[[profiles]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, problems := parseFile("f", text)
		for _, p := range problems {
			if p.Expected == "" || p.Key == "" {
				t.Errorf("empty problem %+v for %q", p, text)
			}
		}
	})
}

func TestTrustedNetworks_ReadsNetworksAndLoneAddresses(t *testing.T) {
	t.Parallel()
	l, err := Load(sources(map[string]string{
		"TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.7,2001:db8::1/32, ::ffff:198.51.100.0/120, fe80::1%eth0",
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "198.51.100.0/24", "fe80::1/128"}
	var got []string
	for _, p := range l.Config.TrustedNetworks() {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("networks %v, want %v", got, want)
	}
	_, err = Load(sources(map[string]string{"LEAD_RATE_LIMIT": "5 per fortnight"}, nil))
	if err == nil || !strings.Contains(err.Error(), `LEAD_RATE_LIMIT is "5 per fortnight" (environment): must be limits such as "30 per minute"`) {
		t.Errorf("a bad limit gives %v", err)
	}
}
