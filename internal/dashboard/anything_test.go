package dashboard

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// These draw what no store should tell, and one day does: texts of any kind,
// moments of any time, numbers of any size.
var (
	anyText  = rapid.OneOf(rapid.Just(""), rapid.StringN(0, 12, 30), rapid.StringMatching(`[a-z:0-9]{1,90}`), rapid.Just("\x1b[2J\r\n\t\u202e日本語ż"))
	anyCount = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 200), rapid.Int64Range(0, 1<<50))
)

func anyMoment(t *rapid.T) time.Time {
	switch rapid.IntRange(0, 3).Draw(t, "when") {
	case 0:
		return time.Time{}
	case 1:
		return noon.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "near")))
	case 2:
		return noon.AddDate(rapid.IntRange(-90, 90).Draw(t, "years"), 0, 0)
	}
	return noon
}

func anyReplica(t *rapid.T) chatops.Instance {
	states := []string{chatops.StateClosed, chatops.StateOpen, chatops.StateHalfOpen, chatops.StateForced, chatops.StateUnknown, "strange"}
	i := chatops.Instance{
		Name: anyText.Draw(t, "replica"), Version: anyText.Draw(t, "version"), StartedAt: anyMoment(t), Revision: rapid.Int64Range(0, 9).Draw(t, "revision"),
		Age: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "age")),
	}
	for range rapid.IntRange(0, 3).Draw(t, "breakers") {
		i.Report.Breakers = append(i.Report.Breakers, chatops.BreakerReport{
			Name: rapid.SampledFrom([]string{"slack", "llm", "webhook:crm"}).Draw(t, "breaker"), State: rapid.SampledFrom(states).Draw(t, "state"),
			FailCount: rapid.IntRange(0, 1<<30).Draw(t, "fails"), FailMax: 5, OpenedAt: anyMoment(t), RetryAt: anyMoment(t), Reason: anyText.Draw(t, "reason"),
		})
	}
	i.Report.Limiter.Enabled, i.Report.Limiter.Backend = rapid.Bool().Draw(t, "enabled"), rapid.SampledFrom([]string{"redis", "local", ""}).Draw(t, "backend")
	for range rapid.IntRange(0, 3).Draw(t, "limits") {
		i.Report.Limiter.Limits = append(i.Report.Limiter.Limits, chatops.LimitReport{
			Name: rapid.SampledFrom([]string{"chat", "api", "odd"}).Draw(t, "limit"), Value: anyText.Draw(t, "value"), Source: rapid.SampledFrom([]string{"default", "override"}).Draw(t, "source"),
			Allowed: anyCount.Draw(t, "allowed"), Denied: anyCount.Draw(t, "denied"), TopDenied: []chatops.DeniedClient{{Client: anyText.Draw(t, "client"), Count: 3}},
		})
	}
	i.Report.Jobs = []chatops.JobReport{{Name: "cache_cleanup", LastRun: anyMoment(t), NextRun: anyMoment(t), LastResult: anyText.Draw(t, "job result")}}
	return i
}

