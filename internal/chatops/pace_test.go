package chatops_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// receiver is a queue and a receiver for a pacer: what is released waits, and is
// tried at the receiver's speed.
type receiver struct {
	pacer    *chatops.Pacer
	now      time.Time
	outcomes chatops.OperationOutcomes
	peak     int64     // most that waited at once
	rates    []float64 // each step of the ramp
	halt     string
}

const paceTick = 250 * time.Millisecond

func paced(p chatops.OperationPace) *receiver {
	return &receiver{
		pacer: &chatops.Pacer{Pace: p, Window: chatops.PaceWindow},
		now:   time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), outcomes: chatops.OperationOutcomes{Lanes: []string{"slack:alerts"}},
	}
}

// tick is one look: the receiver tries up to speed alerts, of which every nth
// fails, and the pacer releases what it may of left.
func (r *receiver) tick(speed int64, failEvery int64, left int64, open ...string) int64 {
	n := min(speed, r.outcomes.Waiting)
	for range n {
		r.outcomes.Waiting--
		if tried := r.outcomes.Tried(); failEvery > 0 && tried%failEvery == 0 {
			r.outcomes.Failed++
		}
	}
	step := r.pacer.Next(r.now, &r.outcomes, open)
	r.now = r.now.Add(paceTick)
	if step.Halt != "" {
		r.halt = step.Halt
		return 0
	}
	released := min(int64(step.Release), left)
	r.outcomes.Released += released
	r.outcomes.Waiting += released
	r.peak = max(r.peak, r.outcomes.Waiting)
	if rate := r.pacer.Run.Rate; len(r.rates) == 0 || r.rates[len(r.rates)-1] != rate {
		r.rates = append(r.rates, rate)
	}
	return released
}

// until drives it until everything is released, it halts, or the ticks are over.
func (r *receiver) until(ticks int, speed, failEvery, total int64) {
	for range ticks {
		r.tick(speed, failEvery, total-r.outcomes.Released)
		if r.halt != "" || r.outcomes.Released == total && r.outcomes.Waiting == 0 {
			return
		}
	}
}

func TestPacer_SendsTheCanaryAloneThenClimbs(t *testing.T) {
	t.Parallel()
	r := paced(chatops.OperationPace{Rate: 200, Canary: 1, MaxFailures: 0.2})
	if n := r.tick(0, 0, 1000); n != 1 {
		t.Fatalf("%d were released first, want the canary", n)
	}
	for range 100 {
		if n := r.tick(0, 0, 1000); n != 0 {
			t.Fatalf("%d were released before the canary's outcome", n)
		}
	}
	if r.pacer.Run.Waits == "" {
		t.Error("it does not say that it waits for the canary")
	}
	r.until(1000, 1000, 0, 5000)
	if got := fmt.Sprint(r.rates); got != "[0 5 25 100 200]" {
		t.Errorf("the steps of the ramp are %s", got)
	}
	if r.halt != "" || r.outcomes.Released != 5000 {
		t.Errorf("released %d, halted %q", r.outcomes.Released, r.halt)
	}
}

func TestPacer_HaltsWhenTheCanaryFails(t *testing.T) {
	t.Parallel()
	r := paced(chatops.OperationPace{Rate: 200, Canary: 2, MaxFailures: 0.2})
	r.until(100, 10, 2, 1000)
	if r.halt != "the canary failed: 1 of 2" || r.outcomes.Released != 2 {
		t.Fatalf("halted with %q after %d", r.halt, r.outcomes.Released)
	}
	r.pacer.Run.Again(r.outcomes.Released) // resumed, by another process
	next := &chatops.Pacer{Pace: r.pacer.Pace, Run: r.pacer.Run, Window: chatops.PaceWindow}
	r.pacer, r.halt = next, ""
	if n := r.tick(10, 0, 1000); n != 2 || r.halt != "" {
		t.Fatalf("after it was resumed %d were released, halted %q; want another canary", n, r.halt)
	}
}

func TestPacer_HaltsWhenAWindowFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		most  float64
		every int64
		halts bool
	}{{0.2, 4, true}, {0.2, 6, false}, {0, 50, true}, {1, 1, false}} {
		r := paced(chatops.OperationPace{Rate: 100, MaxFailures: c.most})
		r.until(400, 1000, c.every, 2000)
		if (r.halt != "") != c.halts {
			t.Errorf("every %dth of them fails, %v may: halted %q", c.every, c.most, r.halt)
		}
		if c.halts && (!strings.Contains(r.halt, "attempts failed, more than") || r.outcomes.Released > 500) {
			t.Errorf("halted with %q after %d", r.halt, r.outcomes.Released)
		}
	}
}

func TestPacer_DefersWhileABreakerIsOpen(t *testing.T) {
	t.Parallel()
	r := paced(chatops.OperationPace{Rate: 100, MaxFailures: 0.2})
	r.until(80, 1000, 0, 300)
	before := r.outcomes.Released
	for range 40 {
		r.tick(0, 0, 1000, "slack")
	}
	if r.outcomes.Released != before || r.pacer.Run.Waits != "the circuit breaker of slack is open" {
		t.Fatalf("%d were released behind an open breaker, which it words %q", r.outcomes.Released-before, r.pacer.Run.Waits)
	}
	r.tick(1000, 0, 1000, "monday")
	r.tick(1000, 0, 1000, "monday")
	if r.outcomes.Released == before || r.pacer.Run.Rate != 5 {
		t.Errorf("afterwards released %d at %v a second, want the ramp anew", r.outcomes.Released-before, r.pacer.Run.Rate)
	}
}

