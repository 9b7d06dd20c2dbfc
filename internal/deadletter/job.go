package deadletter

import "chatops/internal/chatops"

// The names of what the engine does, or can be told to do, again and again.
const (
	JobRetry      = "dlq_retry"         // Sweep
	JobCleanup    = "dlq_cleanup"       // Cleanup
	JobEscalation = "escalation_digest" // mails about alerts that failed for good
)

// noteDigest keeps what became of an escalation's mail.
func (e *Engine) noteDigest(failed int64, err error) {
	result := "ok: written about " + chatops.Count(failed, "failed alert")
	if err != nil {
		result = "failed: " + Redact(err.Error())
	}
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.digest.LastRun, e.digest.LastResult = now, result
}
