package runbook

import (
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestSpan_WordsTheTwoGreatestUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", time.Millisecond: "0.1s", 340 * time.Millisecond: "0.3s", 949 * time.Millisecond: "0.9s", 950 * time.Millisecond: "1s", 42 * time.Second: "42s",
		42*time.Second + 900*time.Millisecond: "42s", 4*time.Minute + 12*time.Second: "4m 12s", time.Hour: "1h",
		time.Hour + 59*time.Second: "1h", 3*time.Hour + 5*time.Minute: "3h 5m", 52*time.Hour + time.Minute: "2d 4h", 400 * 24 * time.Hour: "400d",
	} {
		if got := chatops.Span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestAgoAndAhead_OfNoMomentAreEmpty(t *testing.T) {
	t.Parallel()
	if ago(time.Time{}, noon) != "" || ahead(time.Time{}, noon) != "" {
		t.Error("the zero time is worded")
	}
	if got := ahead(noon.Add(-time.Second), noon) + ", " + ahead(noon.Add(time.Minute), noon) + ", " + ago(noon.Add(time.Minute), noon); got != "now, in 1m, 0s ago" {
		t.Errorf("got %q", got)
	}
}
