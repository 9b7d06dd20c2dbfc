package breaker_test

import (
	"testing"
	"time"

	"chatops/internal/breaker"
)

func BenchmarkBreaker_Closed(b *testing.B) {
	br := breaker.New("slack", breaker.Options{})
	b.ReportAllocs()
	for b.Loop() {
		p, ok := br.Allow()
		if !ok {
			b.Fatal("closed breaker rejected a call")
		}
		p.Success()
	}
}

func BenchmarkBreaker_ClosedParallel(b *testing.B) {
	br := breaker.New("slack", breaker.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := br.Allow()
			p.Success()
		}
	})
}

func BenchmarkBreaker_Open(b *testing.B) {
	br := breaker.New("slack", breaker.Options{})
	br.Trip(time.Time{}, "")
	b.ReportAllocs()
	for b.Loop() {
		br.Allow()
	}
}

func TestBreaker_AllocatesNothingWhileClosed(t *testing.T) { //nolint:paralleltest // counts allocations
	br := breaker.New("slack", breaker.Options{})
	if n := testing.AllocsPerRun(1000, func() {
		p, _ := br.Allow()
		p.Success()
	}); n != 0 {
		t.Fatalf("%v allocations per call, want 0", n)
	}
}
