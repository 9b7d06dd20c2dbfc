package deadletter

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

func counterValue(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// gathered renders metrics as name{label,label} = value.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			out[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = v
		}
	}
	return out
}

type fakeStats struct{ s chatops.QueueStats }

func (f *fakeStats) QueueStats(context.Context) (*chatops.QueueStats, error) { return &f.s, nil }

func TestMetrics_TellWhatHappens(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, reg := newFakeQueue(), prometheus.NewRegistry()
		slack, mail := &fakeSender{name: "slack"}, &fakeSender{name: "email"}
		mail.do(fail(chatops.FailTransient, "down"))
		q.add(7, "test", "slack:a")
		q.add(5, "test", "mailto:canary@b.example")
		q.add(1, "test", "monday:leads")
		now := time.Now()
		r := start(t, q, Options{
			Registerer: reg, RandFunc: half,
			Stats: &fakeStats{chatops.QueueStats{
				Counts:        []chatops.AlertCount{{EventType: "test", Status: chatops.AlertFailed, Count: 3}},
				OldestWaiting: now.Add(-time.Minute), Now: now,
			}},
		}, slack, mail)
		r.settle()
		got := gathered(t, reg)
		for name, want := range map[string]float64{
			"chatops_delivery_attempts_total{slack,delivered}": 7,
			"chatops_delivery_attempts_total{email,transient}": 5,
			"chatops_delivery_attempt_seconds{slack}":          7,
			"chatops_breaker_state{slack}":                     0,
			"chatops_breaker_state{email}":                     2,
			"chatops_delivery_unconfigured{monday}":            1,
			"chatops_delivery_misconfigured{slack}":            0,
			"chatops_delivery_lag_seconds{fresh,slack}":        0,
			"chatops_delivery_lanes{slack,idle}":               1,
			"chatops_delivery_lanes{slack,breaker_open}":       0,
			"chatops_delivery_lanes{email,breaker_open}":       1,
			"chatops_alerts{test,failed}":                      3,
			"chatops_alerts_oldest_age_seconds{waiting}":       60,
			"chatops_alerts_oldest_age_seconds{failed}":        0,
			"chatops_delivery_lost_leases_total{}":             0,
			"chatops_delivery_failed_total{}":                  0,
			"chatops_delivery_escalations_lost_total{}":        0,
			"chatops_delivery_panics_total{}":                  0,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s = %v (%v), want %v", name, v, ok, want)
			}
		}
		for name := range got {
			if strings.Contains(name, "canary") {
				t.Errorf("%s holds an address", name)
			}
		}
	})
}

func TestMetrics_CannotBeRegisteredTwice(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	if _, err := New(Options{Queue: newFakeQueue(), Registerer: reg}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Queue: newFakeQueue(), Registerer: reg}); err == nil {
		t.Fatal("no error")
	}
}

func TestMetrics_TellOfEveryBreaker(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	set := breaker.NewSet(breaker.Options{FailMax: 2, SlowCall: time.Second, ResetTimeout: time.Minute})
	if _, err := New(Options{Queue: newFakeQueue(), Registerer: reg, Breakers: set, Senders: []chatops.AlertSender{&fakeSender{name: "slack"}}}); err != nil {
		t.Fatal(err)
	}
	b := set.Get("slack")
	for range 2 {
		p, _ := b.Allow()
		p.SuccessIn(2 * time.Second)
	}
	b.Allow()
	b.Trip(time.Time{}, "")
	b.Auto()
	p, _ := b.Allow()
	p.Failure()
	got := gathered(t, reg)
	for name, want := range map[string]float64{
		"chatops_breaker_state{slack}":                2,
		"chatops_breaker_open_seconds{slack}":         120,
		"chatops_breaker_opened_total{slack}":         3,
		"chatops_breaker_rejected_total{slack}":       1,
		"chatops_breaker_probes_total{slack}":         1,
		"chatops_breaker_failures_total{slack,slow}":  2,
		"chatops_breaker_failures_total{slack,error}": 1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v, want %v", name, v, want)
		}
	}
}

func TestReport_ShowsLanesAndBreakers(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		set := breaker.NewSet(breaker.Options{})
		slack := &fakeSender{name: "slack"}
		slack.do(refuse(chatops.SendError{Kind: chatops.FailRateLimited, RetryAfter: time.Hour}))
		busy := &fakeSender{name: "webhook:crm"}
		busy.do(func(context.Context, *chatops.Alert) error {
			<-time.After(10 * time.Second)
			return nil
		})
		set.Get("email").Trip(time.Time{}, "")
		q.add(60, "test", "slack:a")
		q.add(1, "test", "webhook:crm")
		q.add(1, "test", "mailto:a@b.example")
		r := start(t, q, Options{Breakers: set}, slack, busy, &fakeSender{name: "email"})
		pass(2 * time.Second)
		rep := r.e.Report()
		states := map[string]LaneStatus{}
		for _, l := range rep.Lanes {
			states[l.Lane] = l.State
		}
		if !rep.Running || states["slack:a"] != LaneWaiting || states["webhook:crm"] != LaneDelivering || states["mailto"] != LaneBreakerOpen {
			t.Fatalf("report = %+v", rep)
		}
		if len(rep.Breakers) != 3 || rep.Breakers[0].State != breaker.ForcedOpen {
			t.Fatalf("breakers = %+v", rep.Breakers)
		}
		for _, l := range rep.Lanes {
			if l.Lane == "mailto" && (l.RetryLag < time.Second || l.FreshLag != 0) {
				t.Errorf("lag = %s, fresh %s", l.RetryLag, l.FreshLag)
			}
			if l.Lane == "slack:a" && time.Until(l.BlockedUntil) < 30*time.Minute {
				t.Errorf("blocked until %s", l.BlockedUntil)
			}
		}
		pass(10 * time.Second)
	})
}
