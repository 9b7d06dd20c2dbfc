package dashboard

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// drawnRows are the rows of a panel, as text.
func drawnRows(c content) []string {
	rows := make([]string, len(c.rows))
	for i, r := range c.rows {
		rows[i] = strings.Join(strings.Fields(r.line.plain()), " ")
	}
	return rows
}

// drawn draws a panel by its name.
func (d *desk) drawn(name string, width int) content {
	d.t.Helper()
	for i := range d.panels {
		if d.panels[i].name == name {
			return d.panels[i].drawFunc(d.look(&d.panels[i], width))
		}
	}
	d.t.Fatalf("there is no panel %s", name)
	return content{}
}

func wantRows(t *testing.T, c content, summary string, want ...string) {
	t.Helper()
	if got := strings.TrimSpace(c.summary.plain()); got != summary {
		t.Errorf("the summary is %q, want %q", got, summary)
	}
	rows := drawnRows(c)
	for i, w := range want {
		if i >= len(rows) || rows[i] != w {
			t.Errorf("row %d is not %q:\n%s", i, w, strings.Join(rows, "\n"))
			return
		}
	}
	if len(rows) > len(want) {
		t.Errorf("there are more rows than %d:\n%s", len(want), strings.Join(rows, "\n"))
	}
}

func TestPanels_OfAnIncident(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	wantRows(t, d.drawn("queue", 100), "132 waiting, 6 failed, oldest 6m",
		"in unknown out unknown",
		"oldest waiting 6m, failed 2h",
		"type queued pending failed delivered discarded cancelled",
		"total 12 120 6 5113 3 0",
		"slack_alert 12 120 5 4301 3 0",
		"webhook_event 0 0 1 0 0 0",
		"monday_item 0 0 0 812 0 0",
	)
	wantRows(t, d.drawn("causes", 100), `125 slack: HTTP 503: upstream \x1b[31mdown, 2 more`,
		"alerts failed first last target cause",
		`125 5 2h 3s slack:alerts slack: HTTP 503: upstream \x1b[31mdown`,
		"200+ 200+ 1h 30m 1h 30m https://hook.example/… webhook:crm: HTTP 404",
		"2 0 5m 4m slack:alerts slack is not configured (cause unknown)",
	)
	wantRows(t, d.drawn("breakers", 100), "slack open 2/2, monday tripped 0/2",
		"breaker state fails since probe replicas why",
		"slack open 5/5 4m in 18s 2/2 slack: HTTP 503",
		"ops-1:101 open 5 4m in 18s slack: HTTP 503",
		"ops-2:202 open 5 4m in 19s slack: HTTP 503",
		"ops-3:303 stale 0 - -",
		"monday tripped 0/5 1m in 9m 0/2 by jan, maintenance",
		"ops-1:101 closed 0 - -",
		"ops-2:202 closed 0 - -",
		"ops-3:303 stale 0 - -",
		"email closed 0/5 - - 2/2",
		"llm closed 0/5 - - 2/2",
	)
	wantRows(t, d.drawn("limits", 100), "270 denied/min, counted in redis, 1 blocked",
		"limit allowed denied in a minute value",
		"chat 200 270 █ 100 per minute",
		"override by ewa, 28m left, campaign",
		"203.0.113.7 refused 260 in a minute",
		"2001:db8::/64 refused 10 in a minute",
		"api 14 0 ▁ 200 per hour;50 per minute",
		"health 0 0 ▁ 30 per minute",
		"consent - - unknown",
		"leads - - unknown",
		"198.51.100.0/24 blocked by jan, until unblocked, scraping",
	)
	wantRows(t, d.drawn("jobs", 100), "followups late",
		"job state ran next result",
		"followups late 4m ago now ok: 2 mails planned",
		"cache_cleanup idle 3m ago in 7m ok",
		"dlq_cleanup idle 9h ago in 15h ok: 312 alerts deleted",
	)
	wantRows(t, d.drawn("replicas", 100), "2 live, 1 stale",
		"replica state heard up limits in orders version",
		"ops-1:101 live 1s ago 1d 2h redis obeyed v1.2.3",
		"ops-2:202 live 1s ago 1d 2h redis obeyed v1.2.3",
		"ops-3:303 stale 3m ago 1h redis - v1.2.2",
	)
}

