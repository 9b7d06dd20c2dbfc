package doctor

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

// countingStore counts what is read of the queue.
type countingStore struct {
	*fakeStore

	stats, groups atomic.Int64
}

func (c *countingStore) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	c.stats.Add(1)
	return c.fakeStore.QueueStats(ctx)
}

func (c *countingStore) AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error) {
	c.groups.Add(1)
	return c.fakeStore.AlertGroups(ctx, limit, countTo)
}

func TestExamine_ReadsTheQueueOnceAndItsCausesOnce(t *testing.T) {
	t.Parallel()
	for _, atOnce := range []int{0, 1} {
		b := healthy()
		b.store.stats.Counts = []chatops.AlertCount{ // every check of the queue asks for the causes
			{EventType: "slack_alert", Status: chatops.AlertPending, Count: 101}, {EventType: "slack_alert", Status: chatops.AlertFailed, Count: 1},
		}
		b.store.stats.OldestWaiting = noon.Add(-time.Hour)
		store := &countingStore{fakeStore: b.store}
		b.Store, b.AtOnce = store, atOnce
		bad := 0
		for _, r := range Examine(t.Context(), b.Patient, Checks(), time.Minute) {
			if !r.State.Sound() {
				bad++
			}
		}
		if bad != 3 || store.stats.Load() != 1 || store.groups.Load() != 1 {
			t.Errorf("%d at once: %d findings, of %d readings of the queue and %d of its causes",
				atOnce, bad, store.stats.Load(), store.groups.Load())
		}
		Examine(t.Context(), b.Patient, Checks(), time.Minute)
		if store.stats.Load() != 2 || store.groups.Load() != 2 {
			t.Error("another examination remembers the one before")
		}
	}
}

func TestMemory_OtherBoundsAreAnotherQuestion(t *testing.T) {
	t.Parallel()
	store := &countingStore{fakeStore: healthy().store}
	m := newMemory(store)
	for _, limit := range []int{causes, causes, 3, 3} {
		if _, err := m.AlertGroups(t.Context(), limit, causesCount); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.groups.Load(); n != 3 {
		t.Errorf("it reads %d times", n)
	}
}

func TestReading_NobodyWaitsLongerThanHeMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReading[int]()
		go func() {
			_, _ = r.get(t.Context(), func() (int, error) {
				<-time.After(time.Hour)
				return 7, nil
			})
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.get(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it waits on: %v", err)
		}
		if v, err := r.get(t.Context(), nil); v != 7 || err != nil {
			t.Errorf("it gets %d, %v", v, err)
		}
	})
}

func TestReading_APanicIsAnErrorOfThoseWhoWait(t *testing.T) {
	t.Parallel()
	r := newReading[int]()
	func() {
		defer func() { _ = recover() }()
		_, _ = r.get(t.Context(), func() (int, error) { panic("broken") })
	}()
	if _, err := r.get(t.Context(), nil); err == nil {
		t.Error("what was not read is nought")
	}
}
