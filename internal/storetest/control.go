package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func controlCases() []testCase {
	return []testCase{
		{"Controls_OfANewDatabase_AreEmpty", controlsEmpty},
		{"OrderBreaker_ReplacesTheFormerOrder", controlBreaker},
		{"OrderBreaker_GivesAnEndOnlyToATrip", controlBreakerEnd},
		{"ATripThatHasExpired_IsShownAsAuto", controlTripExpires},
		{"SetLimitOverride_ReplacesTheFormerOne", controlLimit},
		{"AnOverrideThatHasExpired_IsLeftOutAndCannotBeUnset", controlLimitExpires},
		{"UnsetLimitOverride_TakesTheNextRevision", controlUnset},
		{"BlockClient_HoldsExactlyOneNetwork", controlBlock},
		{"ABlockThatHasExpired_IsForgottenWithTheNextOrder", controlBlockExpires},
		{"Controls_AreOrderedByName", controlOrder},
		{"Orders_ThatMakeNoSense_AreInvalidAndStoreNothing", controlInvalid},
		{"Orders_KeepTheirText", controlText},
		{"Orders_OfManyAtOnce_TakeOneRevisionEachInTheOrderOfTheirCommits", controlParallel},
		{"WatchControls_WakesAfterAnOrderOfAnotherHandle", controlWatch},
		{"WatchControls_WakesOnceASecondAnyway", controlWatchPoll},
	}
}

func (e *env) controls() *chatops.Controls {
	e.t.Helper()
	c, err := e.store.Controls(e.ctx)
	e.must(err)
	return c
}

// wantRevision ends the test unless this is the newest revision.
func (e *env) wantRevision(want int64) {
	e.t.Helper()
	if got := e.controls().Revision; got != want {
		e.t.Fatalf("revision is %d, want %d", got, want)
	}
}

// trip orders a breaker open.
func (e *env) trip(name string, lasts time.Duration) *chatops.BreakerOrder {
	e.t.Helper()
	o := &chatops.BreakerOrder{Name: name, Mode: chatops.BreakerTripped, For: lasts, Reason: "maintenance", Actor: "ola"}
	e.must(e.store.OrderBreaker(e.ctx, o))
	return o
}

func (e *env) override(name, value string, lasts time.Duration) *chatops.LimitOverride {
	e.t.Helper()
	o := &chatops.LimitOverride{Name: name, Value: value, For: lasts, Reason: "campaign", Actor: "jan"}
	e.must(e.store.SetLimitOverride(e.ctx, o))
	return o
}

func (e *env) block(network string, lasts time.Duration) *chatops.ClientBlock {
	e.t.Helper()
	b := &chatops.ClientBlock{Network: network, For: lasts, Reason: "abuse", Actor: "ola"}
	e.must(e.store.BlockClient(e.ctx, b))
	return b
}

// wantStamped checks what the store sets: a time of the clock, in UTC, the end
// after it, and the revision.
func (e *env) wantStamped(created, until time.Time, lasts time.Duration, revision, want int64) {
	e.t.Helper()
	end := time.Time{}
	if lasts > 0 {
		end = created.Add(lasts)
	}
	now := e.clock.Peek()
	if created.Location() != time.UTC || created.After(now) || now.Sub(created) > time.Minute || !until.Equal(end) {
		e.t.Fatalf("created %v until %v at %v, want an end after %v", created, until, now, lasts)
	}
	if revision != want {
		e.t.Fatalf("revision is %d, want %d", revision, want)
	}
}

func controlsEmpty(e *env) {
	c := e.controls()
	if len(c.Breakers)+len(c.Overrides)+len(c.Blocks) != 0 || c.Revision != 0 {
		e.t.Fatalf("controls of a new database are %+v", *c)
	}
	if now := e.clock.Peek(); c.Now.After(now) || now.Sub(c.Now) > time.Second || c.Now.Location() != time.UTC {
		e.t.Fatalf("the database's clock says %v at %v", c.Now, now)
	}
}

func controlBreaker(e *env) {
	first := e.trip("slack", 10*time.Minute)
	e.wantStamped(first.CreatedAt, first.Until, 10*time.Minute, first.Revision, 1)
	other := e.trip("monday", 0)
	e.wantStamped(other.CreatedAt, other.Until, 0, other.Revision, 2)
	reset := &chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerReset, Actor: "jan"}
	e.must(e.store.OrderBreaker(e.ctx, reset))
	e.wantStamped(reset.CreatedAt, reset.Until, 0, reset.Revision, 3)

	c := e.controls()
	want := []chatops.BreakerOrder{*other, *reset}
	if !reflect.DeepEqual(c.Breakers, want) || c.Revision != 3 {
		e.t.Fatalf("revision %d, orders\n%+v, want\n%+v", c.Revision, c.Breakers, want)
	}
}

