package sender

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRetryAfter_ReadsSecondsAndDates(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return noon.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0}, {"   ", 0}, {"0", 0}, {"7", 7 * time.Second}, {" 120 ", 2 * time.Minute}, {"007", 7 * time.Second},
		{"86400", 24 * time.Hour}, {"86401", 24 * time.Hour}, {"9223372036854775808", 24 * time.Hour},
		{strings.Repeat("9", 1000), 24 * time.Hour},
		{"-1", 0}, {"-9223372036854775808", 0}, {"+5", 0}, {"1.5", 0}, {"1e3", 0}, {"soon", 0}, {"7 seconds", 0}, {"٧", 0},
		{in(90 * time.Second), 90 * time.Second}, {in(-time.Hour), 0}, {in(0), 0}, {in(48 * time.Hour), 24 * time.Hour},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour}, {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Monday, 02-Mar-26 12:00:30 GMT", 30 * time.Second}, // RFC 850, still to be understood
		{"Mon Mar  2 12:00:30 2026", 30 * time.Second},       // asctime
		{"Mon, 30 Feb 2026 12:00:00 GMT", 0}, {"2026-03-02T12:00:30Z", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.header, noon); got != tt.want {
			t.Errorf("retryAfter(%.40q) = %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestRetryAfter_IsTheNumberUpToTheCap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Uint64().Draw(t, "seconds")
		want := time.Duration(min(seconds, 86400)) * time.Second
		if got := retryAfter(strconv.FormatUint(seconds, 10), noon); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestSecondsWait_RoundsUpAndCaps(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]time.Duration{
		0: 0, -3: 0, 0.2: time.Second, 15: 15 * time.Second, 1e300: maxRetryAfter,
		math.Inf(1): maxRetryAfter, math.Inf(-1): 0, math.NaN(): 0,
	} {
		if got := secondsWait(seconds); got != want {
			t.Errorf("secondsWait(%v) = %v, want %v", seconds, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"7", "-1", "+1", "1e9", "0x7", "Mon, 02 Mar 2026 12:00:30 GMT", "Monday, 02-Mar-26 12:00:30 GMT", "Mon Mar  2 12:00:30 2026",
		"99999999999999999999", "", " ", "\x00", "7, 8", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 02 Mar 2026 12:00:30 +0200",
	} {
		f.Add(seed, int64(60))
	}
	f.Fuzz(func(t *testing.T, header string, later int64) {
		d := retryAfter(header, noon)
		if d < 0 || d > maxRetryAfter {
			t.Fatalf("retryAfter(%q) = %v", header, d)
		}
		// Time never makes the wait longer, and ends it where it is a date.
		later = min(max(later, 0), 1<<40)
		then := retryAfter(header, noon.Add(time.Duration(later)*time.Millisecond))
		_, err := http.ParseTime(strings.TrimSpace(header))
		switch {
		case then > d:
			t.Fatalf("retryAfter(%q) grows from %v to %v", header, d, then)
		case err != nil && then != d:
			t.Fatalf("retryAfter(%q) is no date and goes from %v to %v", header, d, then)
		case err != nil && d > 0 && strings.Trim(strings.TrimSpace(header), "0123456789") != "":
			t.Fatalf("retryAfter(%q) = %v of neither a number nor a date", header, d)
		}
	})
}
