package config

import (
	"strings"
	"testing"

	"chatops/internal/ratelimit"
)

// written shows limits as people write them.
func written(limits map[string]ratelimit.Limit) map[string]string {
	texts := map[string]string{}
	for name, l := range limits {
		texts[name] = l.String()
	}
	return texts
}

func TestLimits_AreThoseOfTheSettings(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"chat": "30 per minute", "api": "200 per hour;50 per minute", "health": "30 per minute",
		"consent": "10 per minute", "leads": "5 per minute",
	}
	check := func(what string, limits map[string]ratelimit.Limit) {
		t.Helper()
		got := written(limits)
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%s: %s is %q, want %q", what, name, got[name], text)
			}
		}
	}
	check("defaults", DefaultLimits())
	l, err := Load(sources(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	limits, err := l.Config.Limits()
	if err != nil {
		t.Fatal(err)
	}
	check("nothing set", limits)

	l, err = Load(sources(map[string]string{"CHAT_RATE_LIMIT": "2/second", "API_RATE_LIMIT_MINUTE": "7 per minute"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if limits, err = l.Config.Limits(); err != nil {
		t.Fatal(err)
	}
	want["chat"], want["api"] = "2 per second", "200 per hour;7 per minute"
	check("two set", limits)
}

func TestLoad_RefusesLimitsThatAreTooMuchTogether(t *testing.T) {
	t.Parallel()
	six := strings.TrimSuffix(strings.Repeat("9 per hour;", 6), ";")
	_, err := Load(sources(map[string]string{"API_RATE_LIMIT_HOUR": six, "API_RATE_LIMIT_MINUTE": six}, nil))
	if err == nil || !strings.Contains(err.Error(), "API_RATE_LIMIT_MINUTE") || !strings.Contains(err.Error(), "together with API_RATE_LIMIT_HOUR") {
		t.Errorf("error %v", err)
	}
	_, err = Load(sources(map[string]string{"API_RATE_LIMIT_HOUR": "many"}, nil))
	if err == nil || !strings.Contains(err.Error(), "API_RATE_LIMIT_HOUR") || strings.Contains(err.Error(), "API_RATE_LIMIT_MINUTE") {
		t.Errorf("error %v", err)
	}
}
