package deadletter

import "time"

const (
	// maxRetryAfter caps what a receiver may ask for.
	maxRetryAfter = 24 * time.Hour
	// defaultPause is how long a rate-limited lane rests when the receiver
	// did not say.
	defaultPause = 30 * time.Second
	minPause     = time.Second
	// maxTrouble caps the wait between two tries to reach the database.
	maxTrouble = 5 * time.Second
)

// delay is the wait before the retry that follows n retries: random between 0
// and Delay x 2^n, at most Cap ("full jitter"), and no shorter than what the
// receiver asked for.
func (e *Engine) delay(n int, retryAfter time.Duration) time.Duration {
	ceiling := e.opts.Retry.Cap
	if d := e.opts.Retry.Delay; n < 63 && d <= ceiling>>n {
		ceiling = d << n
	}
	wait := time.Duration(e.opts.RandFunc(int64(max(ceiling, 1)))) + 1
	return max(wait, min(retryAfter, maxRetryAfter))
}

// pause is how long a rate-limited lane rests.
func pause(retryAfter time.Duration) time.Duration {
	if retryAfter <= 0 {
		return defaultPause
	}
	return min(max(retryAfter, minPause), maxRetryAfter)
}

// trouble is the wait after n failed database calls in a row.
func (e *Engine) trouble(n int) time.Duration {
	d := maxTrouble
	if n < 6 {
		d = min(d, 100*time.Millisecond<<n)
	}
	return d/2 + time.Duration(e.opts.RandFunc(int64(d/2)))
}
