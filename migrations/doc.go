// Package migrations holds the schema of both engines and changes databases to
// it. The folders postgres and sqlite hold files of the same numbers and names;
// each file runs in a transaction of its own, so a migrator that is killed at
// any statement leaves nothing half done and the next one goes on from there.
//
// A Migrator promises that several may run at once, in one process or many: one
// works, the others wait and find nothing left. Reading the status changes
// nothing, not even in a database that was never migrated.
//
// It does not open databases and knows no driver: the store packages do.
package migrations
