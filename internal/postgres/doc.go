// Package postgres is the production store: conversations, leads, consent and
// the delivery queue in PostgreSQL 14 or later.
//
// It promises that every change is one transaction and, on the hot paths (a
// chat turn, a claim, outcomes with the next claim), one round trip; that no
// alert is claimed twice while a lease on it exists; and that the database's
// clock decides what is due, so replicas with wrong clocks agree. It keeps no
// state in sessions outside Watch, so it works behind PgBouncer in transaction
// mode with `?default_query_exec_mode=exec` in the URL.
//
// It does not migrate by itself: NewMigrator does, and CheckSchema says whether
// that is needed. It does not decide when to claim or retry: package deadletter
// does.
//
// Queue: docs/decisions/0021-queue-cursor.md explains the cursor and the leases.
// Consent: docs/decisions/0022-withdrawn-consent-stays-withdrawn.md.
package postgres
