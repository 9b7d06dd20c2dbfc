// Package jobs runs what the clock asks for: jobs of the fleet once for each
// scheduled moment, whichever replica is there, and jobs of each process by a
// timer of its own.
//
// It promises that a slot of a fleet job is begun by one replica, that another
// takes over when that one dies or stops, that after downtime only the newest
// slot is run, and that a run which has lost its lease has its context ended. A
// run may therefore be begun anew after it was half done: jobs must bear that.
// The database's clock says what is due, so hosts may disagree about the time.
//
// A job that fails or panics is a failed run, and nothing else.
package jobs
