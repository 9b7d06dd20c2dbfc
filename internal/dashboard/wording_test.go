package dashboard

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestBar_ShowsWhereInTheRecordThisIs(t *testing.T) {
	t.Parallel()
	record := &Record{header: header{At: noon}, until: noon.Add(100 * time.Second)}
	tests := []struct {
		name   string
		player player
		width  int
		want   string
	}{
		{
			name:   "at the beginning",
			player: player{at: noon, playing: true},
			width:  80,
			want:   "REPLAY 2026-03-10 12:00:00Z x1 playing [-------------------------]  0s of 1m 40s",
		},
		{
			name:   "in the middle, faster",
			player: player{at: noon.Add(50 * time.Second), playing: true, speed: 3},
			width:  80,
			want:   "REPLAY 2026-03-10 12:00:50Z x10 playing [===========------------]  50s of 1m 40s",
		},
		{
			name:   "paused",
			player: player{at: noon.Add(25 * time.Second)},
			width:  80,
			want:   "REPLAY 2026-03-10 12:00:25Z x1 paused [======-------------------]  25s of 1m 40s",
		},
		{
			name:   "at the end",
			player: player{at: noon.Add(100 * time.Second), speed: 5},
			width:  80,
			want:   "REPLAY 2026-03-10 12:01:40Z x60 at the end [=================]  1m 40s of 1m 40s",
		},
		{
			name:   "no room for a bar",
			player: player{at: noon},
			width:  50,
			want:   "REPLAY 2026-03-10 12:00:00Z x1 paused 0s of 1m 40s",
		},
		{
			name:   "no room for anything",
			player: player{at: noon},
			width:  12,
			want:   "REPLAY 2026~",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.player.record = record
			got := tt.player.bar(tt.width)
			if text := strings.TrimRight(got.plain(), " "); text != tt.want {
				t.Errorf("it is\n%s\nwant\n%s", text, tt.want)
			}
			if got.width() > tt.width {
				t.Errorf("it takes %d columns of %d", got.width(), tt.width)
			}
		})
	}
	empty := &player{record: &Record{header: header{At: noon}, until: noon, Cut: true}, at: noon}
	if got := empty.bar(100).plain(); !strings.Contains(got, "at the end [====") || !strings.HasSuffix(got, "0s of 0s, the last line is cut off") {
		t.Errorf("a record of one moment that is cut off has the bar %q", got)
	}
}

func TestMark_SaysThatThisIsNoNews(t *testing.T) {
	t.Parallel()
	if got := (*player)(nil).mark(); got != "" {
		t.Errorf("what is now is marked %q", got)
	}
	if got := (&player{at: noon.Add(90 * time.Second)}).mark(); got != "REPLAY 12:01:30Z  " {
		t.Errorf("a record is marked %q", got)
	}
}

func TestRecordMark_SaysWhetherARecordIsMade(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 30)
	if got := d.recordMark(); got != "" {
		t.Errorf("without a record: %q", got)
	}
	d, _ = recordedDesk(t, healthy(), 100, 30)
	if got := d.recordMark(); got != "REC  " {
		t.Errorf("with one: %q", got)
	}
	d.recorded(chatops.Errorf(chatops.CodeUnavailable, "no space left on device"))
	if got := d.recordMark(); got != "NOT RECORDED  " {
		t.Errorf("after a failure: %q", got)
	}
	d.shows("NOT RECORDED  read-only", "the record ends here: no space left on device")
	d.recorded(errAway)
	if d.unrecorded != "the record ends here: no space left on device" {
		t.Errorf("a second failure replaced the first: %q", d.unrecorded)
	}
}