// anySources are sources that tell anything.
func anySources(t *rapid.T) *fakeSources {
	f := &fakeSources{
		queue: &chatops.QueueStats{Now: noon, OldestWaiting: anyMoment(t), OldestFailed: anyMoment(t)},
		fleet: &chatops.Fleet{Controls: &chatops.Controls{Now: noon, Revision: rapid.Int64Range(0, 9).Draw(t, "revision")}},
		jobs:  &chatops.JobList{Now: noon},
	}
	for range rapid.IntRange(0, 12).Draw(t, "counts") {
		f.queue.Counts = append(f.queue.Counts, count(anyText.Draw(t, "type"), rapid.SampledFrom(chatops.AlertStatuses()).Draw(t, "status"), anyCount.Draw(t, "n")))
	}
	for range rapid.IntRange(0, 8).Draw(t, "groups") {
		f.groups = append(f.groups, chatops.AlertGroup{
			Fingerprint: rapid.SampledFrom([]string{"", "85b5", "0077"}).Draw(t, "cause"), Pending: anyCount.Draw(t, "pending"), Failed: anyCount.Draw(t, "failed"),
			More: rapid.Bool().Draw(t, "more"), First: anyMoment(t), Last: anyMoment(t), Target: anyText.Draw(t, "target"), Sample: anyText.Draw(t, "sample"),
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "replicas") {
		f.fleet.Replicas = append(f.fleet.Replicas, anyReplica(t))
	}
	c := f.fleet.Controls
	for range rapid.IntRange(0, 2).Draw(t, "orders") {
		c.Blocks = append(c.Blocks, chatops.ClientBlock{Network: anyText.Draw(t, "network"), Actor: anyText.Draw(t, "actor"), Until: anyMoment(t)})
		c.Overrides = append(c.Overrides, chatops.LimitOverride{Name: "chat", Value: anyText.Draw(t, "override"), Actor: "ewa", Until: anyMoment(t)})
		c.Breakers = append(c.Breakers, chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerTripped, Actor: anyText.Draw(t, "who"), Until: anyMoment(t)})
	}
	for range rapid.IntRange(0, 5).Draw(t, "jobs") {
		f.jobs.Jobs = append(f.jobs.Jobs, chatops.JobState{
			Name: anyText.Draw(t, "job"), LastStarted: anyMoment(t), LastFinished: anyMoment(t), LastResult: anyText.Draw(t, "result"), NextRun: anyMoment(t), Paused: rapid.Bool().Draw(t, "paused"),
		})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "alerts") {
		f.alerts = append(f.alerts, chatops.Alert{
			ID: int64(i + 1), EventType: anyText.Draw(t, "event"), Target: anyText.Draw(t, "to"), Status: rapid.SampledFrom(chatops.AlertStatuses()).Draw(t, "alert status"),
			RetryCount: rapid.IntRange(0, 100).Draw(t, "tries"), ErrorMessage: anyText.Draw(t, "error"), CreatedAt: anyMoment(t), NextAttemptAt: anyMoment(t),
			Payload: json.RawMessage(`"` + strings.Repeat("x", rapid.IntRange(0, 3000).Draw(t, "payload")) + `"`),
		})
	}
	return f
}

// wantDrawable fails unless what is drawn fits and could not move a cursor.
func wantDrawable(t *rapid.T, screen string, width, height int) {
	lines := strings.Split(screen, "\n")
	if len(lines) > max(height, 1) {
		t.Fatalf("%d lines on a screen of %d:\n%s", len(lines), height, screen)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > max(width, 0) {
			t.Fatalf("a line of %d columns on a screen of %d: %q", w, width, l)
		}
		if strings.ContainsFunc(l, chatops.Harmful) {
			t.Fatalf("a line is not harmless: %q", l)
		}
	}
}

// Whatever the sources tell, wherever one looks and however large the window is:
// it is drawn, within the window, and harmless.
func TestScreens_OfAnythingAtAnySize_Fit(t *testing.T) {
	t.Parallel()
	outer := t
	keys := []string{"esc", "1", "2", "3", "4", "5", "6", "enter", "up", "down", "end", "home", "pgdown", "o", "space", "n", "?", "/", "r", "tab"}
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(outer, anySources(t), 80, 24, func(o *Options) {
			o.Write, o.ASCII = rapid.Bool().Draw(t, "write"), rapid.Bool().Draw(t, "ascii")
			o.Environment, o.Host = anyText.Draw(t, "environment"), anyText.Draw(t, "host")
		})
		d.outcome = counts(`{"matched":3,"replicas":2,"orders":[{}]}`, `{"matched":3,"requeued":3}`)
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				d.redis = rapid.SampledFrom([]error{nil, errors.New(anyText.Draw(t, "redis"))}).Draw(t, "redis fails")
				d.poll()
			case 1:
				d.wait(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause")))
			default:
				d.press(rapid.SampledFrom(keys).Draw(t, "key"))
			}
			d.width, d.height = rapid.IntRange(0, 140).Draw(t, "width"), rapid.IntRange(0, 50).Draw(t, "height")
			wantDrawable(t, d.View(), d.width, d.height)
		}
		if p := (&plainModel{model: d.model}).sentence(); strings.ContainsFunc(p, chatops.Harmful) {
			t.Fatalf("the line is not harmless: %q", p)
		}
	})
}

// Each panel has one line that says the most, and rows no wider than it was told.
func TestPanels_OfAnything_KeepTheirWidth(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(outer, anySources(t), 100, 30)
		d.poll()
		width := rapid.IntRange(40, 140).Draw(t, "width")
		for _, p := range panels() {
			c := d.drawn(p.name, width)
			if c.summary.plain() == "" {
				t.Fatalf("%s has nothing to say", p.name)
			}
			for _, r := range c.rows {
				if text := r.line.plain(); strings.ContainsFunc(text, chatops.Harmful) {
					t.Fatalf("%s has a row that is not harmless: %q", p.name, text)
				}
				if r.head && r.line.width() > width {
					t.Fatalf("%s has a head of %d columns for %d", p.name, r.line.width(), width)
				}
			}
		}
	})
}
