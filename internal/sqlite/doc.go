// Package sqlite is the embedded store: conversations, leads, consent and the
// delivery queue in one SQLite file, without cgo and without a server. It is
// what runs when nothing is configured.
//
// It promises that a call that returned nil is on disk (WAL, synchronous FULL);
// that every change is stored whole or not at all, whatever is killed or full;
// that several processes may use the same file and wait for each other; and
// that no alert is claimed twice while a lease on it exists. Callers that write
// at the same time share one transaction and one fsync, each in a savepoint of
// its own: docs/decisions/0031-sqlite-group-commit.md.
//
// It does not migrate by itself: NewMigrator does. It does not decide when to
// claim or retry: package deadletter does. It does not work on network file
// systems, which cannot share memory between processes; Open says so.
package sqlite
