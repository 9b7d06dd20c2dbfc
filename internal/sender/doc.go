// Package sender delivers alerts to the integrations: Slack, Monday, e-mail and
// generic webhooks. Each is a chatops.AlertSender; New builds those that are
// configured, from the one list in senders.go.
//
// It promises that a failed attempt says what may be done about it: a request
// that never left is transient, one that was written without a reply being read
// is ambiguous, a wrong credential or address is misconfigured, and an alert
// that no repetition can save is permanent. Every attempt ends with its context,
// reads a bounded reply, and gives an error without address, secret or personal
// data.
//
// It does not queue, retry, wait or break circuits: the delivery engine does.
package sender
