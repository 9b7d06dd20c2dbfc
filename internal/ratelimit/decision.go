package ratelimit

import "time"

// Check is one question: may this key have one event more of this limit?
type Check struct {
	Limit string // its name: "chat"
	// Key is whom the events are counted for: a client, or a client and what it
	// asks for ("203.0.113.7 GET /api/leads/"). What stands before the first
	// space decides where a Redis Cluster keeps the key: the checks of one
	// request should agree in it.
	Key string
}

// Decision is what a limiter says about one event.
type Decision struct {
	Allowed bool
	// Off: nothing was counted, because limiting is disabled or no check named a
	// known limit. The other fields say nothing then.
	Off bool
	// Limit is the name of the limit that Rule belongs to.
	Limit string
	// Rule is the rule that is nearest to its end; of a refused event the one
	// that must be waited for longest.
	Rule      Rule
	Remaining int // events that Rule still allows now
	// Reset is when the oldest event leaves the window of Rule, from now.
	Reset time.Duration
	// RetryAfter is when the event would be allowed, from now; 0 when it was.
	RetryAfter time.Duration
}

// tighter reports whether an allowed decision leaves less than another.
func (d *Decision) tighter(other *Decision) bool {
	return d.Remaining < other.Remaining || d.Remaining == other.Remaining && d.Reset > other.Reset
}
