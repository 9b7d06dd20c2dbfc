package ratelimit

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

func override(value string, until time.Time) *chatops.Controls {
	return &chatops.Controls{
		Overrides: []chatops.LimitOverride{{Name: "chat", Value: value, Until: until}},
		Now:       time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), // not what our clock says
	}
}

func TestNew_RefusesLimitsOutOfBounds(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]Limit{
		"none": {}, "no count": {{0, time.Minute}}, "too many": {{MaxCount + 1, time.Minute}},
		"half seconds": {{1, 1500 * time.Millisecond}}, "too long": {{1, MaxWindow + time.Second}},
		"too many rules": slices.Repeat(Limit{{1, time.Second}}, 9),
	} {
		_, err := New(Options{Limits: map[string]Limit{name: limit}})
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigure_ChangesAtOnceAndKeepsWhatWasCounted(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "2 per minute", 0)
	for range 3 {
		l.chat(t, "a")
	}
	for _, step := range []struct {
		value   string
		allowed int
	}{{"5 per minute", 3}, {"4 per minute", 0}, {"6 per minute", 1}, {"6 per minute;1 per second", 0}} {
		if err := l.Configure(map[string]Limit{"chat": mustParse(t, step.value)}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for l.chat(t, "a").Allowed {
			n++
		}
		if n != step.allowed || l.Limit("chat").String() != step.value {
			t.Errorf("%s: %d events more, want %d", step.value, n, step.allowed)
		}
	}
}

func TestConfigure_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	l := single(t, newClock(), "2 per minute", 0)
	for _, limits := range []map[string]Limit{
		{"other": {{1, time.Minute}}, "chat": {{9, time.Minute}}}, {"chat": {{0, time.Minute}}},
	} {
		if err := l.Configure(limits); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%v: %v", limits, err)
		}
	}
	if got := l.Limit("chat").String(); got != "2 per minute" {
		t.Errorf("changed to %s all the same", got)
	}
	if l.Limit("other") != nil {
		t.Error("an unknown limit has a value")
	}
}

func TestApply_OverridesUntilTheEndByTheStoresClock(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLimits(t, Options{
		Limits: map[string]Limit{"chat": mustParse(t, "2 per minute")}, Defaults: map[string]Limit{"chat": mustParse(t, "2 per minute")},
		NowFunc: c.now,
	})
	want := func(value, source string) {
		t.Helper()
		if r := l.Report().Limits[0]; r.Value != value || r.Source != source || l.Limit("chat").String() != value {
			t.Errorf("%s from %s, want %s from %s", r.Value, r.Source, value, source)
		}
	}
	want("2 per minute", "default")
	order := override("5 per minute", time.Date(1999, 1, 1, 0, 0, 30, 0, time.UTC))
	l.Apply(order)
	want("5 per minute", "override")
	c.move(29 * time.Second)
	want("5 per minute", "override")
	if err := l.Configure(map[string]Limit{"chat": mustParse(t, "3 per minute")}); err != nil {
		t.Fatal(err)
	}
	want("5 per minute", "override")
	c.move(time.Second)
	want("3 per minute", "config")
	l.Apply(override("7 per minute", time.Time{}))
	c.move(1000 * time.Hour)
	want("7 per minute", "override")
	l.Apply(override("8 per minute", time.Time{}))
	want("8 per minute", "override")
	l.Apply(&chatops.Controls{})
	want("3 per minute", "config")
}