func TestCause_IsNamedByWhatTheReceiverSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		group chatops.AlertGroup
		cause string
		count string
	}{
		{
			name:  "what was said last",
			group: chatops.AlertGroup{Fingerprint: "85b5", Sample: "slack: HTTP 503", Pending: 2, Failed: 3},
			cause: "slack: HTTP 503",
			count: "5",
		},
		{
			name:  "nothing was said",
			group: chatops.AlertGroup{Fingerprint: "85b5", Failed: 1},
			cause: "85b5",
			count: "1",
		},
		{
			name:  "no common cause",
			group: chatops.AlertGroup{Sample: "slack is not configured", Pending: 4},
			cause: "slack is not configured (cause unknown)",
			count: "4",
		},
		{
			name:  "nothing is known",
			group: chatops.AlertGroup{},
			cause: "(cause unknown)",
			count: "0",
		},
		{
			name:  "more than were counted",
			group: chatops.AlertGroup{Fingerprint: "85b5", Pending: 200, More: true},
			cause: "85b5",
			count: "200+",
		},
	} {
		if got := nameCause(&tt.group); got != tt.cause {
			t.Errorf("%s: it is called %q, want %q", tt.name, got, tt.cause)
		}
		if got := wordCount(&tt.group); got != tt.count {
			t.Errorf("%s: it has %s alerts, want %s", tt.name, got, tt.count)
		}
	}
}

func TestJob_IsWordedByHowItDoes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		job  chatops.FleetJob
		word string
		tone tone
	}{
		{"at rest", chatops.FleetJob{State: chatops.JobIdle, LastResult: "ok: 2"}, "idle", toneGood},
		{"at rest and never run", chatops.FleetJob{State: chatops.JobIdle}, "idle", toneGood},
		{"at rest after a failure", chatops.FleetJob{State: chatops.JobIdle, LastResult: "failed: disk"}, "failed", toneBad},
		{"running after a failure", chatops.FleetJob{State: chatops.JobRunning, LastResult: "failed: disk"}, "running", toneGood},
		{"asked for", chatops.FleetJob{State: chatops.JobRequested}, "requested", toneGood},
		{"paused", chatops.FleetJob{State: chatops.JobPaused}, "paused", toneWarn},
		{"unknown", chatops.FleetJob{State: chatops.JobUnknown}, "unknown", toneWarn},
		{"late", chatops.FleetJob{State: chatops.JobLate, LastResult: "ok"}, "late", toneBad},
	} {
		if word, tone := jobWord(&tt.job), jobTone(&tt.job); word != tt.word || tone != tt.tone {
			t.Errorf("%s: %q in tone %d, want %q in %d", tt.name, word, tone, tt.word, tt.tone)
		}
	}
}

func TestBlock_IsWorded(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]chatops.ClientBlock{
		"blocked by jan, until unblocked":           {Actor: "jan"},
		"blocked by jan, until unblocked, scraping": {Actor: "jan", Reason: "scraping"},
		"blocked by ewa, 59m left":                  {Actor: "ewa", Until: noon.Add(59 * time.Minute)},
		"blocked by ewa, 1s left, a test":           {Actor: "ewa", Until: noon.Add(1900 * time.Millisecond), Reason: "a test"},
	} {
		if got := blockWords(&b, noon); got != want {
			t.Errorf("%+v is worded %q, want %q", b, got, want)
		}
	}
}

