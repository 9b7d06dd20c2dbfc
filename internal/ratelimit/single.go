package ratelimit

import (
	"context"
	"time"
)

// MemoryOptions are the settings of a Memory. The zero value is sound.
type MemoryOptions struct {
	MaxKeys int              // as in Options
	NowFunc func() time.Time // nil: time.Now
}

// Memory is a single limit of this process.
type Memory struct {
	limit  Limit
	limits *Limits
}

// NewMemory makes a limiter of a limit that Parse returned.
func NewMemory(limit Limit, opts MemoryOptions) *Memory {
	limits, err := New(Options{Limits: map[string]Limit{"": limit}, MaxKeys: opts.MaxKeys, NowFunc: opts.NowFunc})
	if err != nil {
		panic(err) // a limit out of bounds: a defect of the caller
	}
	return &Memory{limit: limit, limits: limits}
}

// Limit returns what the limiter enforces.
func (m *Memory) Limit() Limit { return m.limit }

// Allow counts one event of a key, if the limit allows it.
func (m *Memory) Allow(key string) Decision {
	return m.limits.Allow(context.Background(), key, Check{Key: key})
}