func TestPanels_WhenNothingIsWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 30)
	d.poll()
	for name, want := range map[string]string{
		"queue":    "0 waiting, 0 failed",
		"causes":   "none: nothing has failed",
		"breakers": "closed: all 4 that report",
		"limits":   "0 denied/min, counted in redis",
		"jobs":     "as they should be: all 3",
		"replicas": "2 live",
	} {
		if got := d.drawn(name, 100).summary.plain(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestPanels_OfNothingKnown_SayUnknown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 30)
	for _, p := range panels() {
		c := d.drawn(p.name, 100)
		if c.summary.plain() != "unknown" || len(c.rows) > 0 {
			t.Errorf("%s: %q with %d rows", p.name, c.summary.plain(), len(c.rows))
		}
	}
}

func TestPanels_OfAnEmptyFleet_SayThatNobodyReports(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.fleet.Replicas = nil
	f.jobs = &chatops.JobList{Now: noon}
	d := newDesk(t, f, 100, 30)
	d.poll()
	for name, want := range map[string]string{
		"breakers": "unknown: no replica reports",
		"limits":   "unknown: no replica reports",
		"jobs":     "none known: has chatops serve run yet?",
		"replicas": "0 liveno replica reports",
	} {
		got := d.drawn(name, 100).summary.plain()
		if name == "replicas" {
			got = "0 live" + got
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLimits_SayWhereIsCounted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*desk)
		want   string
	}{
		{"in redis", func(*desk) {}, "counted in redis"},
		{"redis fails", func(d *desk) { d.redis = errors.New("x") }, "redis ERROR"},
		{"one replica does without", func(d *desk) { d.sources.fleet.Replicas[0].Report.Limiter.Backend = "local" }, "1/2 without redis"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, healthy(), 100, 30)
			tt.change(d)
			d.poll()
			if got := d.drawn("limits", 100).summary.plain(); !strings.HasSuffix(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	d := newDesk(t, healthy(), 100, 30, func(o *Options) { o.PingRedisFunc = nil })
	d.poll()
	if got := d.drawn("limits", 100).summary.plain(); !strings.HasSuffix(got, "counted by each replica") {
		t.Errorf("without redis: %q", got)
	}
}

func TestLimits_SayWhatIsNotObeyedYet(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.fleet.Controls.Overrides = []chatops.LimitOverride{{Name: "chat", Value: "5 per minute", Actor: "ewa"}}
	f.fleet.Replicas[1].Report.Limiter.Limits[0].Value = "31 per minute"
	d := newDesk(t, f, 100, 30)
	d.poll()
	rows := drawnRows(d.drawn("limits", 100))
	if rows[1] != "chat 82 0 ▁ 30 per minute (1/2 replicas)" || rows[2] != "not obeyed yet: 5 per minute by ewa, until unset" {
		t.Errorf("the rows are\n%s", strings.Join(rows, "\n"))
	}
}

func TestJobs_InTroubleComeFirst(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.jobs.Jobs = append(f.jobs.Jobs,
		chatops.JobState{Name: "z_failed", LastStarted: noon.Add(-time.Hour), LastResult: "failed: disk", NextRun: noon.Add(time.Hour)},
		chatops.JobState{Name: "z_paused", Paused: true, PausedBy: "ola"},
		chatops.JobState{Name: "z_running", Holder: "ops-1:101", LeaseUntil: noon.Add(time.Minute)},
	)
	d := newDesk(t, f, 100, 30)
	d.poll()
	c := d.drawn("jobs", 100)
	if got := c.summary.plain(); got != "z_failed failed, z_paused paused" {
		t.Errorf("the summary is %q", got)
	}
	rows := drawnRows(c)
	for i, want := range []string{"job state", "z_failed failed", "z_paused paused", "cache_cleanup idle"} {
		if !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i, rows[i], want)
		}
	}
}

