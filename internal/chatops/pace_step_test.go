package chatops_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// look is one look of a pacer: when, at what, and what it says.
type look struct {
	after   time.Duration // since the beginning
	seen    chatops.OperationOutcomes
	open    []string
	release int
	halt    string
	rate    float64
	waits   string
}

// checkLooks plays looks to a pacer, one after the other.
func checkLooks(t *testing.T, p *chatops.Pacer, looks []look) {
	t.Helper()
	p.Window = chatops.PaceWindow
	for i, l := range looks {
		step := p.Next(midday.Add(l.after), &l.seen, l.open)
		if step.Release != l.release || step.Halt != l.halt {
			t.Errorf("look %d: released %d, halted %q; want %d, %q", i, step.Release, step.Halt, l.release, l.halt)
		}
		if p.Run.Rate != l.rate || p.Run.Waits != l.waits {
			t.Errorf("look %d: at %v a second, waits %q; want %v, %q", i, p.Run.Rate, p.Run.Waits, l.rate, l.waits)
		}
	}
}

func of(released, failed, waiting int64) chatops.OperationOutcomes {
	return chatops.OperationOutcomes{Released: released, Failed: failed, Waiting: waiting, Lanes: []string{"slack:alerts"}}
}

func TestPacer_TheFirstLookReleasesNothingWithoutACanary(t *testing.T) {
	t.Parallel()
	checkLooks(t, &chatops.Pacer{Pace: chatops.OperationPace{Rate: 100, MaxFailures: 0.2}}, []look{
		{0, of(0, 0, 0), nil, 0, "", 5, ""},
		{time.Second, of(0, 0, 0), nil, 5, "", 5, ""},
		{1500 * time.Millisecond, of(5, 0, 0), nil, 2, "", 5, ""},
		{2000 * time.Millisecond, of(7, 0, 0), nil, 3, "", 5, ""},   // the half is not lost
		{2500 * time.Millisecond, of(10, 0, 13), nil, 2, "", 5, ""}, // 15 may wait
		{3500 * time.Millisecond, of(15, 0, 15), nil, 0, "", 5, "the receiver takes its time: 15 alerts are released and not tried yet"},
		{4500 * time.Millisecond, of(15, 0, 0), nil, 5, "", 5, ""},
	})
}

func TestPacer_ASlowRateLetsOneWait(t *testing.T) {
	t.Parallel()
	checkLooks(t, &chatops.Pacer{Pace: chatops.OperationPace{Rate: 0.25, MaxFailures: 0.2}}, []look{
		{0, of(0, 0, 0), nil, 0, "", 0.25, ""},
		{3 * time.Second, of(0, 0, 0), nil, 0, "", 0.25, ""},
		{4 * time.Second, of(0, 0, 0), nil, 1, "", 0.25, ""},
		{8 * time.Second, of(1, 0, 1), nil, 0, "", 0.25, "the receiver takes its time: 1 alert is released and not tried yet"},
	})
}

func TestPacer_CreditDoesNotPileUp(t *testing.T) {
	t.Parallel()
	checkLooks(t, &chatops.Pacer{Pace: chatops.OperationPace{Rate: 100, MaxFailures: 0.2}}, []look{
		{0, of(0, 0, 0), nil, 0, "", 5, ""},
		{time.Hour, of(0, 0, 0), nil, 5, "", 5, ""}, // a second's worth, not an hour's
	})
}

func TestPacer_AClockThatGoesBackBeginsAnew(t *testing.T) {
	t.Parallel()
	checkLooks(t, &chatops.Pacer{Pace: chatops.OperationPace{Rate: 100, MaxFailures: 0.2}}, []look{
		{time.Hour, of(0, 0, 0), nil, 0, "", 5, ""},
		{0, of(0, 0, 0), nil, 0, "", 5, ""},
		{time.Second, of(0, 0, 0), nil, 5, "", 5, ""},
	})
}

