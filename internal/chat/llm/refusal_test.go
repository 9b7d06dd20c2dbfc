package llm

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, seed := range []string{
		"7", "0.25", "-1", "1e300", "NaN", "Inf", "-Inf", "0x7", "1_000", "", " ", "\x00", "soon",
		"Mon, 02 Mar 2026 12:00:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		d := retryAfter(header, now)
		if d < 0 || d > longestRest*time.Second {
			t.Fatalf("retryAfter(%q) = %v", header, d)
		}
		if _, err := http.ParseTime(strings.TrimSpace(header)); err == nil && retryAfter(header, now.Add(d)) != 0 && d < longestRest*time.Second {
			t.Fatalf("retryAfter(%q): when the date has come there is still something to wait for", header)
		}
	})
}
