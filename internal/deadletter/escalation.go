package deadletter

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// escalate adds the escalation of an alert that failed for good: one per cause
// and hour, and none for a failed escalation.
func (e *Engine) escalate(queued []chatops.NewAlert, a *chatops.Alert, integration string, o *chatops.Outcome) []chatops.NewAlert {
	if a.EventType == chatops.EventEscalation {
		e.met.escalationsLost.Inc()
		e.log.Error("delivery: an escalation could not be delivered and is given up", "alert", a.ID, "error", o.Error)
		return queued
	}
	e.met.failed.Inc()
	if e.opts.EscalationEmail == "" {
		return queued
	}
	key := "escalation:" + o.Fingerprint + ":" + e.now().UTC().Format("2006-01-02T15")
	if slices.ContainsFunc(queued, func(n chatops.NewAlert) bool { return n.IdempotencyKey == key }) {
		return queued
	}
	payload, err := json.Marshal(chatops.EscalationPayload{
		Fingerprint: o.Fingerprint, Integration: integration, Sample: o.Error,
	})
	if err != nil { // three strings always marshal
		return queued
	}
	return append(queued, chatops.NewAlert{
		EventType: chatops.EventEscalation, Target: "mailto:" + e.opts.EscalationEmail,
		Payload: payload, IdempotencyKey: key,
	})
}

// writeEscalation returns the escalation alert with its mail in place of its
// payload. When the mail cannot be written now, or nobody wants it, the alert is
// settled and false returned.
func (r *run) writeEscalation(a *chatops.Alert) (*chatops.Alert, bool) {
	mail := *a
	var p chatops.EscalationPayload
	if err := json.Unmarshal(a.Payload, &p); err != nil || p.Fingerprint == "" {
		return &mail, true // not ours, or broken: its sender judges it
	}
	ctx, cancel := context.WithTimeout(r.lf.attempts, recordTimeout)
	defer cancel()
	d, err := r.e.opts.Queue.FailureDigest(ctx, p.Fingerprint)
	var state *chatops.CauseState
	if err == nil {
		state, err = r.e.opts.Queue.CauseState(ctx, p.Fingerprint)
	}
	switch {
	case err == nil && state != nil && state.Quiet():
		r.e.noteDigest(d.Failed, nil)
		r.settleEscalation(r.e.quietEscalation(a, state))
		return nil, false
	case chatops.ErrorCode(err) == chatops.CodeNotFound || err == nil && d == nil:
		d = &chatops.FailureDigest{Fingerprint: p.Fingerprint}
	case err != nil:
		r.e.noteError("count failed alerts for an escalation", err)
		r.e.noteDigest(0, err)
		r.settleEscalation(chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeHeld, Delay: digestWait})
		return nil, false
	}
	r.e.noteDigest(d.Failed, nil)
	if mail.Payload, err = json.Marshal(EscalationMail(p, d, r.e.opts.Replica)); err != nil {
		return a, true
	}
	return &mail, true
}

func (r *run) settleEscalation(o chatops.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = append(r.ready, o)
}

// quietEscalation is what becomes of a mail about a cause that is muted or
// acknowledged. It waits for as long as it stands for, looking now and then
// whether the cause has grown in spite of it; then the next one does.
func (e *Engine) quietEscalation(a *chatops.Alert, s *chatops.CauseState) chatops.Outcome {
	text := "the cause is " + string(s.Standing())
	if s.Standing() == chatops.StandingMuted {
		text += " until " + stamp(s.MutedUntil)
	}
	if e.now().Sub(a.CreatedAt) < time.Hour {
		return chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeHeld, Delay: quietWait, Error: text + ": sent only if it grows"}
	}
	return chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeCancelled, Error: text + ": not sent"}
}

// EscalationMail writes the mail that tells an operator about a cause: what
// failed, how many, since when, and the commands to run.
func EscalationMail(p chatops.EscalationPayload, d *chatops.FailureDigest, replica string) chatops.EmailPayload {
	sample := Redact(d.Sample)
	if sample == "" {
		sample = Redact(p.Sample)
	}
	f := shellWord(p.Fingerprint)
	integration := Redact(p.Integration)
	var b strings.Builder
	fmt.Fprintf(&b, "Alerts could not be delivered and wait for your decision. None is lost.\n\n")
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-14s%s\n", name+":", value)
		}
	}
	line("Integration", integration)
	line("Failed alerts", fmt.Sprint(d.Failed))
	line("Type", Redact(d.EventType))
	line("Target", Redact(chatops.Lane(d.Target)))
	line("First", stamp(d.First))
	line("Last", stamp(d.Last))
	line("Error", sample)
	line("Fingerprint", f)
	line("Reported by", Redact(replica))
	if d.Failed == 0 {
		b.WriteString("\nNone of them is failed any more: they were retried or discarded since.\n")
	}
	fmt.Fprintf(&b, `
Look at them (show takes an id from the list):
  chatops dlq list --fingerprint %[1]s
  chatops dlq show ID

When the cause is gone, see what a retry would do, then send them again:
  chatops dlq retry --fingerprint %[1]s --dry-run
  chatops dlq retry --fingerprint %[1]s --now

To get no further mail about this cause for a day, unless it grows:
  chatops dlq groups ack %[1]s

If they must not be sent any more:
  chatops dlq discard --fingerprint %[1]s --reason "..."

There is at most one such mail per cause and hour.
`, f)
	return chatops.EmailPayload{
		Subject: fmt.Sprintf("[chatops] %s: %s failed: %s", integration, chatops.Count(d.Failed, "alert"), shorten(sample, 80)),
		Text:    b.String(),
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// shellWord leaves of a fingerprint what may be pasted into a shell. Ours are
// hexadecimal; the payload may have been written by hand.
func shellWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, s)
}
