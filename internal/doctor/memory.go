package doctor

import (
	"context"
	"sync/atomic"

	"chatops/internal/chatops"
)

// memory reads once for an examination what several checks look at, and what is
// dear in a long queue. The check that asks first reads, by its own context; what it
// meets is the others' too, for they would meet the same.
type memory struct {
	Store

	stats  *reading[*chatops.QueueStats]
	groups *reading[*chatops.AlertGroups]
}

func newMemory(store Store) *memory {
	return &memory{store, newReading[*chatops.QueueStats](), newReading[*chatops.AlertGroups]()}
}

// QueueStats shadows the store's.
func (m *memory) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	return m.stats.get(ctx, func() (*chatops.QueueStats, error) { return m.Store.QueueStats(ctx) })
}

// AlertGroups shadows the store's, for the bounds that all checks share.
func (m *memory) AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error) {
	if limit != causes || countTo != causesCount {
		return m.Store.AlertGroups(ctx, limit, countTo)
	}
	return m.groups.get(ctx, func() (*chatops.AlertGroups, error) { return m.Store.AlertGroups(ctx, limit, countTo) })
}

// reading is a value that is read at most once.
type reading[T any] struct {
	begun atomic.Bool
	done  chan struct{}
	value T
	err   error
}

func newReading[T any]() *reading[T] {
	return &reading[T]{done: make(chan struct{}), err: chatops.Errorf(chatops.CodeInternal, "the reading was given up")}
}

func (r *reading[T]) get(ctx context.Context, read func() (T, error)) (T, error) {
	if r.begun.CompareAndSwap(false, true) {
		defer close(r.done)
		r.value, r.err = read()
		return r.value, r.err
	}
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
