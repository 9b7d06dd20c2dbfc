// Package ratelimit reads limits such as "30 per minute;200 per hour" and
// counts events against them, exactly: in no window of a rule's length are more
// events allowed than the rule says. Token buckets, GCRA and fixed windows let
// through up to twice as many.
//
// It promises bounded memory whatever keys it is asked about. It knows nothing
// of HTTP, and of clients only the keys that stand for them.
package ratelimit