func controlBreakerEnd(e *env) {
	for _, mode := range []chatops.BreakerMode{chatops.BreakerAuto, chatops.BreakerReset} {
		o := &chatops.BreakerOrder{Name: "slack", Mode: mode, For: time.Minute}
		e.must(e.store.OrderBreaker(e.ctx, o))
		if got := e.controls().Breakers[0]; !o.Until.IsZero() || !got.Until.IsZero() || got.Mode != mode {
			e.t.Fatalf("order %+v was stored as %+v", *o, got)
		}
	}
}

func controlTripExpires(e *env) {
	o := e.trip("slack", 10*time.Minute)
	e.clock.Advance(9 * time.Minute)
	if got := e.controls().Breakers[0]; got.Mode != chatops.BreakerTripped || !got.Until.Equal(o.Until) {
		e.t.Fatalf("before its end the trip is %+v", got)
	}
	e.clock.Advance(time.Minute)
	got := e.controls().Breakers[0]
	if got.Mode != chatops.BreakerAuto || got.Revision != o.Revision || got.Reason != o.Reason {
		e.t.Fatalf("after its end the trip is %+v", got)
	}
	e.wantRevision(1) // nobody has ordered that
	e.trip("slack", 0)
	e.clock.Advance(1000 * time.Hour)
	if got := e.controls().Breakers[0]; got.Mode != chatops.BreakerTripped || got.Revision != 2 {
		e.t.Fatalf("a trip without an end is %+v", got)
	}
}

func controlLimit(e *env) {
	e.override("chat", "100 per minute", time.Hour)
	o := e.override("chat", "50 per minute; 5/second", 0)
	e.wantStamped(o.CreatedAt, o.Until, 0, o.Revision, 2)
	want := []chatops.LimitOverride{{
		Name: "chat", Value: "50 per minute; 5/second", Reason: "campaign", Actor: "jan",
		CreatedAt: o.CreatedAt, Revision: 2,
	}}
	if got := e.controls().Overrides; !reflect.DeepEqual(got, want) {
		e.t.Fatalf("overrides are\n%+v, want\n%+v", got, want)
	}
}

func controlLimitExpires(e *env) {
	o := e.override("chat", "100 per minute", 30*time.Minute)
	e.wantStamped(o.CreatedAt, o.Until, 30*time.Minute, o.Revision, 1)
	e.clock.Advance(29 * time.Minute)
	if got := e.controls().Overrides; len(got) != 1 || !got[0].Until.Equal(o.Until) {
		e.t.Fatalf("before its end the overrides are %+v", got)
	}
	e.clock.Advance(time.Minute)
	if got := e.controls().Overrides; len(got) != 0 {
		e.t.Fatalf("after its end the overrides are %+v", got)
	}
	_, err := e.store.UnsetLimitOverride(e.ctx, "chat")
	e.wantCode(err, chatops.CodeNotFound)
	e.wantRevision(1)
	e.override("chat", "10 per minute", 0)
	e.wantRevision(2)
}

func controlUnset(e *env) {
	e.override("chat", "100 per minute", 0)
	e.override("api", "100 per minute", time.Hour)
	e.block("chat", 0) // of the same name, but no limit
	revision, err := e.store.UnsetLimitOverride(e.ctx, "chat")
	e.must(err)
	if revision != 4 {
		e.t.Fatalf("revision is %d, want 4", revision)
	}
	c := e.controls()
	if c.Revision != 4 || len(c.Overrides) != 1 || c.Overrides[0].Name != "api" || len(c.Blocks) != 1 {
		e.t.Fatalf("after unset: %+v", *c)
	}
	for _, name := range []string{"chat", "nothing", ""} {
		revision, err := e.store.UnsetLimitOverride(e.ctx, name)
		e.wantCode(err, chatops.CodeNotFound)
		if revision != 0 || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			e.t.Fatalf("unset of %q gave %d, %v", name, revision, err)
		}
	}
	e.wantRevision(4)
}

func controlBlock(e *env) {
	b := e.block("203.0.113.7/32", 0)
	e.wantStamped(b.CreatedAt, b.Until, 0, b.Revision, 1)
	b = e.block("203.0.113.0/24", time.Hour)
	e.wantStamped(b.CreatedAt, b.Until, time.Hour, b.Revision, 2)
	again := e.block("203.0.113.7/32", 2*time.Hour)
	e.wantStamped(again.CreatedAt, again.Until, 2*time.Hour, again.Revision, 3)
	b.For, again.For = 0, 0
	if got, want := e.controls().Blocks, []chatops.ClientBlock{*b, *again}; !reflect.DeepEqual(got, want) {
		e.t.Fatalf("blocks are\n%+v, want\n%+v", got, want)
	}
	revision, err := e.store.UnblockClient(e.ctx, "203.0.113.0/24")
	e.must(err)
	if got := e.controls(); revision != 4 || got.Revision != 4 || len(got.Blocks) != 1 || got.Blocks[0].Network != again.Network {
		e.t.Fatalf("after unblocking: revision %d, %+v", revision, *got)
	}
	_, err = e.store.UnblockClient(e.ctx, "203.0.113.0/24")
	e.wantCode(err, chatops.CodeNotFound)
	e.wantRevision(4)
}

