package config

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseFile_TakesEverySettingAndProfileKey(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, f := range Fields() {
		text.WriteString(f.Key + " = \"x\"\n")
	}
	text.WriteString("[profiles.prod]\nlabel = \"Production\"\ncolour = \"red\"\nprotected = true\nread_only = false\nport = 1\n")
	f, problems := parseFile("f", text.String())
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	if want := (Profile{Name: "prod", Label: "Production", Colour: "red", Protected: true}); f.profiles["prod"] != want {
		t.Errorf("profile is %+v, want %+v", f.profiles["prod"], want)
	}
	if len(f.values[""]) != len(Fields()) || f.values["prod"]["port"] != "1" || len(f.values["prod"]) != 1 {
		t.Errorf("values are %v", f.values)
	}
}

func TestParseFile_ProfileKeysBelongToProfiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"protected = true":                       "protected (f): unknown key",
		"[profiles.a]\nprotected = \"yes\"":      `profiles.a.protected is "yes" (f): must be true or false`,
		"[profiles.a]\nlabel = 5":                `profiles.a.label is "5" (f): must be text`,
		"[profiles.a]\ncolour = 1":               `profiles.a.colour is "1" (f): must be one of red`,
		"[profiles.a.b]\nport = 1":               "profiles.a.b (f): unknown key",
		"[profile.a]\nport = 1":                  "profile (f): unknown key",
		"DATABASE_URL = \"x\"":                   "DATABASE_URL (f): unknown key; did you mean database_url?",
		"[profiles.a]\nprot = 1":                 "profiles.a.prot (f): unknown key; did you mean port?",
		"port = 1\nport = 2":                     "f: line 2 is not valid TOML",
		"[webhooks]\ncrm = 5":                    "webhooks (f): must be text, a number",
		"cors_allowed_origins = [\"a\", 1]":      "cors_allowed_origins (f): must be text, a number",
		"[webhooks]\ncrm = \"https://x,y=z://\"": "webhooks (f): must be text, a number",
	} {
		_, problems := parseFile("f", text)
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), want) {
			t.Errorf("%q gives %v, want %q", text, problems, want)
		}
	}
}

func TestFileText_ListsAndTablesReadBackAsGiven(t *testing.T) {
	t.Parallel()
	value := rapid.StringMatching(`[!-+\--~]{1,12}`) // no comma, no space
	rapid.Check(t, func(t *rapid.T) {
		table := rapid.MapOfN(rapid.StringMatching(`[a-z][a-z0-9_-]{0,8}`), value, 1, 5).Draw(t, "table")
		given := map[string]any{}
		for k, v := range table {
			given[k] = v
		}
		text, ok := fileText(given)
		if !ok {
			t.Fatalf("%v has no text", table)
		}
		pairs, ok := parsePairs(text)
		if !ok || !reflect.DeepEqual(pairs.Map(), table) {
			t.Fatalf("%v became %q, which reads as %v", table, text, pairs)
		}
	})
}

func TestPairs_ReadBackFromTheirText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-c]{0,2} ?= ?[x-z=]{0,2},? ?){0,4}`).Draw(t, "text")
		pairs, ok := parsePairs(text)
		if !ok {
			t.Skip("not a list")
		}
		again, ok := parsePairs(pairs.String())
		if !ok || !reflect.DeepEqual(again, pairs) {
			t.Fatalf("%q reads as %v and then as %v", text, pairs, again)
		}
	})
}

func TestSecretPairs_ShowNamesOnly(t *testing.T) {
	t.Parallel()
	p := SecretPairs{{"crm", NewSecret("a")}, {"erp", NewSecret("b")}}
	if got := p.String(); got != "crm=[redacted],erp=[redacted]" {
		t.Errorf("the list shows %q", got)
	}
	if p.Get("erp").Reveal() != "b" || !p.Get("none").IsZero() {
		t.Error("Get finds the wrong secret")
	}
}

func TestField_FormsAreWordedForPeople(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"PORT":                    "a whole number from 0 to 65535",
		"DLQ_RETRY_DELAY_MINUTES": "a number from 0.001 to 1440 (minutes)",
		"DLQ_CLEANUP_DAYS":        "a whole number from 1 to 3650 (days)",
		"CB_RESET_TIMEOUT":        "a whole number from 1 to 86400 (seconds)",
		"SLACK_RATE":              "a number from 0.01 to 100",
		"SCHEDULER_ENABLED":       "true or false",
		"LOG_FORMAT":              "one of text, json",
		"MONDAY_COLUMNS":          "name=value entries separated by commas",
		"ADMIN_API_KEY":           "text",
	} {
		if got := fieldOf(t, env).Form; got != want {
			t.Errorf("%s expects %q, want %q", env, got, want)
		}
	}
}