func TestLimitDetails_SayWhoChangedItAndWhoIsRefused(t *testing.T) {
	t.Parallel()
	lim := &chatops.FleetLimit{
		Name: "chat", Value: "100 per minute", Source: "override",
		Override:  &chatops.LimitOverride{Value: "100 per minute", Actor: "ewa", Until: noon.Add(28 * time.Minute), Reason: "campaign"},
		TopDenied: []chatops.DeniedClient{{Client: "203.0.113.7", Count: 130}, {Client: "2001:db8::/64\x1b[2J", Count: 5}},
	}
	wantDetails := func(want ...string) {
		t.Helper()
		rows := limitDetails(lim, noon)
		var got []string
		for _, r := range rows {
			got = append(got, r.line.plain())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("below the limit stands\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	refused := []string{"  203.0.113.7 refused 130 in a minute", `  2001:db8::/64\x1b[2J refused 5 in a minute`}
	wantDetails(append([]string{"  override by ewa, 28m left, campaign"}, refused...)...)
	lim.Override.Until, lim.Override.Reason = time.Time{}, ""
	wantDetails(append([]string{"  override by ewa, until unset"}, refused...)...)
	lim.Value = "30 per minute"
	wantDetails(append([]string{"  not obeyed yet: 100 per minute by ewa, until unset"}, refused...)...)
	lim.Value, lim.Source = "100 per minute", "default" // the same by chance
	wantDetails(append([]string{"  not obeyed yet: 100 per minute by ewa, until unset"}, refused...)...)
	lim.Override, lim.TopDenied = nil, nil
	wantDetails()
}

func TestQueueTable_BeginsWithTheTypeInMostTrouble(t *testing.T) {
	t.Parallel()
	s := &chatops.QueueStats{Counts: []chatops.AlertCount{
		count("calm", chatops.AlertDelivered, 9000), count("busy", chatops.AlertPending, 3), count("busy", chatops.AlertQueued, 2),
		count("broken", chatops.AlertFailed, 6), count("alike", chatops.AlertPending, 5), count("busy", chatops.AlertPending, 0),
		count("gone", chatops.AlertDiscarded, 1), count("gone", chatops.AlertCancelled, 2),
	}}
	for width, want := range map[int][]string{
		100: {
			"type queued pending failed delivered discarded cancelled",
			"total 2 8 6 9000 1 2",
			"broken 0 0 6 0 0 0",
			"alike 0 5 0 0 0 0",
			"busy 2 3 0 0 0 0",
			"calm 0 0 0 9000 0 0",
			"gone 0 0 0 0 1 2",
		},
		60: {
			"type queued pending failed delivered",
			"total 2 8 6 9000",
			"broken 0 0 6 0",
			"alike 0 5 0 0",
			"busy 2 3 0 0",
			"calm 0 0 0 9000",
			"gone 0 0 0 0",
		},
	} {
		lines, items := queueTable(s, width)
		if len(lines) != len(want) || len(items) != len(want) {
			t.Errorf("at %d columns it has %d lines and %d items, want %d", width, len(lines), len(items), len(want))
			continue
		}
		for i, l := range lines {
			if got := strings.Join(strings.Fields(l.plain()), " "); got != want[i] {
				t.Errorf("at %d columns line %d is %q, want %q", width, i, got, want[i])
			}
			name, _, _ := strings.Cut(want[i], " ")
			if i > 1 && items[i] != (item{itemQueue, name}) {
				t.Errorf("at %d columns line %d leads to %v, want %s", width, i, items[i], name)
			}
		}
	}
}

func TestCountPiece_IsTonedByWhatItMeans(t *testing.T) {
	t.Parallel()
	for status, want := range map[chatops.AlertStatus]tone{
		chatops.AlertQueued:    toneWarn,
		chatops.AlertPending:   toneWarn,
		chatops.AlertFailed:    toneBad,
		chatops.AlertDelivered: toneNone,
		chatops.AlertDiscarded: toneNone,
		chatops.AlertCancelled: toneNone,
	} {
		if got := countPiece(status, 7); got != (piece{"7", want}) {
			t.Errorf("7 %s are %v, want tone %d", status, got, want)
		}
		if got := countPiece(status, 0); got != (piece{"0", toneDim}) {
			t.Errorf("0 %s are %v, want them dim", status, got)
		}
	}
}

func TestOneLine_SaysTheMost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		sources *fakeSources
		change  func(*desk)
		want    string
	}{
		{"nothing is known", healthy(), func(*desk) {}, "UNKNOWN queue unknown"},
		{"all is well", healthy(), (*desk).poll, "OK 0 waiting 0 failed 0 open 0 denied/min"},
		{"an incident", incident(), (*desk).poll, "INCIDENT 132 waiting 6 failed 2 open 270 denied/min"},
		{"the database is away", incident(), func(d *desk) { d.poll(); fail(d, errAway, nil) }, "INCIDENT ERROR 132 waiting 6 failed 2 open 270 denied/min"},
		{"nobody answers any more", incident(), func(d *desk) { d.poll(); d.wait(time.Hour) }, "INCIDENT STALE 132 waiting 6 failed 2 open 270 denied/min"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.sources, 100, 1)
			tt.change(d)
			if got := d.View(); got != tt.want {
				t.Errorf("it is %q, want %q", got, tt.want)
			}
			d.height = 0 // a window that is not there yet
			if got := d.View(); got != tt.want {
				t.Errorf("without a height it is %q, want %q", got, tt.want)
			}
		})
	}
}