func TestReplicas_ThatAreBehindOrSwitchedOff_AreNamed(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.fleet.Controls.Revision = 8
	f.fleet.Replicas[0].Report.Limiter.Enabled = false
	d := newDesk(t, f, 100, 30)
	d.poll()
	rows := drawnRows(d.drawn("replicas", 100))
	if !strings.Contains(rows[1], "off behind") || !strings.Contains(rows[2], "redis behind") {
		t.Errorf("the rows are\n%s", strings.Join(rows, "\n"))
	}
}

func TestTone_OnlySupportsAWord(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]tone{
		chatops.StateClosed:   toneGood,
		chatops.StateOpen:     toneBad,
		chatops.StateForced:   toneBad,
		chatops.StateHalfOpen: toneWarn,
		chatops.StateUnknown:  toneWarn,
	} {
		if got := stateTone(state); got != want {
			t.Errorf("%s has tone %d, want %d", state, got, want)
		}
		if wordState(state) == "" || strings.Contains(wordState(state), "_") {
			t.Errorf("%s is worded %q", state, wordState(state))
		}
	}
	for status, want := range map[chatops.AlertStatus]tone{
		chatops.AlertQueued:    toneWarn,
		chatops.AlertPending:   toneWarn,
		chatops.AlertFailed:    toneBad,
		chatops.AlertDelivered: toneGood,
		chatops.AlertDiscarded: toneDim,
		chatops.AlertCancelled: toneDim,
	} {
		if got := statusTone(status); got != want {
			t.Errorf("%s has tone %d, want %d", status, got, want)
		}
	}
}

func TestCauses_SayHowManyThereAre(t *testing.T) {
	t.Parallel()
	groups := func(n int) []chatops.AlertGroup { return make([]chatops.AlertGroup, n) }
	tests := []struct {
		name string
		told chatops.AlertGroups
		want string
	}{
		{
			name: "one",
			told: chatops.AlertGroups{Groups: groups(1), Causes: 1},
			want: "",
		},
		{
			name: "all are shown",
			told: chatops.AlertGroups{Groups: groups(3), Causes: 3},
			want: "2 more",
		},
		{
			name: "the largest are shown",
			told: chatops.AlertGroups{Groups: groups(25), Causes: 40},
			want: "39 more, 25 shown",
		},
		{
			name: "more than are looked at",
			told: chatops.AlertGroups{Groups: groups(25), Causes: 100, More: true},
			want: "99+ more, 25 shown",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := moreCauses(&tt.told); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
	d := desktop(t)
	d.sources.causes = 40
	d.poll()
	d.press("2")
	d.shows("125 slack: HTTP 503", "39 more, 3 shown")
}

// The causes are dear and change slowly: they are asked for less often than the
// rest, and not called old for that; but what hangs is.
func TestCauses_AreAskedForLessOften(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 120, 40)
	pauses := map[string]time.Duration{}
	for round, queue := range []time.Duration{time.Second, 2 * time.Second} {
		for _, f := range d.feeds {
			d.tickFunc = func(after time.Duration, _ func(time.Time) tea.Msg) tea.Cmd {
				pauses[f.name] = after
				return nil
			}
			if cmd := d.model.poll(f); cmd != nil {
				_, _ = d.Update(cmd())
			}
		}
		if pauses["queue"] != queue || pauses["causes"] != 10*time.Second {
			t.Errorf("the pauses after look %d are %v", round+1, pauses)
		}
	}
	causes := d.feed("causes")
	if state := causes.state(d.now.Add(20*time.Second), d.opts.Refresh); state != stateLive {
		t.Errorf("after 20 s the causes are %s", state)
	}
	if state := d.feed("queue").state(d.now.Add(20*time.Second), d.opts.Refresh); state != stateStale {
		t.Errorf("after 20 s the queue is %s", state)
	}
	if state := causes.state(d.now.Add(40*time.Second), d.opts.Refresh); state != stateStale {
		t.Errorf("after 40 s the causes are %s", state)
	}
	causes.ask(d.now.Add(9 * time.Second))
	if state := causes.state(d.now.Add(17*time.Second), d.opts.Refresh); state != stateStale {
		t.Errorf("after 8 s without an answer the causes are %s", state)
	}
}

func TestOnce_TellsWhatIsKnownAndWhatIsNot(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 80, 24)
	s, err := Once(t.Context(), d.opts)
	if err != nil || s.Queue == nil || s.Groups == nil || s.Fleet == nil || s.Jobs == nil || len(s.Sources) > 0 {
		t.Errorf("it is %+v", s)
	}
	if level, verdict := s.Verdict(); level != chatops.LevelIncident || !strings.HasPrefix(verdict, "slack open on 2/2 replicas for 4m; 132 alerts waiting, oldest 6m;") {
		t.Errorf("%s %s", level, verdict)
	}
	d.sources.err, d.redis = errAway, context.DeadlineExceeded
	s, err = Once(t.Context(), d.opts)
	if err != nil || s.Queue != nil || s.Groups != nil || s.Fleet != nil || s.Jobs != nil || len(s.Sources) != 2 {
		t.Errorf("with its sources away it is %+v", s)
	}
	if s.Sources[0].Name != "postgresql" || s.Sources[1].Name != "redis" || s.Sources[1].Error != "no answer within 3s" {
		t.Errorf("the sources are %+v", s.Sources)
	}
}

