package dashboard

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// recordedDesk is a desk whose dashboard is recorded from the beginning.
func recordedDesk(tb testing.TB, f *fakeSources, w, h int) (*desk, *bytes.Buffer) {
	tb.Helper()
	var file bytes.Buffer
	d := newDesk(tb, f, w, h, func(o *Options) { o.Record, o.Version = &file, "v1.2.3" })
	if err := d.recorder.begin(); err != nil {
		tb.Fatal(err)
	}
	return d, &file
}

// replayed is a dashboard of a record, at a moment of it, that is not played.
func replayed(tb testing.TB, file string, at time.Time, w, h int, change ...func(*Options)) *desk {
	tb.Helper()
	r, err := ReadRecord(strings.NewReader(file))
	if err != nil {
		tb.Fatal(err)
	}
	d := newDesk(tb, &fakeSources{}, w, h, append(change, func(o *Options) {
		o.Store, o.RunFunc = nil, nil // nobody is asked
		o.Replay(r, at)
	})...)
	d.player.playing = false
	return d
}

// recordedIncident is a minute of an incident at whose end the database goes away.
func recordedIncident(tb testing.TB) string {
	tb.Helper()
	f := incident()
	d, file := recordedDesk(tb, f, 80, 24)
	for range 20 {
		d.poll()
		d.wait(2 * time.Second)
		now := f.queue.Now.Add(2 * time.Second)
		f.queue = &chatops.QueueStats{Counts: append([]chatops.AlertCount(nil), f.queue.Counts...), OldestWaiting: f.queue.OldestWaiting, OldestFailed: f.queue.OldestFailed, Now: now}
		f.queue.Counts[3].Count++
	}
	fail(d, errAway, nil)
	return file.String()
}

// shown is what a dashboard shows but for its clock.
func (d *desk) shown() string {
	_, verdict := d.situation().Verdict()
	lines := []string{verdict}
	for _, l := range d.overview(30) {
		lines = append(lines, l.plain())
	}
	return strings.Join(lines, "\n")
}

// A record tells all that was told, and when: whatever happened, a replay shows at
// each moment what the dashboard showed then.
func TestRecord_ReplayedShowsWhatWasShown(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		f := incident()
		d, file := recordedDesk(outer, f, 120, 40)
		type shot struct {
			at     time.Time
			screen string
		}
		var shots []shot
		for range rapid.IntRange(1, 12).Draw(t, "looks") {
			f.err, d.redis = nil, nil
			switch rapid.SampledFrom([]string{"well", "database", "redis", "both"}).Draw(t, "sources") {
			case "database":
				f.err = errAway
			case "redis":
				d.redis = errors.New("away")
			case "both":
				f.err, d.redis = errAway, errors.New("away")
			}
			f.queue = &chatops.QueueStats{
				Now: d.now, OldestFailed: d.now.Add(-time.Hour),
				Counts: []chatops.AlertCount{count("slack_alert", chatops.AlertFailed, rapid.Int64Range(0, 1<<40).Draw(t, "failed"))},
			}
			f.fleet.Controls = &chatops.Controls{Now: d.now}
			f.groups = nil
			if n := rapid.IntRange(0, 3).Draw(t, "causes"); n > 0 {
				f.groups = incident().groups[:n]
			}
			d.poll()
			shots = append(shots, shot{d.now, d.shown()})
			d.wait(time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(40*time.Second)).Draw(t, "pause")))
		}
		p := replayed(outer, file.String(), noon, 120, 40)
		for range 10 {
			s := rapid.SampledFrom(shots).Draw(t, "moment") // forwards and backwards
			p.playTo(s.at)
			if got := p.shown(); got != s.screen {
				t.Fatalf("at %s it shows\n%s\nand showed\n%s", s.at, got, s.screen)
			}
		}
	})
}

