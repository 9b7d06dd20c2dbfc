package config

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestRetention_IsReadOrRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	ago := func(months int) time.Time { return monthsBefore(now, months) }
	for _, tt := range []struct {
		text string
		want chatops.Retention
		ok   bool
	}{
		{"", chatops.Retention{}, true},
		{"24", chatops.Retention{Conversations: ago(24), Leads: ago(24)}, true},
		{"conversations=24, leads=36,audit=72,access=12", chatops.Retention{Conversations: ago(24), Leads: ago(36), Audit: ago(72), AccessLog: ago(12)}, true},
		{"leads=1", chatops.Retention{Leads: ago(1)}, true},
		{"0", chatops.Retention{}, false},
		{"-3", chatops.Retention{}, false},
		{"+3", chatops.Retention{}, false},
		{"1.5", chatops.Retention{}, false},
		{"1201", chatops.Retention{}, false},
		{"leads=0", chatops.Retention{}, false},
		{"leads", chatops.Retention{}, false},
		{"messages=3", chatops.Retention{}, false},
		{"leads=3,leads=4", chatops.Retention{}, false},
		{"forever", chatops.Retention{}, false},
	} {
		if got := isRetention(tt.text); got != tt.ok {
			t.Errorf("RETENTION_MONTHS=%q is accepted: %t", tt.text, got)
		}
		if got := (&Config{RetentionMonths: tt.text}).Retention(now); tt.ok && got != tt.want {
			t.Errorf("RETENTION_MONTHS=%q is %+v, want %+v", tt.text, got, tt.want)
		}
	}
}

func TestRetention_AMonthEarlierIsNeverTheSameMonth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "now"), 0).UTC()
		n := rapid.IntRange(1, maxRetention).Draw(t, "months")
		got := (&Config{RetentionMonths: strconv.Itoa(n)}).Retention(now).Leads
		if between := (now.Year()-got.Year())*12 + int(now.Month()) - int(got.Month()); between != n {
			t.Fatalf("%d months before %s is %s", n, now, got)
		}
		if got.Day() > now.Day() || got.Day() < now.Day() && got.AddDate(0, 0, 1).Day() != 1 {
			t.Fatalf("%d months before %s is %s: not the same day, nor the month's last", n, now, got)
		}
	})
}
