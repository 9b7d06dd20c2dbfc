// Package e2e holds the tests that run the real chatops binary as processes:
// against a real PostgreSQL and SQLite files, with Slack, Monday, webhooks and
// the mail server played by internal/sendertest. They kill, freeze and starve
// these processes and then count what the receivers got and what the database
// says.
//
// Its promise: every row of docs/guarantees.md names a test of this package, or
// of the package concerned, that tries to break what is promised there. It does
// not test what can be seen without a process; that is in the packages
// themselves.
package e2e