func TestRecord_HoldsNoSecretAndNothingThatPeopleWrote(t *testing.T) {
	t.Parallel()
	d, file := recordedDesk(t, incident(), 80, 24)
	d.poll()
	d.press("1", "enter", "enter") // a list, and an alert of it
	d.poll()
	for _, secret := range []string{"secret/path", "a lead", "payload", "monday:leads"} {
		if strings.Contains(file.String(), secret) {
			t.Errorf("the record holds %q:\n%s", secret, file.String())
		}
	}
	for _, want := range []string{`"kind":"chatops dashboard record","format":1,"version":"v1.2.3"`, `"source":"queue"`, `"source":"redis"`, "https://hook.example/…"} {
		if !strings.Contains(file.String(), want) {
			t.Errorf("the record does not hold %q:\n%s", want, file.String())
		}
	}
}

// failingFile takes a few lines and then none.
type failingFile struct{ left int }

func (f *failingFile) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}

func TestRecord_ThatCannotBeWrittenEndsAndIsSaid(t *testing.T) {
	t.Parallel()
	file := &failingFile{left: 2}
	d := newDesk(t, incident(), 120, 40, func(o *Options) { o.Record = file })
	if err := d.recorder.begin(); err != nil {
		t.Fatal(err)
	}
	d.shows("REC  read-only")
	d.poll()
	d.shows("NOT RECORDED", "the record ends here: write the record: no space left on device", "132 waiting")
	if file.left = 9; d.recorder.add("queue", noon, &answer{}, nil) == nil {
		t.Error("it goes on after a hole")
	}
	m := &plainModel{model: d.model}
	if s := m.sentence(); !strings.HasSuffix(s, "no space left on device") {
		t.Errorf("a line says %q", s)
	}
	if _, err := Once(t.Context(), &Options{Store: incident(), Record: &failingFile{}, NowFunc: d.opts.NowFunc}); err == nil {
		t.Error("one look that cannot be recorded is no error")
	}
}

// brokenRecord is a file that is no record, or no whole one.
type brokenRecord struct {
	name string
	file string
	want string
}

// brokenHeads are what can become of a header.
func brokenHeads(head string) []brokenRecord {
	return []brokenRecord{
		{
			name: "nothing",
			file: "",
			want: "this is no record",
		},
		{
			name: "text",
			file: "hello\nworld\n",
			want: "this is no record",
		},
		{
			name: "other JSON",
			file: `{"kind":"x"}` + "\n",
			want: "this is no record",
		},
		{
			name: "a newer format",
			file: strings.Replace(head, `"format":1`, `"format":2`, 1) + "\n{}\n",
			want: "the record has format 2, and this program reads formats up to 1: replay it with chatops v1.2.3 or newer",
		},
		{
			name: "a newer format whose header is otherwise",
			file: `{"kind":"chatops dashboard record","format":7,"version":"v9","redis":"often"}` + "\n",
			want: "the record has format 7, and this program reads formats up to 1: replay it with chatops v9 or newer",
		},
		{
			name: "a header only",
			file: head,
			want: "nothing was recorded",
		},
		{
			name: "half a header",
			file: head[:len(head)/2],
			want: "this is no record",
		},
		{
			name: "a header without a place",
			file: `{"kind":"chatops dashboard record","format":1}` + "\n",
			want: "line 1 is damaged",
		},
		{
			name: "a refresh of none",
			file: strings.Replace(head, `"refresh_seconds":2`, `"refresh_seconds":0`, 1) + "\n",
			want: "line 1 is damaged",
		},
	}
}

