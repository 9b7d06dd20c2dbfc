package bench

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	eapache "github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"chatops/internal/breaker"
)

// guarded is a breaker's way of making a call that succeeds at once.
type guarded struct {
	name string
	call func() error
}

func guardedCalls() []guarded {
	ours := breaker.New("bench", breaker.Options{SlowCall: 10 * time.Second})
	sony := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Name: "bench"})
	twoStep := gobreaker.NewTwoStepCircuitBreaker[int](gobreaker.Settings{Name: "bench"})
	safe := circuitbreaker.NewWithDefaults[int]()
	executor := failsafe.With(circuitbreaker.NewWithDefaults[int]())
	other := eapache.New(5, 1, time.Minute)
	return []guarded{
		{"chatops", func() error {
			p, ok := ours.Allow()
			if !ok {
				return errRejected
			}
			p.SuccessIn(time.Millisecond)
			return nil
		}},
		{"eapache go-resiliency", func() error { return other.Run(func() error { return nil }) }},
		{"failsafe-go permits", func() error {
			if !safe.TryAcquirePermit() {
				return errRejected
			}
			safe.RecordSuccess()
			return nil
		}},
		{"failsafe-go Get", func() error {
			_, err := executor.Get(func() (int, error) { return 0, nil })
			return err
		}},
		{"gobreaker Execute", func() error {
			_, err := sony.Execute(func() (int, error) { return 0, nil })
			return err
		}},
		{"gobreaker two-step", func() error {
			done, err := twoStep.Allow()
			if err == nil {
				done(nil)
			}
			return err
		}},
	}
}

var errRejected = errors.New("rejected")

// BenchmarkBreaker makes calls through closed breakers, ours and its peers', in
// turn, by one goroutine and by as many as there are processors.
func BenchmarkBreaker(b *testing.B) {
	const calls = 1_000_000
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		subjects := guardedCalls()
		took := make([][]float64, len(subjects))
		for range *rounds {
			for i, s := range subjects {
				took[i] = append(took[i], nanosPerCall(b, workers, calls, s.call))
			}
		}
		ours := median(took[0])
		for i, s := range subjects {
			allocs := testing.AllocsPerRun(1000, func() { _ = s.call() })
			fmt.Printf("breaker, closed, %d goroutines: %-22s %7.1f ns/call %3.0f allocs, %5.1fx ours\n",
				workers, s.name, median(took[i]), allocs, median(took[i])/ours)
		}
	}
}

// nanosPerCall is the wall time of a call, as seen by one of the workers.
func nanosPerCall(b *testing.B, workers, calls int, call func() error) float64 {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for range calls {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(calls)
}