func controlBlockExpires(e *env) {
	e.block("203.0.113.7/32", time.Minute)
	e.clock.Advance(time.Minute)
	if got := e.controls().Blocks; len(got) != 0 {
		e.t.Fatalf("after its end the blocks are %+v", got)
	}
	_, err := e.store.UnblockClient(e.ctx, "203.0.113.7/32")
	e.wantCode(err, chatops.CodeNotFound)
	e.trip("slack", 0)
	if n := e.count(`SELECT COUNT(*) FROM rate_limit_override`); n != 0 {
		e.t.Fatalf("%d expired addresses are kept", n)
	}
}

func controlOrder(e *env) {
	for _, name := range []string{"webhook:b", "slack", "Slack", "webhook:a", "email"} {
		e.trip(name, 0)
		e.override(name, "1 per minute", 0)
		e.block(name, 0)
	}
	want := "[Slack email slack webhook:a webhook:b]"
	var breakers, limits, networks []string
	c := e.controls()
	for i := range c.Breakers {
		breakers = append(breakers, c.Breakers[i].Name)
		limits = append(limits, c.Overrides[i].Name)
		networks = append(networks, c.Blocks[i].Network)
	}
	for _, got := range [][]string{breakers, limits, networks} {
		if fmt.Sprint(got) != want {
			e.t.Fatalf("ordered as %v, want %s", got, want)
		}
	}
}

func controlInvalid(e *env) {
	long := strings.Repeat("ż", 256)
	for _, o := range []chatops.BreakerOrder{
		{Name: "slack", Mode: "ajar"}, {Mode: chatops.BreakerAuto}, {Name: "slack", Mode: chatops.BreakerTripped, For: -1},
		{Name: long, Mode: chatops.BreakerTripped},
	} {
		e.wantCode(e.store.OrderBreaker(e.ctx, &o), chatops.CodeInvalid)
	}
	for _, o := range []chatops.LimitOverride{{Name: "chat"}, {Value: "1 per minute"}, {Name: "chat", Value: "x", For: -1}, {Name: long, Value: "x"}} {
		e.wantCode(e.store.SetLimitOverride(e.ctx, &o), chatops.CodeInvalid)
	}
	for _, b := range []chatops.ClientBlock{{}, {Network: "203.0.113.7/32", For: -1}, {Network: long}} {
		e.wantCode(e.store.BlockClient(e.ctx, &b), chatops.CodeInvalid)
	}
	if c := e.controls(); c.Revision != 0 || len(c.Breakers)+len(c.Overrides)+len(c.Blocks) != 0 {
		e.t.Fatalf("invalid orders were stored: %+v", *c)
	}
}

func controlText(e *env) {
	name, reason := strings.Repeat("ż", 255), "Slack\x00 nie\nodpowiada: 'błąd' \xff"
	o := &chatops.BreakerOrder{Name: name, Mode: chatops.BreakerTripped, Reason: reason, Actor: "ola\\%"}
	e.must(e.store.OrderBreaker(e.ctx, o))
	got := e.controls().Breakers[0]
	if got.Name != name || got.Reason != "Slack\uFFFD nie\nodpowiada: 'błąd' \uFFFD" || got.Actor != "ola\\%" {
		e.t.Fatalf("stored as %+v", got)
	}
}

// controlParallel reads while many write: whoever has seen a revision has seen
// every order up to it.
func controlParallel(e *env) {
	const writers, each = 4, 12
	stores := []chatops.Store{e.store, e.open()}
	var wg, reading sync.WaitGroup
	revisions := make(chan int64, writers*each)
	done := make(chan struct{})
	for i := range 2 {
		reading.Go(func() { e.readControls(stores[i], done) })
	}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				o := chatops.BreakerOrder{Name: fmt.Sprintf("webhook:%d-%d", w, i), Mode: chatops.BreakerTripped}
				if err := stores[(w+i)%2].OrderBreaker(e.ctx, &o); err != nil {
					e.t.Errorf("order: %v", err)
				}
				revisions <- o.Revision
			}
		})
	}
	wg.Wait()
	close(done)
	reading.Wait()
	close(revisions)
	seen := map[int64]bool{}
	for r := range revisions {
		seen[r] = true
	}
	for r := int64(1); r <= writers*each; r++ {
		if !seen[r] {
			e.t.Errorf("no order has revision %d", r)
		}
	}
	e.wantRevision(writers * each)
}

// readControls checks, until done, that no order is missing below the revision.
func (e *env) readControls(s chatops.Store, done <-chan struct{}) {
	last := int64(0)
	for {
		c, err := s.Controls(e.ctx)
		if err != nil {
			e.t.Errorf("controls: %v", err)
			return
		}
		if int64(len(c.Breakers)) != c.Revision || c.Revision < last {
			e.t.Errorf("%d orders at revision %d, after revision %d", len(c.Breakers), c.Revision, last)
			return
		}
		last = c.Revision
		select {
		case <-done:
			return
		default:
		}
	}
}
