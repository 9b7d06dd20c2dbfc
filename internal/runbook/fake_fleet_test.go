package runbook

import (
	"context"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// fakeFleet is what a fakeStore knows of orders and replicas, with the rules of
// chatops.ControlStore.
type fakeFleet struct {
	controls  chatops.Controls
	replicas  []chatops.Instance
	orderedAt time.Time
	// delays is how long a replica takes to obey; one without an entry never does.
	delays   map[string]time.Duration
	orderErr error // returned by every order when set
	failFrom int   // orders that succeed before orderErr
}

// newFakeFleet has replicas that obey at once.
func newFakeFleet(names ...string) *fakeStore {
	f := newFakeStore()
	f.fleet.delays = map[string]time.Duration{}
	for _, name := range names {
		f.fleet.replicas = append(f.fleet.replicas, chatops.Instance{Name: name, HeartbeatAt: noon.Add(-time.Second), Age: time.Second})
		f.fleet.delays[name] = 0
	}
	return f
}

// stamp counts an order and returns its revision.
func (f *fakeStore) stamp() (int64, error) {
	if f.fleet.orderErr != nil && f.fleet.failFrom == 0 {
		return 0, f.fleet.orderErr
	}
	f.fleet.failFrom--
	f.fleet.controls.Revision++
	f.fleet.orderedAt = time.Now()
	return f.fleet.controls.Revision, nil
}

func until(lasts time.Duration) time.Time {
	if lasts == 0 {
		return time.Time{}
	}
	return noon.Add(lasts)
}

func (f *fakeStore) OrderBreaker(_ context.Context, o *chatops.BreakerOrder) (err error) {
	o.Until, o.CreatedAt = until(o.For), noon
	o.Revision, err = f.stamp()
	if err != nil {
		return err
	}
	all := &f.fleet.controls.Breakers
	*all = slices.DeleteFunc(*all, func(old chatops.BreakerOrder) bool { return old.Name == o.Name })
	*all = append(*all, *o)
	slices.SortFunc(*all, func(a, b chatops.BreakerOrder) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (f *fakeStore) SetLimitOverride(_ context.Context, o *chatops.LimitOverride) (err error) {
	o.Until, o.CreatedAt = until(o.For), noon
	o.Revision, err = f.stamp()
	if err == nil {
		f.fleet.controls.Overrides = append(f.fleet.controls.Overrides, *o)
	}
	return err
}

func (f *fakeStore) UnsetLimitOverride(_ context.Context, name string) (int64, error) {
	f.fleet.controls.Overrides = slices.DeleteFunc(f.fleet.controls.Overrides, func(o chatops.LimitOverride) bool { return o.Name == name })
	return f.stamp()
}

func (f *fakeStore) BlockClient(_ context.Context, b *chatops.ClientBlock) (err error) {
	b.Until, b.CreatedAt = until(b.For), noon
	b.Revision, err = f.stamp()
	if err == nil {
		f.fleet.controls.Blocks = append(f.fleet.controls.Blocks, *b)
	}
	return err
}

func (f *fakeStore) UnblockClient(_ context.Context, network string) (int64, error) {
	f.fleet.controls.Blocks = slices.DeleteFunc(f.fleet.controls.Blocks, func(b chatops.ClientBlock) bool { return b.Network == network })
	return f.stamp()
}

func (f *fakeStore) Controls(context.Context) (*chatops.Controls, error) {
	c := f.fleet.controls
	c.Now = noon
	return &c, f.failure()
}

func (f *fakeStore) Instances(ctx context.Context) ([]chatops.Instance, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	list := slices.Clone(f.fleet.replicas)
	for i := range list {
		if delay, ok := f.fleet.delays[list[i].Name]; ok && time.Since(f.fleet.orderedAt) >= delay {
			list[i].Revision = f.fleet.controls.Revision
		}
	}
	return list, f.failure()
}

// fail lets every call fail from now on, or none with nil. It may be called
// while a command runs.
func (f *fakeStore) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeStore) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// report lets a replica report its breakers.
func (f *fakeStore) report(name string, breakers ...chatops.BreakerReport) {
	f.replica(name).Report.Breakers = breakers
}

// limits lets a replica report its limiter.
func (f *fakeStore) limits(name string, l chatops.LimiterReport) { f.replica(name).Report.Limiter = l }

func (f *fakeStore) replica(name string) *chatops.Instance {
	at := slices.IndexFunc(f.fleet.replicas, func(i chatops.Instance) bool { return i.Name == name })
	return &f.fleet.replicas[at]
}

// silence makes a replica stop reporting since a while.
func (f *fakeStore) silence(name string, since time.Duration) {
	r := f.replica(name)
	r.Age, r.HeartbeatAt = since, noon.Add(-since)
	delete(f.fleet.delays, name)
}

// troubled is a fleet of three replicas, one of them gone, in which Slack is
// down on one, Monday was tripped, and texts are hostile.
func troubled() *fakeStore {
	f := newFakeFleet("ops-1:101", "ops-2:202", "ops-3:303")
	closed := func(name string, fails int) chatops.BreakerReport {
		return chatops.BreakerReport{Name: name, State: "closed", FailCount: fails, FailMax: 5, ResetTimeoutSeconds: 60}
	}
	open := chatops.BreakerReport{
		Name: "slack", State: "open", FailCount: 5, FailMax: 5, ResetTimeoutSeconds: 60,
		OpenedAt: noon.Add(-42 * time.Second), RetryAt: noon.Add(18 * time.Second), Reason: "slack: HTTP 503: \x1b[31mboom\u202e|=1+1",
	}
	forced := chatops.BreakerReport{Name: "monday", State: "forced_open", FailMax: 5, ResetTimeoutSeconds: 60, OpenedAt: noon.Add(-4 * time.Minute), RetryAt: noon.Add(6 * time.Minute)}
	f.report("ops-1:101", open, forced, closed("email", 0), closed("webhook:crm\x1b[2J", 0))
	f.report("ops-2:202", closed("slack", 2), forced, closed("email", 0))
	f.report("ops-3:303", closed("slack", 0), closed("email", 4))
	f.silence("ops-3:303", 3*time.Minute)
	f.fleet.controls.Revision = 7
	f.fleet.controls.Breakers = []chatops.BreakerOrder{
		{Name: "email", Mode: chatops.BreakerReset, Actor: "jan", CreatedAt: noon.Add(-time.Hour), Revision: 3},
		{Name: "monday", Mode: chatops.BreakerTripped, Actor: "jan", Reason: "maintenance\n\x1b]0;x\x07", CreatedAt: noon.Add(-4 * time.Minute), Until: noon.Add(6 * time.Minute), Revision: 7},
	}
	f.troubledLimits()
	return f
}

// troubledLimits adds what is refused.
func (f *fakeStore) troubledLimits() {
	limits := func(chat, source string, denied ...chatops.DeniedClient) []chatops.LimitReport {
		return []chatops.LimitReport{
			{Name: "chat", Value: chat, Source: source, Allowed: 400, Denied: 40, TopDenied: denied},
			{Name: "api", Value: "200 per hour;50 per minute", Source: "config", Allowed: 7},
		}
	}
	f.limits("ops-1:101", chatops.LimiterReport{Enabled: true, Backend: "redis", Blocked: 9, Limits: limits("100 per minute", "override",
		chatops.DeniedClient{Client: "203.0.113.7", Count: 30}, chatops.DeniedClient{Client: "2001:db8::/64", Count: 10})})
	f.limits("ops-2:202", chatops.LimiterReport{Enabled: true, Backend: "local", Limits: limits("100 per minute", "override",
		chatops.DeniedClient{Client: "2001:db8::/64", Count: 25}, chatops.DeniedClient{Client: "203.0.113.7", Count: 15})})
	f.limits("ops-3:303", chatops.LimiterReport{Enabled: true, Backend: "redis", Blocked: 5, Limits: limits("30 per minute", "default",
		chatops.DeniedClient{Client: "198.51.100.1", Count: 99})})
	f.fleet.controls.Overrides = []chatops.LimitOverride{{
		Name: "chat", Value: "100 per minute", Actor: "ewa", Reason: "campaign \x1b[1m", CreatedAt: noon.Add(-2 * time.Minute), Until: noon.Add(28 * time.Minute), Revision: 5,
	}}
	f.fleet.controls.Blocks = []chatops.ClientBlock{
		{Network: "198.51.100.0/24", Actor: "jan", Reason: "=scraping", CreatedAt: noon.Add(-time.Hour), Revision: 4},
		{Network: "203.0.113.9/32", Actor: "ewa", CreatedAt: noon.Add(-time.Minute), Until: noon.Add(90 * time.Minute), Revision: 6},
	}
}
