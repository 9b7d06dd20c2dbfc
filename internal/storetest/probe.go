package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

func probeCases() []testCase {
	return []testCase{
		{"ClaimProbe_IsGivenToOneHolderAtATime", probeExclusive},
		{"ClaimProbe_OfTheHolder_IsRenewed", probeRenewed},
		{"ClaimProbe_AfterTheHold_PassesOn", probeExpired},
		{"ClaimProbe_OfIntegrations_AreIndependent", probeIntegrations},
		{"ClaimProbe_WithoutNames_IsInvalid", probeInvalid},
		{"EndProbe_LetsTheNextOneInAfterThePause", probeEnded},
		{"EndProbe_OfAFormerHolder_DoesNothing", probeFormer},
		{"OrderBreaker_EndsThePauseAndNoProbe", probeOrdered},
		{"ClaimProbe_ByManyHandlesAtOnce_IsGivenOnce", probeParallel},
	}
}

const probeHold = 30 * time.Second

// wantProbe claims and ends the test unless the probe is given, or is not.
func (e *env) wantProbe(holder string, given bool) time.Duration {
	e.t.Helper()
	wait, err := e.store.ClaimProbe(e.ctx, "slack", holder, probeHold)
	e.must(err)
	if (wait == 0) != given || wait < 0 {
		e.t.Fatalf("%s is told to wait %v, want the probe given: %v", holder, wait, given)
	}
	return wait
}

func (e *env) endProbe(holder string, pause time.Duration) {
	e.t.Helper()
	e.must(e.store.EndProbe(e.ctx, "slack", holder, pause))
}

func probeExclusive(e *env) {
	e.wantProbe("a", true)
	if wait := e.wantProbe("b", false); wait > probeHold || wait < probeHold-time.Second {
		e.t.Fatalf("wait is %v of a hold of %v", wait, probeHold)
	}
	e.clock.Advance(probeHold / 2)
	if wait := e.wantProbe("b", false); wait > probeHold/2 {
		e.t.Fatalf("wait is %v after half of a hold of %v", wait, probeHold)
	}
}

func probeRenewed(e *env) {
	e.wantProbe("a", true)
	e.clock.Advance(probeHold - time.Second)
	e.wantProbe("a", true)
	e.clock.Advance(probeHold - time.Second)
	e.wantProbe("b", false)
	e.wantProbe("a", true)
}

func probeExpired(e *env) {
	e.wantProbe("a", true)
	e.clock.Advance(probeHold)
	e.wantProbe("b", true)
	e.wantProbe("a", false)
}

func probeIntegrations(e *env) {
	for _, integration := range []string{"slack", "monday", "webhook:crm"} {
		wait, err := e.store.ClaimProbe(e.ctx, integration, "holder of "+integration, probeHold)
		e.must(err)
		if wait != 0 {
			e.t.Fatalf("%s: told to wait %v", integration, wait)
		}
	}
	e.must(e.store.EndProbe(e.ctx, "monday", "holder of monday", 0))
	e.wantProbe("b", false)
}

func probeInvalid(e *env) {
	for _, c := range [][2]string{{"", "a"}, {"slack", ""}} {
		_, err := e.store.ClaimProbe(e.ctx, c[0], c[1], probeHold)
		e.wantCode(err, chatops.CodeInvalid)
	}
}

func probeEnded(e *env) {
	e.wantProbe("a", true)
	e.endProbe("a", time.Minute)
	for _, holder := range []string{"a", "b"} { // the pause is everybody's
		if wait := e.wantProbe(holder, false); wait > time.Minute || wait < 59*time.Second {
			e.t.Fatalf("wait is %v of a pause of a minute", wait)
		}
	}
	e.clock.Advance(time.Minute)
	e.wantProbe("b", true)
	e.endProbe("b", 0)
	e.wantProbe("c", true)
	e.endProbe("c", -time.Hour)
	e.wantProbe("d", true)
}

func probeOrdered(e *env) {
	e.wantProbe("a", true)
	e.trip("slack", 0)
	e.wantProbe("b", false) // the probe is under way all the same
	e.endProbe("a", time.Hour)
	e.trip("monday", 0)
	e.wantProbe("b", false)
	e.must(e.store.OrderBreaker(e.ctx, &chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerAuto}))
	e.wantProbe("b", true)
}

func probeFormer(e *env) {
	e.endProbe("a", time.Hour) // of a probe that nobody holds
	e.wantProbe("a", true)
	e.clock.Advance(probeHold)
	e.wantProbe("b", true)
	e.endProbe("a", 0)
	e.wantProbe("c", false)
	e.endProbe("b", 0)
	e.wantProbe("c", true)
	e.endProbe("b", 0) // twice
	e.wantProbe("d", false)
}

// probeParallel lets many replicas ask at once, round after round.
func probeParallel(e *env) {
	stores := []chatops.Store{e.store, e.open(), e.open()}
	for round := range 8 {
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				wait, err := stores[i%len(stores)].ClaimProbe(e.ctx, "slack", fmt.Sprintf("%d-%d", round, i), time.Hour)
				if err != nil {
					e.t.Errorf("claim: %v", err)
				} else if wait == 0 {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if n := won.Load(); n != 1 {
			e.t.Fatalf("round %d: the probe was given to %d of 12, want 1", round, n)
		}
		e.clock.Advance(time.Hour)
	}
}
