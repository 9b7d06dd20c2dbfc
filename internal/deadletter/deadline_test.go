package deadletter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline_BehavesAsAnOrdinaryContext(t *testing.T) {
	type key struct{}
	t.Parallel()
	bubble(t, func(t *testing.T) {
		parent, cancelParent := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
		defer cancelParent()
		make3s := func() *deadline { return &deadline{Context: parent, at: time.Now().Add(3 * time.Second)} }

		d := make3s()
		if d.Err() != nil || d.Value(key{}) != "v" {
			t.Fatalf("err %v, value %v", d.Err(), d.Value(key{}))
		}
		pass(3 * time.Second)
		if !errors.Is(d.Err(), context.DeadlineExceeded) {
			t.Fatalf("err = %v without anybody waiting", d.Err())
		}
		<-d.Done() // made after the time has passed
		d.release()

		d = make3s()
		begin := time.Now()
		child, cancel := context.WithTimeout(d, time.Hour)
		<-child.Done()
		if time.Since(begin) != 3*time.Second || !errors.Is(d.Err(), context.DeadlineExceeded) || d.Value(key{}) != "v" {
			t.Fatalf("child ended after %s, %v", time.Since(begin), d.Err())
		}
		cancel()
		d.release()

		d = make3s()
		done := d.Done()
		d.release()
		<-done
		if !errors.Is(d.Err(), context.Canceled) {
			t.Fatalf("err = %v after release", d.Err())
		}

		d = make3s()
		d.release()
		if !errors.Is(d.Err(), context.Canceled) {
			t.Fatalf("err = %v", d.Err())
		}
		<-d.Done()

		d = make3s()
		cancelParent()
		if !errors.Is(d.Err(), context.Canceled) {
			t.Fatalf("err = %v after the parent ended", d.Err())
		}
		<-d.Done()
		d.release()
		synctest.Wait()
	})
}

func TestDeadline_CostsNoTimerUntilSomebodyWaits(t *testing.T) { //nolint:paralleltest // counts allocations
	parent := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		d := deadline{Context: parent, at: time.Now().Add(time.Minute)}
		if d.Err() != nil {
			t.Error("ended")
		}
		d.release()
	}); n > 1 {
		t.Fatalf("%v allocations", n)
	}
}