// brokenLines are what can become of a line below a header.
func brokenLines(head, rest string) []brokenRecord {
	return []brokenRecord{
		{
			name: "a broken line",
			file: head + "\n{\"at\n" + rest,
			want: "line 2 is damaged: it is no JSON of a record",
		},
		{
			name: "an empty line",
			file: head + "\n\n" + rest,
			want: "line 2 is damaged: it is no JSON of a record",
		},
		{
			name: "a line of another kind",
			file: head + "\n[1, 2]\n" + rest,
			want: "line 2 is damaged: it is no JSON of a record",
		},
		{
			name: "no time",
			file: head + "\n" + `{"source":"queue"}` + "\n" + rest,
			want: "line 2 is damaged: it does not say when it was, or of which source",
		},
		{
			name: "no source",
			file: head + "\n" + `{"at":"2026-03-10T12:00:00Z"}` + "\n" + rest,
			want: "line 2 is damaged: it does not say when it was, or of which source",
		},
		{
			name: "no answer",
			file: head + "\n" + `{"at":"2026-03-10T12:00:00Z","source":"queue"}` + "\n" + rest,
			want: "line 2 is damaged: it has neither an answer of queue nor an error",
		},
		{
			name: "the answer of another source",
			file: head + "\n" + `{"at":"2026-03-10T12:00:00Z","source":"queue","causes":{"groups":[]}}` + "\n" + rest,
			want: "line 2 is damaged: it has neither an answer of queue nor an error",
		},
		{
			name: "half a fleet",
			file: head + "\n" + `{"at":"2026-03-10T12:00:00Z","source":"fleet","fleet":{}}` + "\n" + rest,
			want: "line 2 is damaged: it has neither an answer of fleet nor an error",
		},
	}
}

func TestReadRecord_RefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	head, rest, _ := strings.Cut(recordedIncident(t), "\n")
	for _, tt := range append(brokenHeads(head), brokenLines(head, rest)...) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadRecord(strings.NewReader(tt.file))
			if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadRecord_LeavesOutSourcesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	head, rest, _ := strings.Cut(recordedIncident(t), "\n")
	newer := head + "\n" + `{"at":"2026-03-10T12:00:00Z","source":"weather","sky":"blue"}` + "\n" + rest
	if r, err := ReadRecord(strings.NewReader(newer)); err != nil || len(r.events) != 2*strings.Count(rest, "\n") {
		t.Errorf("with a source that is not known: %v", err)
	}
}

func TestReadRecord_ThatWasCutIsReadUpToThere(t *testing.T) {
	t.Parallel()
	whole := recordedIncident(t)
	head := strings.Index(whole, "\n") + 1
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(head, len(whole)-1).Draw(t, "length")
		r, err := ReadRecord(strings.NewReader(whole[:n]))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(whole[head:n], "\n")
		if part := whole[n-1] != '\n'; part && len(r.events) == 2*lines+2 { // only the end of the line is missing
			lines++
		} else if r.Cut != part {
			t.Fatalf("cut is %t after %q", r.Cut, whole[max(0, n-20):n])
		}
		if len(r.events) != 2*lines {
			t.Fatalf("%d events of %d lines", len(r.events), lines)
		}
	})
}

// Whoever changes a record gets an error or a picture, and no panic.
func TestReplay_OfAChangedRecordIsHarmless(t *testing.T) {
	t.Parallel()
	whole := recordedIncident(t)
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		part := []string{lines[0]}
		for range rapid.IntRange(1, 8).Draw(t, "lines") {
			part = append(part, rapid.SampledFrom(lines[1:]).Draw(t, "line"))
		}
		file := strings.Join(part, "")
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(len(lines[0]), len(file)-1).Draw(t, "at")
			from := rapid.SampledFrom([]string{`"`, "0", "1", "null", "{}", "[]", "\\u001b", "-", "9999-12-31T23:59:59Z"}).Draw(t, "text")
			file = file[:at] + from + file[min(len(file), at+rapid.IntRange(0, 40).Draw(t, "length")):]
		}
		r, err := ReadRecord(strings.NewReader(file))
		if err != nil {
			if chatops.ErrorCode(err) != chatops.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		d := newDesk(outer, &fakeSources{}, 120, 40, func(o *Options) { o.Replay(r, r.Until()) })
		for _, key := range []string{"esc", "1", "2", "3", "4", "5", "6", "esc"} {
			d.press(key)
			if screen := d.View(); strings.Contains(screen, "\x1b") || strings.Count(screen, "\n") >= 40 {
				t.Fatalf("the screen is not harmless: %q", screen)
			}
		}
	})
}