func TestApply_LeavesOutWhatItCannotRead(t *testing.T) {
	t.Parallel()
	c := newClock()
	var log bytes.Buffer
	l := newLimits(t, Options{
		Limits: map[string]Limit{"chat": mustParse(t, "2 per minute")}, NowFunc: c.now,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	order := override("9 per fortnight", time.Time{})
	order.Overrides = append(order.Overrides, chatops.LimitOverride{Name: "other", Value: "1 per minute"})
	order.Blocks = []chatops.ClientBlock{{Network: "somebody"}, {Network: "203.0.113.7/32"}}
	order.Revision = 3
	for range 3 {
		l.Apply(order)
	}
	if got := l.Limit("chat").String(); got != "2 per minute" {
		t.Errorf("limit %s", got)
	}
	if _, ok := l.Blocked(netip.MustParseAddr("203.0.113.7")); !ok {
		t.Error("the block that can be read does not hold")
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings for one order:\n%s", n, &log)
	}
}

func TestBlocked_FindsTheNarrowestNetworkUntilItEnds(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "2 per minute", 0)
	if _, ok := l.Blocked(netip.MustParseAddr("203.0.113.7")); ok {
		t.Error("blocked without an order")
	}
	now := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	l.Apply(&chatops.Controls{Now: now, Blocks: []chatops.ClientBlock{
		{Network: "203.0.113.0/24", Reason: "wide", Until: now.Add(time.Hour)},
		{Network: "203.0.113.7/32", Reason: "narrow", Until: now.Add(time.Minute)},
		{Network: "::ffff:198.51.100.0/120", Reason: "mapped"},
		{Network: "2001:db8:1::/48", Reason: "six"},
	}})
	for address, want := range map[string]Block{
		"203.0.113.7":         {netip.MustParsePrefix("203.0.113.7/32"), "narrow", time.Minute},
		"203.0.113.8":         {netip.MustParsePrefix("203.0.113.0/24"), "wide", time.Hour},
		"::ffff:203.0.113.8":  {netip.MustParsePrefix("203.0.113.0/24"), "wide", time.Hour},
		"198.51.100.200":      {netip.MustParsePrefix("198.51.100.0/24"), "mapped", 0},
		"2001:db8:1:2::3%eth": {netip.MustParsePrefix("2001:db8:1::/48"), "six", 0},
		"203.0.114.1":         {},
		"2001:db8:2::":        {},
	} {
		got, ok := l.Blocked(netip.MustParseAddr(address))
		if got != want || ok != want.Network.IsValid() {
			t.Errorf("%s: %v, %v, want %v", address, got, ok, want)
		}
	}
	if _, ok := l.Blocked(netip.Addr{}); ok {
		t.Error("no address is blocked")
	}
	c.move(time.Minute)
	if b, _ := l.Blocked(netip.MustParseAddr("203.0.113.7")); b.Reason != "wide" {
		t.Errorf("after the end of the narrow block: %v", b)
	}
	if n := l.Report().Blocked; n != 1 {
		t.Errorf("%d blocked in the last minute, want 1", n)
	}
}

func TestReport_CountsTheLastMinute(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "3 per hour", 0)
	for i := range 5 {
		for range 5 + i {
			l.chat(t, fmt.Sprint("client", i))
		}
		c.move(time.Second)
	}
	r := l.Report()
	if !r.Enabled || r.Backend != "local" || r.Limits[0].Name != "chat" || r.Limits[0].Source != "config" {
		t.Errorf("%+v", r)
	}
	if r.Limits[0].Allowed != 15 || r.Limits[0].Denied != 2+3+4+5+6 {
		t.Errorf("%d allowed, %d denied", r.Limits[0].Allowed, r.Limits[0].Denied)
	}
	if top := r.Limits[0].TopDenied; len(top) != 5 || top[0] != (chatops.DeniedClient{Client: "client4", Count: 6}) {
		t.Errorf("top denied %v", top)
	}
	c.move(57 * time.Second)
	if r := l.Report().Limits[0]; r.Allowed != 6 || r.Denied != 11 {
		t.Errorf("later: %d allowed, %d denied, want those of the last two clients", r.Allowed, r.Denied)
	}
	c.move(time.Minute)
	if r := l.Report().Limits[0]; r.Allowed != 0 || r.Denied != 0 || len(r.TopDenied) != 0 {
		t.Errorf("a minute later: %+v", r)
	}
}

func TestReport_FindsTheLoudestAmongMany(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "1 per hour", 1_000_000)
	for i := range 20_000 {
		l.chat(t, fmt.Sprint("passing", i))
		l.chat(t, fmt.Sprint("passing", i))
		if i%10 == 0 {
			l.chat(t, "loud"+strings.Repeat("!", 100))
		}
	}
	top := l.Report().Limits[0].TopDenied
	if len(top) != topShown || len(top[0].Client) != longestName || top[0].Count > 2000 || top[0].Count < 1000 {
		t.Errorf("top denied %v, want the client that was denied 1999 times", top)
	}
	for i := range l.all[0].top.parts {
		if n := len(l.all[0].top.parts[i].watched); n > topWatched {
			t.Errorf("%d clients are watched", n)
		}
	}
}

func TestMetrics_CountDecisionsAndKeys(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	l := newLimits(t, Options{Limits: map[string]Limit{"chat": mustParse(t, "2 per hour")}, Registerer: reg})
	for range 5 {
		l.chat(t, "a")
	}
	if got := metric(t, reg, "chatops_ratelimit_decisions_total", "outcome", "allowed"); got != 2 {
		t.Errorf("%v allowed", got)
	}
	if got := metric(t, reg, "chatops_ratelimit_decisions_total", "outcome", "denied"); got != 3 {
		t.Errorf("%v denied", got)
	}
	if got := metric(t, reg, "chatops_ratelimit_keys", "", ""); got != 1 {
		t.Errorf("%v keys", got)
	}
	if _, err := New(Options{Registerer: reg}); chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("registered twice: %v", err)
	}
}

// metric reads one number from a registry, of the series with one label.
func metric(t *testing.T, reg *prometheus.Registry, name, label, value string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			match := label == ""
			for _, pair := range m.GetLabel() {
				match = match || pair.GetName() == label && pair.GetValue() == value
			}
			if match {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	t.Fatalf("no metric %s with %s=%q", name, label, value)
	return 0
}
