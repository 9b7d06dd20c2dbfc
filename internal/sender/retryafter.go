package sender

import (
	"math"
	"net/http"
	"strings"
	"time"
)

// maxRetryAfter caps how long a receiver may make us wait.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads a Retry-After header (RFC 9110, 10.2.3): whole seconds or an
// HTTP date. It returns 0 for a missing, past, negative or meaningless value and
// at most maxRetryAfter.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if strings.Trim(header, "0123456789") == "" {
		return digits(header)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	// The header counts whole seconds, so a date is reached when its second
	// has begun on our clock too.
	return clampWait(at.Sub(now))
}

// digits reads a number of seconds of any length.
func digits(text string) time.Duration {
	var seconds int64
	for _, d := range text {
		seconds = seconds*10 + int64(d-'0')
		if seconds >= int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
	}
	return time.Duration(seconds) * time.Second
}

// secondsWait turns a receiver's JSON number of seconds into a wait, rounded up.
func secondsWait(seconds float64) time.Duration {
	switch {
	case math.IsNaN(seconds) || seconds <= 0:
		return 0
	case seconds >= maxRetryAfter.Seconds():
		return maxRetryAfter
	}
	return time.Duration(math.Ceil(seconds)) * time.Second
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
