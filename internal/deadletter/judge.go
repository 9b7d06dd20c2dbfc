package deadletter

import (
	"errors"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// verdict is what a failed attempt means for the rest of its batch and lane.
type verdict struct {
	stop     bool          // start no more of this batch
	hold     time.Duration // what was not started waits this long
	pause    time.Duration // the lane is paused for everybody
	escalate *chatops.Alert
}

// judge classifies a failed attempt: it completes the outcome and says what
// follows for others.
func (e *Engine) judge(l *lane, a *chatops.Alert, f *failure, o *chatops.Outcome) verdict {
	c := l.causeOf(f)
	o.Attempt.Outcome, o.Attempt.HTTPStatus, o.Attempt.Error = string(f.Kind), f.HTTPStatus, c.text
	o.Error, o.Fingerprint = c.text, c.fingerprint
	if errors.Is(f.Err, errCutOff) {
		o.Kind = chatops.OutcomeHeld
		return verdict{stop: true}
	}
	switch f.Kind {
	case chatops.FailRateLimited:
		d := pause(f.RetryAfter)
		o.Kind, o.Delay = chatops.OutcomeParked, d // tried, so no longer queued: the runbook has to see it
		return verdict{stop: true, hold: d, pause: d}
	case chatops.FailPermanent:
		o.Kind = chatops.OutcomeFailed
		return verdict{escalate: a}
	case chatops.FailMisconfigured:
		e.misconfigured(l, c.text)
		v := e.retry(a, f, o)
		v.stop = true
		return v
	case chatops.FailCancelled:
		o.Kind = chatops.OutcomeCancelled
		return verdict{}
	case chatops.FailTransient, chatops.FailAmbiguous:
		if f.Once {
			o.Kind = chatops.OutcomeFailed
			return verdict{escalate: a}
		}
	default:
		o.Attempt.Outcome = string(chatops.FailTransient) // a kind from the future
	}
	return e.retry(a, f, o)
}

// retry decides between another attempt later and giving up. An escalation has
// its own budget: a time, not a number of attempts.
func (e *Engine) retry(a *chatops.Alert, f *failure, o *chatops.Outcome) verdict {
	retries := a.RetryCount
	if a.Status != chatops.AlertQueued {
		retries++ // this attempt was a retry
	}
	spent := retries >= e.opts.Retry.MaxRetries
	if a.EventType == chatops.EventEscalation {
		spent = e.now().Sub(a.CreatedAt) >= e.opts.EscalationBudget
	}
	if spent {
		o.Kind = chatops.OutcomeFailed
		return verdict{escalate: a}
	}
	o.Kind, o.Delay = chatops.OutcomeRetry, e.delay(retries, f.RetryAfter)
	return verdict{}
}

// misconfigured raises the alarm and lets the lane rest in this process.
// Another replica may have the right credentials, so it is not paused for all.
func (e *Engine) misconfigured(l *lane, text string) {
	e.mu.Lock()
	l.rest(e.now().Add(e.opts.MisconfiguredPause), false, 0)
	e.mu.Unlock()
	if !l.misconfigured.Swap(true) {
		e.log.Error("delivery: the integration rejects our credentials or address; alerts wait",
			"integration", l.integration, "error", text)
	}
}

// cause is what a failure is stored as.
type cause struct {
	raw, code         string
	text, fingerprint string
}

// causeOf redacts a failure and names its cause. In an outage one error follows
// the other, so the last one is kept.
func (l *lane) causeOf(f *failure) *cause {
	raw, code := f.Error(), failureCode(f)
	if c := l.lastCause.Load(); c != nil && c.raw == raw && c.code == code {
		return c
	}
	c := &cause{raw: raw, code: code, text: Redact(raw), fingerprint: Fingerprint(l.integration, code, raw)}
	if c.text == "" {
		c.text = string(f.Kind)
	}
	if len(raw) <= maxScrubbed {
		l.lastCause.Store(c)
	}
	return c
}

// failureCode is what tells two causes with one wording apart.
func failureCode(f *failure) string {
	switch {
	case f.Code != "":
		return f.Code
	case f.HTTPStatus > 0:
		return "http_" + strconv.Itoa(f.HTTPStatus)
	}
	return ""
}

// logBatch says once per batch what went wrong in it.
func (e *Engine) logBatch(r *run) {
	r.mu.Lock()
	failures, lost, tried, sample := r.failures, r.lost, r.tried, r.sample
	r.mu.Unlock()
	switch {
	case lost > 0:
		e.log.Error("delivery: alerts failed for good", "lane", r.l.label, "failed", lost,
			"attempts", tried, "sample", sample)
	case failures > 0:
		e.log.Warn("delivery: attempts failed", "lane", r.l.label, "failures", failures,
			"attempts", tried, "sample", sample)
	}
}
