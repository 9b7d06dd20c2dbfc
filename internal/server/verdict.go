package server

import (
	"context"
	"sync/atomic"
	"time"
)

// checkTimeout bounds one look at a dependency.
const checkTimeout = 2 * time.Second

// verdict is the result of a check, kept for a short time so that any number of
// requests costs one check at a time.
type verdict[T any] struct {
	now     func() time.Time
	maxAge  time.Duration
	timeout time.Duration // of one look
	look    func(context.Context) T
	current atomic.Pointer[dated[T]]
	turn    chan struct{} // holds one token, which the one who looks has taken
}

type dated[T any] struct {
	value T
	at    time.Time
}

func newVerdict[T any](now func() time.Time, maxAge time.Duration, look func(context.Context) T) *verdict[T] {
	v := &verdict[T]{now: now, maxAge: maxAge, timeout: checkTimeout, look: look, turn: make(chan struct{}, 1)}
	v.turn <- struct{}{}
	return v
}

// get returns a result at most maxAge old. The check runs on even when the
// request that began it goes away, for others wait for it.
func (v *verdict[T]) get(ctx context.Context) T {
	if d := v.fresh(); d != nil {
		return d.value
	}
	<-v.turn
	defer func() { v.turn <- struct{}{} }()
	if d := v.fresh(); d != nil {
		return d.value
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.timeout)
	defer cancel()
	d := &dated[T]{value: v.look(ctx), at: v.now()}
	v.current.Store(d)
	return d.value
}

func (v *verdict[T]) fresh() *dated[T] {
	d := v.current.Load()
	if d == nil || v.now().Sub(d.at) >= v.maxAge {
		return nil
	}
	return d
}