func TestPacer_TheCanaryWaitsForEachOfItsAlerts(t *testing.T) {
	t.Parallel()
	pace := chatops.OperationPace{Rate: 3, Canary: 3, MaxFailures: 0.5}
	const awaited = "the outcome of the canary is awaited"
	checkLooks(t, &chatops.Pacer{Pace: pace}, []look{
		{0, of(0, 0, 0), []string{"slack"}, 0, "", 0, "the circuit breaker of slack is open"},
		{1, of(0, 0, 0), []string{"monday"}, 3, "", 0, ""},
		{2, of(1, 0, 1), nil, 2, "", 0, ""}, // somebody else had two of them
		{3, of(3, 0, 2), nil, 0, "", 0, awaited},
		{4, of(3, 1, 1), nil, 0, "", 0, awaited},
		{5, of(3, 1, 0), nil, 0, "", 3, ""}, // 1 of 3 may fail
		{time.Second, of(3, 1, 0), nil, 2, "", 3, ""},
	})
	checkLooks(t, &chatops.Pacer{Pace: pace}, []look{
		{0, of(0, 7, 0), nil, 3, "", 0, ""}, // failures of before do not count
		{1, of(3, 8, 2), nil, 0, "", 0, awaited},
		{2, of(3, 9, 1), nil, 0, "the canary failed: 2 of 3", 0, awaited},
	})
	checkLooks(t, &chatops.Pacer{Pace: pace}, []look{
		{0, of(3, 2, 1), nil, 0, "the canary failed: 2 of 3", 0, ""}, // another process has released it
	})
}

func TestPacer_JudgesAWindowAtItsEdges(t *testing.T) {
	t.Parallel()
	pace := chatops.OperationPace{Rate: 100, MaxFailures: 0.2}
	begin := look{0, of(0, 0, 0), nil, 0, "", 5, ""}
	for _, last := range []look{
		{4 * time.Second, of(19, 19, 0), nil, 5, "", 5, ""},                                                // too early to judge
		{4 * time.Second, of(20, 4, 0), nil, 5, "", 5, ""},                                                 // as many as may
		{4 * time.Second, of(20, 5, 0), nil, 0, "5 of the last 20 attempts failed, more than 20 %", 5, ""}, // one more
		{5 * time.Second, of(4, 4, 0), nil, 5, "", 5, ""},                                                  // too few to judge
		{5 * time.Second, of(5, 1, 0), nil, 25, "", 25, ""},                                                // healthy: the next step
		{5 * time.Second, of(5, 2, 0), nil, 0, "2 of the last 5 attempts failed, more than 20 %", 5, ""},
		{5 * time.Second, of(12, 0, 6), nil, 25, "", 25, ""},                                                 // 6 that wait are not behind
		{5 * time.Second, of(13, 0, 7), nil, 5, "", 5, ""},                                                   // 7 are: the step is repeated
		{5 * time.Second, of(25, 30, 0), nil, 0, "25 of the last 25 attempts failed, more than 20 %", 5, ""}, // never more than tried
	} {
		checkLooks(t, &chatops.Pacer{Pace: pace}, []look{begin, last})
	}
}

func TestPacer_AnOpenBreakerBeginsTheRampAnew(t *testing.T) {
	t.Parallel()
	p := &chatops.Pacer{Pace: chatops.OperationPace{Rate: 50, MaxFailures: 0.2}, Run: chatops.OperationRun{Rate: 50, Integrations: []string{"monday"}}}
	checkLooks(t, p, []look{
		{0, of(0, 0, 0), nil, 0, "", 50, ""},
		{time.Second, of(0, 0, 0), []string{"slack"}, 0, "", 5, "the circuit breaker of slack is open"},
		{2 * time.Second, of(0, 0, 0), []string{"monday"}, 0, "", 5, "the circuit breaker of monday is open"},
		{3 * time.Second, of(0, 0, 0), []string{"email"}, 5, "", 5, ""},
	})
}

func TestOperationPace_ETAIsNeverLessForMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := chatops.OperationPace{
			Rate: rapid.SampledFrom([]float64{0, 0.01, 1, 5, 30, 20_000}).Draw(t, "rate"), Canary: rapid.IntRange(0, 1000).Draw(t, "canary"),
		}
		left := rapid.Int64Range(0, 1<<40).Draw(t, "left")
		more := left + rapid.Int64Range(0, 1<<40).Draw(t, "more")
		rate := rapid.SampledFrom([]float64{0, 1, 5, 100}).Draw(t, "present rate")
		few, many := p.ETA(left, rate, chatops.PaceWindow), p.ETA(more, rate, chatops.PaceWindow)
		if few < 0 || many < few {
			t.Fatalf("%d take %s and %d take %s", left, few, more, many)
		}
	})
}
