// Package breaker stops calling an integration that is down. A Breaker opens
// after a number of consecutive failures or slow answers, rejects every call
// for a while, then lets exactly one probe through and closes again when that
// probe succeeds. The while grows as long as the integration flaps.
//
// It promises that a call through a closed breaker costs a few nanoseconds and
// no allocation, that Allow never waits, that at most one probe is out at any
// time however many callers race, that an answer which comes too late (the
// breaker has changed since) changes nothing, and that a breaker which an
// operator tripped stays open whatever the integration answers.
//
// A breaker judges what its own process has seen: a sick replica opens nobody
// else's. Two things concern the whole fleet: orders of operators, which Apply
// obeys, and probes, of which the fleet makes one at a time for an integration.
// Set.Run asks for them in the background; while the database does not answer,
// or Run does not run, a breaker grants itself its probes.
//
// The package decides nothing about what counts as a failure and never retries
// or calls an integration: the caller asks Allow, does its work and answers the
// Permit.
package breaker