func TestPlain_WritesALineAtEachRefresh(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 80, 24)
	m := &plainModel{model: d.model}
	step := func(by time.Duration) {
		d.now = d.now.Add(by)
		_, _ = m.Update(tickMsg(d.now))
	}
	step(0)
	if d.out.Len() > 0 {
		t.Errorf("before the first answers it writes %q", d.out.String())
	}
	d.poll()
	step(time.Second)
	step(time.Second) // the refresh has not passed
	step(2 * time.Second)
	lines := strings.Split(strings.TrimSpace(d.out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("it wrote %d lines:\n%s", len(lines), d.out.String())
	}
	for _, want := range []string{"2026-03-10T12:00:01Z | INCIDENT | slack open on 2/2", "| queued=12 | pending=120 | failed=6 | delivered=5113 | in=unknown | out=unknown"} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the line does not say %q: %s", want, lines[0])
		}
	}
	if strings.Contains(d.out.String(), "\x1b") || m.View() != "" {
		t.Error("it sends escape codes")
	}
	step(40 * time.Second)
	if !strings.HasSuffix(strings.TrimSpace(d.out.String()), "queue=STALE | causes=STALE | fleet=STALE | jobs=STALE | redis=STALE") {
		t.Errorf("it does not say what is stale:\n%s", d.out.String())
	}
}

func TestPlain_WithoutAnAnswer_SaysUnknown(t *testing.T) {
	t.Parallel()
	f := incident()
	f.err = errAway
	d := newDesk(t, f, 80, 24)
	m := &plainModel{model: d.model}
	d.poll()
	_, _ = m.Update(tickMsg(d.now))
	for _, want := range []string{"postgresql does not answer", "queue=unknown", "queue=ERROR"} {
		if !strings.Contains(d.out.String(), want) {
			t.Errorf("it does not say %q: %s", want, d.out.String())
		}
	}
	if strings.Contains(d.out.String(), "=0") {
		t.Errorf("it takes unknown for nothing: %s", d.out.String())
	}
}

func TestAlert_IsShownWithWhatMatters(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.sources.alerts[0].OperationID = "op_7"
	d.press("1", "enter", "enter")
	d.shows(
		"id           31",
		"status       pending",
		"type         slack_alert",
		"target       slack:alerts",
		"retries      1/5",
		`error        slack: HTTP 503\x1b[2J`,
		"cause        85b54c5f5c4b",
		"created      2026-03-10 11:59:57Z",
		"next attempt 2026-03-10 12:01:00Z",
		"operation    op_7",
		`{"text":"a lead"}`,
	)
	d.press("esc", "down", "enter")
	d.hides("next attempt", "operation ")
	d.sources.err = errAway
	d.poll()
	d.shows("ERROR")
}
