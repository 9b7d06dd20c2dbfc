// Package breaker stops calling an integration that is down. A Breaker opens
// after a number of consecutive failures, rejects every call for a while, then
// lets exactly one probe through and closes again when that probe succeeds.
//
// It promises that a call through a closed breaker costs a few nanoseconds and
// no allocation, that at most one probe is out at any time however many callers
// race, and that an answer which comes too late (the breaker has changed since)
// changes nothing.
//
// A breaker is local to the process. It decides nothing about what counts as a
// failure and never retries, waits or calls anything: the caller asks Allow,
// does its work and answers the Permit. Control of a whole fleet of processes
// is built on Trip, Reset and Auto by others.
package breaker
