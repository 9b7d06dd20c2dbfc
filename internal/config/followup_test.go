package config

import (
	"fmt"
	"testing"
	"time"
)

func TestFollowupSchedule_IsReadInAnyWriting(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"24h 72h 168h": "[24h0m0s 72h0m0s 168h0m0s]", "1d,3d, 7d": "[24h0m0s 72h0m0s 168h0m0s]",
		"1m": "[1m0s]", "90m 90d": "[1h30m0s 2160h0m0s]", "off": "[]", " off ": "[]",
	} {
		c := &Config{FollowupTimes: text}
		if got := fmt.Sprint(c.FollowupSchedule()); got != want || !isDelays(text) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if def, ok := parseDelays(defaultOf(t, "FOLLOWUP_SCHEDULE")); !ok || len(def) != 3 || def[2] != 7*24*time.Hour {
		t.Errorf("default: %v", def)
	}
	for _, text := range []string{
		"", " ", "24", "24h 24h", "72h 24h", "59s", "91d", "-24h", "24h OFF", "1e3h", "1d12h", "300d", "24h;72h",
		"1h 2h 3h 4h 5h 6h 7h 8h 9h 10h",
	} {
		if isDelays(text) {
			t.Errorf("%q is accepted", text)
		}
	}
}

func defaultOf(t *testing.T, env string) string {
	t.Helper()
	for _, f := range Fields() {
		if f.Env == env {
			return f.Default
		}
	}
	t.Fatalf("no setting %s", env)
	return ""
}
