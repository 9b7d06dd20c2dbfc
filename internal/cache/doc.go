// Package cache keeps values for a while that are dear to make: in Redis for all
// replicas, and in the memory of this process.
//
// # Promise
//
// A key names its value for good: whatever the value depends on is part of the
// key, and to change a value is to use another key. So it does not matter which
// replica stored it, and a value that this process remembers needs no question to
// Redis.
//
//   - Get returns what was stored under exactly this key, in this space, by Set,
//     within its time to live, or nothing. A value may be gone at any time.
//   - Memory holds at most MaxEntries entries and MaxBytes bytes (values, plus 128
//     for each entry), at every moment, not only in the long run. What makes room
//     for a new value is what was not read lately.
//   - A value is at most MaxValue bytes; larger ones are not stored, and none is
//     read that somebody else stored in Redis.
//   - Redis that hangs or cannot be reached costs one call, 50 ms; from then on
//     every call is answered from memory at once, until Run finds within five
//     seconds that Redis answers again. No call ever fails because of Redis.
//   - Delete forgets a key here and in Redis; other replicas may remember it for
//     the rest of its time to live. It frees space and is no revocation.
//   - Purge removes what has expired from memory, and readers never wait for more
//     than a small part of it. Expired values are not returned meanwhile, purged
//     or not. Redis removes its own.
//
// # Personal data
//
// Keys are hashed before they are kept or sent, so none can be read back. Values
// are kept as they are: whoever stores one has seen to it that it holds no
// personal data, or has sealed it.
//
// It has no goroutine of its own but Run, and starts nothing in New.
package cache
