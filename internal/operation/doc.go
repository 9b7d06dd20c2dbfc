// Package operation carries bulk operations. Its Carrier runs in every serving
// process, claims operations that nobody carries, and releases their alerts at
// the pace that chatops.Pacer allows: the canary, then the ramp, halting when too
// much fails and waiting while a circuit breaker is open. It also finishes
// operations whose command line has gone.
//
// It promises that an operation is carried by one process at a time, that one
// which dies loses nothing and releases nothing twice, and that pause, cancel and
// a new rate hold within a moment. The rule is the domain's, the fence is the
// store's.
//
// It delivers nothing: released alerts wait in the queue like any others, and
// package deadletter sends them. Nothing starts before Run.
package operation
