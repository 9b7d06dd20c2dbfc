// Package deadletter delivers alerts. Its Engine drives every lane of a
// chatops.Queue to the chatops.AlertSender that serves it: it claims due alerts
// under a lease, makes the attempts, records what became of them, backs off,
// gives up, and escalates what it gave up.
//
// It promises that an alert is attempted within milliseconds of Wake, that no
// alert leaves the queue without a recorded outcome, that a lane which must
// wait (open breaker, rate limit, integration not configured, serial receiver)
// waits without using up an attempt, that the text it stores holds neither
// secrets nor personal data, and that it goes on by itself after the database
// was away. Delivery is at least once: an attempt whose outcome could not be
// recorded is repeated under the same idempotency key.
//
// It does not know how an integration speaks (package sender), where alerts are
// kept (postgres, sqlite) or how operators act on them (runbook). Nothing
// starts before Run.
package deadletter
