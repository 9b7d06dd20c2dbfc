package dashboard

import (
	"context"
	"errors"
	"time"

	"chatops/internal/chatops"
)

// pollTimeout bounds one look at a source; slowAfter is when a look that has not
// ended is worth a word, and maxDelay the longest pause after failures.
const (
	pollTimeout = 3 * time.Second
	slowAfter   = time.Second
	maxDelay    = 10 * time.Second
)

// answer is what a source has told: one of the fields, and none for Redis, of
// which it is enough that it answers.
type answer struct {
	Queue  *chatops.QueueStats  `json:"queue,omitempty"`
	Causes *chatops.AlertGroups `json:"causes,omitempty"`
	Fleet  *chatops.Fleet       `json:"fleet,omitempty"`
	Jobs   *chatops.JobList     `json:"jobs,omitempty"`

	alerts *alertPage
	detail *alertDetail
}

// lookFunc asks a source.
type lookFunc func(ctx context.Context) (answer, error)

// feed is a source and how it does. Each is asked by itself.
type feed struct {
	name     string
	backing  string // what has to work for it: the kind of database, or "redis"
	lookFunc lookFunc
	every    time.Duration // the shortest refresh that it is worth

	round     int // of questions: an answer to an earlier one is dropped
	busy      bool
	stop      context.CancelFunc
	askedAt   time.Time
	heardAt   time.Time // zero: never
	failingAt time.Time // since when it fails; zero: it does not
	fails     int
	err       string
}

// The states of a feed, as words.
const (
	stateLive    = "live"
	stateSlow    = "slow"
	stateStale   = "STALE"
	stateError   = "ERROR"
	stateUnknown = "unknown"
)

// state is how a feed does.
func (f *feed) state(now time.Time, refresh time.Duration) string {
	patience := 3*refresh + slowAfter
	switch {
	case f.err != "":
		return stateError
	case f.heardAt.IsZero():
		return stateUnknown
	case now.Sub(f.heardAt) > 3*max(refresh, f.every)+slowAfter, f.busy && now.Sub(f.askedAt) > patience:
		return stateStale
	case f.busy && now.Sub(f.askedAt) > slowAfter:
		return stateSlow
	}
	return stateLive
}

// fresh reports that what the feed has told can be relied on.
func (f *feed) fresh(now time.Time, refresh time.Duration) bool {
	state := f.state(now, refresh)
	return state == stateLive || state == stateSlow
}

// ask begins a question.
func (f *feed) ask(now time.Time) {
	f.round++
	f.busy, f.askedAt = true, now
}

// hear ends it.
func (f *feed) hear(now time.Time, err error) {
	f.busy = false
	if err == nil {
		f.heardAt, f.failingAt, f.fails, f.err = now, time.Time{}, 0, ""
		return
	}
	if f.failingAt.IsZero() {
		f.failingAt = f.askedAt
	}
	f.fails++
	f.err = wordError(err)
}

// wordError is an error in one harmless line.
func wordError(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + chatops.Span(pollTimeout)
	}
	return chatops.Harmless(chatops.ErrorMessage(err))
}

// delay is the pause before the next question: the refresh, doubled with each
// failure, and spread by a fifth. The second question comes soon, so that a trend
// is known early.
func (f *feed) delay(refresh time.Duration, jitter float64) time.Duration {
	refresh = max(refresh, f.every)
	d := refresh
	if f.round == 1 && f.every == 0 {
		d = min(d, time.Second)
	}
	for range f.fails {
		d = min(2*d, max(maxDelay, refresh))
	}
	return d + time.Duration((jitter-0.5)*0.2*float64(d))
}
