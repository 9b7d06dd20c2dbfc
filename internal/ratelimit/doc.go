// Package ratelimit reads limits such as "30 per minute;200 per hour" and
// counts events against them, exactly: in no window of a rule's length are more
// events allowed than the rule says. Token buckets, GCRA and fixed windows let
// through up to twice as many.
//
// Limits holds every limit of a process. Each decision is taken in local memory
// and, where there is a Redis, in Redis as well, which all replicas share. An
// operator's orders replace a configured value for a time and block networks; a
// change of a value keeps what was counted.
//
// It promises bounded memory whatever keys it is asked about. It knows nothing
// of HTTP, and of clients only the keys that stand for them.
package ratelimit