func TestPacer_FollowsTheRateInFlight(t *testing.T) {
	t.Parallel()
	r := paced(chatops.OperationPace{Rate: 1000, MaxFailures: 0.2})
	r.until(120, 10_000, 0, 1_000_000)
	r.pacer.Pace.Rate = 4
	before := r.outcomes.Released
	for range 40 { // 10 s
		r.tick(10_000, 0, 1_000_000)
	}
	if got := r.outcomes.Released - before; got < 36 || got > 48 {
		t.Errorf("%d in 10 s at 4 a second", got)
	}
	r.pacer.Pace.Rate = 50
	before = r.outcomes.Released
	for range 80 {
		r.tick(10_000, 0, 1_000_000)
	}
	if got := r.outcomes.Released - before; got < 400 {
		t.Errorf("%d in 20 s at 50 a second", got)
	}
}

func TestPacer_NeverPromisesMoreThanTheReceiverTakes(t *testing.T) {
	t.Parallel()
	r := paced(chatops.OperationPace{MaxFailures: 0.2}) // no ceiling
	r.until(2000, 2, 0, 100_000)                        // 8 a second
	if r.peak > 3*25 || r.pacer.Run.Rate > 25 {
		t.Errorf("%d waited at once, at %v a second, for a receiver that takes 8", r.peak, r.pacer.Run.Rate)
	}
}

// The rule against every pace, receiver and order of events: it never releases
// faster than its rate, never lets more wait than three seconds' worth, releases
// nothing but the canary before the canary is known, and halts only for failures.
func TestPacer_Rule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pace := chatops.OperationPace{
			Rate: rapid.SampledFrom([]float64{0, 0.5, 3, 40, 1000}).Draw(t, "rate"), Canary: rapid.IntRange(0, 3).Draw(t, "canary"),
			MaxFailures: rapid.SampledFrom([]float64{0, 0.2, 0.5, 1}).Draw(t, "max failures"),
		}
		r := paced(pace)
		begin := r.now
		for range rapid.IntRange(1, 200).Draw(t, "ticks") {
			speed := rapid.Int64Range(0, 400).Draw(t, "speed")
			every := rapid.Int64Range(0, 4).Draw(t, "every nth fails")
			var open []string
			if rapid.IntRange(0, 9).Draw(t, "open") == 0 {
				open = []string{"slack"}
			}
			inCanary := r.pacer.Run.Rate == 0 && pace.Canary > 0
			waited := r.outcomes.Waiting
			n := r.tick(speed, every, math.MaxInt32, open...)
			rate := max(r.pacer.Run.Rate, 5)
			switch {
			case r.halt != "" && (r.outcomes.Failed == 0 || pace.MaxFailures == 1):
				t.Fatalf("halted with %q after %d failures", r.halt, r.outcomes.Failed)
			case r.halt != "":
				return
			case inCanary && r.outcomes.Released > int64(pace.Canary):
				t.Fatalf("%d released before the outcome of a canary of %d", r.outcomes.Released, pace.Canary)
			case n > 0 && !inCanary && len(open) > 0 && waited > 0:
				t.Fatalf("%d released behind an open breaker", n)
			case n > 0 && r.outcomes.Waiting > int64(math.Ceil(3*rate))+int64(pace.Canary):
				t.Fatalf("%d wait at %v a second", r.outcomes.Waiting, rate)
			}
			most := float64(pace.Canary) + 1 + r.now.Sub(begin).Seconds()*pace.Rate
			if pace.Rate > 0 && float64(r.outcomes.Released) > most {
				t.Fatalf("%d released in %v at %v a second", r.outcomes.Released, r.now.Sub(begin), pace.Rate)
			}
		}
	})
}

func TestOperationPace_ETA(t *testing.T) {
	t.Parallel()
	p := chatops.OperationPace{Rate: 100, Canary: 1, MaxFailures: 0.2}
	for _, c := range []struct {
		left int64
		rate float64
		want time.Duration
	}{
		{1, 0, 0}, {26, 0, 5 * time.Second}, {151, 0, 10 * time.Second}, {1151, 0, 20 * time.Second}, {1000, 100, 10 * time.Second},
	} {
		if got := p.ETA(c.left, c.rate, chatops.PaceWindow).Round(time.Second); got != c.want {
			t.Errorf("%d left at %v a second take %v, want %v", c.left, c.rate, got, c.want)
		}
	}
	slow := chatops.OperationPace{Rate: 0.01}
	if got := slow.ETA(1<<60, 0, chatops.PaceWindow); got <= 0 {
		t.Errorf("a very long time is %v", got)
	}
}

func TestOperationPace_ValidateNamesWhatIsOutOfRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    chatops.OperationPace
		want string
	}{
		{chatops.OperationPace{}, ""}, {chatops.OperationPace{Rate: 20_000, Canary: 1000, MaxFailures: 1}, ""},
		{chatops.OperationPace{Rate: -1}, "rate"}, {chatops.OperationPace{Rate: 0.001}, "rate"}, {chatops.OperationPace{Rate: math.NaN()}, "rate"},
		{chatops.OperationPace{Canary: -1}, "canary"}, {chatops.OperationPace{MaxFailures: 1.5}, "max failures 150"},
		{chatops.OperationPace{MaxFailures: math.NaN()}, "max failures"},
	} {
		err := c.p.Validate()
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.p, err, c.want)
		}
	}
}
