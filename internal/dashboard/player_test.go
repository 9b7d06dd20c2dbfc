package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestReplay_OfEverySize(t *testing.T) {
	t.Parallel()
	file := recordedIncident(t)
	for _, size := range sizes {
		name := fmt.Sprintf("replay_%dx%d", size.width, size.height)
		d := replayed(t, file, noon.Add(25*time.Second), size.width, size.height)
		golden(t, name+".txt", d.View()+"\n")
		wantFit(t, d.View(), size.width, size.height)
		coloured := replayed(t, file, noon.Add(25*time.Second), size.width, size.height, func(o *Options) { o.Colour = true })
		golden(t, name+".ansi", coloured.View()+"\n")
	}
}

// replaySteps are played one after the other.
var replaySteps = []struct {
	name  string
	keys  []string
	wait  time.Duration
	shows []string
	hides []string
}{
	{
		name:  "it stands where it was opened",
		shows: []string{"REPLAY 12:00:00Z  INCIDENT", "REPLAY 2026-03-10 12:00:00Z x1 paused", "0s of 46s", "production", "db.example:5432/chatops", "132 waiting"},
	},
	{
		name:  "time stands still",
		wait:  time.Minute,
		shows: []string{"12:00:00Z x1 paused", "132 waiting"},
	},
	{
		name:  "it is played",
		keys:  []string{" "},
		wait:  3 * time.Second,
		shows: []string{"REPLAY 12:00:03Z  INCIDENT", "12:00:03Z x1 playing", "133 waiting", "slack open on 2/2 replicas"},
	},
	{
		name:  "faster",
		keys:  []string{"+", "+"},
		wait:  4 * time.Second,
		shows: []string{"12:00:23Z x5 playing", "143 waiting"},
	},
	{
		name:  "slower, and not below as it was",
		keys:  []string{"-", "-", "-"},
		shows: []string{"12:00:23Z x1 playing"},
	},
	{
		name:  "on",
		keys:  []string{"right"},
		shows: []string{"12:00:33Z x1 playing", "148 waiting"},
	},
	{
		name:  "until its end",
		wait:  time.Hour,
		shows: []string{"12:00:46Z x1 at the end", "postgresql does not answer for 4s", "ERROR 8s", "46s of 46s"},
	},
	{
		name:  "to the answer before",
		keys:  []string{","},
		shows: []string{"12:00:42Z x1 paused", "postgresql does not answer for 0s"},
	},
	{
		name:  "to the one before that",
		keys:  []string{","},
		shows: []string{"12:00:38Z", "151 waiting", "live 0s"},
		hides: []string{"does not answer"},
	},
	{
		name:  "to the next answer",
		keys:  []string{"."},
		shows: []string{"12:00:42Z", "ERROR 4s", "151 waiting"},
	},
	{
		name:  "back beyond the beginning",
		keys:  []string{"["},
		shows: []string{"12:00:00Z x1 paused", "132 waiting"},
		hides: []string{"does not answer"},
	},
	{
		name:  "before the first answer",
		keys:  []string{",", ","},
		shows: []string{"12:00:00Z x1 paused"},
	},
	{
		name:  "on beyond the end",
		keys:  []string{"]"},
		shows: []string{"12:00:46Z x1 at the end", "postgresql does not answer for 4s"},
	},
	{
		name:  "after the last answer",
		keys:  []string{"."},
		shows: []string{"12:00:46Z x1 at the end"},
	},
	{
		name:  "once more",
		keys:  []string{" "},
		shows: []string{"12:00:00Z x1 playing", "132 waiting"},
	},
	{
		name:  "back at the beginning",
		keys:  []string{"left"},
		shows: []string{"12:00:00Z x1 playing"},
	},
	{
		name:  "to a time of day",
		keys:  []string{"T", "12:00:20", "enter"},
		shows: []string{"12:00:20Z", "142 waiting"},
	},
	{
		name:  "to a time after the beginning",
		keys:  []string{"T", "30s", "enter"},
		shows: []string{"12:00:30Z", "147 waiting"},
	},
	{
		name:  "to a time that was not recorded",
		keys:  []string{"T", "13:00", "enter"},
		shows: []string{"\"13:00\": the record is from 2026-03-10T12:00:00Z to 2026-03-10T12:00:46Z", "12:00:30Z"},
	},
	{
		name:  "to no time",
		keys:  []string{"T", "soon", "enter"},
		shows: []string{"must be an RFC 3339 time", "12:00:30Z"},
	},
	{
		name:  "nowhere",
		keys:  []string{"T", "40s", "esc"},
		shows: []string{"12:00:30Z"},
	},
}

func TestReplay_IsPlayedByTheClockAndByKeys(t *testing.T) {
	t.Parallel()
	d := replayed(t, recordedIncident(t), noon, 120, 40)
	for _, step := range replaySteps {
		d.press(step.keys...)
		d.wait(step.wait)
		d.shows(step.shows...)
		d.hides(step.hides...)
		if t.Failed() {
			t.Fatal(step.name)
		}
	}
}

func TestReplay_ChangesNothingAndHoldsNoAlerts(t *testing.T) {
	t.Parallel()
	d := replayed(t, recordedIncident(t), noon.Add(10*time.Second), 120, 44)
	if d.opts.Write {
		t.Fatal("a replay may change something")
	}
	d.press("3", "r")
	d.shows("this is a record: nothing can be changed")
	d.press("2", "x")
	d.shows("this is a record: nothing can be changed")
	d.press("enter")
	d.shows("a record holds no single alerts", "2 causes")
	d.press("esc", "/")
	d.shows("a record holds no single alerts")
	d.press("3", "/", "monday", "enter")
	d.shows("> monday")
	d.press("?")
	d.shows("play or pause", "go to a time", "10s back")
	d.hides("retry", "discard", "--write", "mark an alert", "next page")
	if len(d.ran) > 0 {
		t.Errorf("it ran %v", d.ran)
	}
}

func TestReplay_AsLines(t *testing.T) {
	t.Parallel()
	file := recordedIncident(t)
	lines := func(file string, at time.Time) []string {
		d := replayed(t, file, at, 80, 24)
		if err := Plain(t.Context(), d.opts); err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(d.out.String()), "\n")
	}
	all := lines(file, noon)
	if len(all) != 24 || !strings.HasPrefix(all[0], "2026-03-10T12:00:00Z | REPLAY | ") || !strings.HasPrefix(all[23], "2026-03-10T12:00:46Z | REPLAY | INCIDENT | postgresql does not answer for 4s") {
		t.Errorf("it writes %d lines:\n%s", len(all), strings.Join(all, "\n"))
	}
	late := lines(file, noon.Add(40*time.Second))
	if got := strings.Join(late, "\n"); got != strings.Join(all[20:], "\n") {
		t.Errorf("from a moment on it writes\n%s\nwant\n%s", got, strings.Join(all[20:], "\n"))
	}
	cut := lines(file[:len(file)-9], noon)
	if last := cut[len(cut)-1]; last != "2026-03-10T12:00:46Z | REPLAY | the record is cut off here" {
		t.Errorf("a record that is cut off ends with %q", last)
	}
	// Hours in which nobody recorded are not written down second by second.
	_, last, _ := strings.Cut(file, "\n")
	last, _, _ = strings.Cut(last, "\n")
	if n := len(lines(file+strings.ReplaceAll(last, "2026-03-10", "2027-03-10")+"\n", noon)); n > 30 {
		t.Errorf("a year of silence makes %d lines", n)
	}
}

func TestOnce_OfARecordIsWhatWasKnownThen(t *testing.T) {
	t.Parallel()
	file := recordedIncident(t)
	for after, want := range map[time.Duration]string{20 * time.Second: "slack open on 2/2 replicas for 4m; 142 alerts", time.Hour: "postgresql does not answer for 4s"} {
		s, err := Once(t.Context(), replayed(t, file, noon.Add(after), 80, 24).opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := s.Verdict(); !strings.HasPrefix(verdict, want) || s.Queue == nil || s.Growth == nil {
			t.Errorf("after %s: %s", after, verdict)
		}
	}
}

func TestMoment_IsReadInEveryForm(t *testing.T) {
	t.Parallel()
	r := &Record{header: header{At: noon.Add(-time.Minute)}, until: noon.Add(13 * time.Hour)}
	for text, want := range map[string]time.Time{
		"2026-03-10T12:00:05Z": noon.Add(5 * time.Second), "2026-03-10T13:00:05+01:00": noon.Add(5 * time.Second), "12:00:05": noon.Add(5 * time.Second),
		"14:30": noon.Add(150 * time.Minute), "00:30": noon.Add(750 * time.Minute), "90s": noon.Add(30 * time.Second), "1h": noon.Add(59 * time.Minute),
	} {
		if got, err := r.Moment(text); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1s", "14h", "2026-03-09T12:00:00Z", "11:00", "25:00"} {
		if _, err := r.Moment(text); chatops.ErrorCode(err) != chatops.CodeUsage {
			t.Errorf("%q: %v, want an error of usage", text, err)
		}
	}
}

func TestPlayer_NeverLeavesItsRecord(t *testing.T) {
	t.Parallel()
	d := replayed(t, recordedIncident(t), noon, 80, 24)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 20).Draw(t, "keys") {
			d.press(rapid.SampledFrom([]string{" ", "+", "-", "right", "left", "[", "]", ".", ",", "T", "enter", "esc", "1", "3"}).Draw(t, "key"))
			d.wait(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause")))
			p := d.player
			if p.at.Before(p.record.From()) || p.at.After(p.record.Until()) || !d.model.now.Equal(p.at) {
				t.Fatalf("it stands at %s, of a record from %s to %s; now is %s", p.at, p.record.From(), p.record.Until(), d.model.now)
			}
			for i := range p.record.events {
				if happened := i < p.next; happened == p.record.events[i].at.After(p.at) {
					t.Fatalf("event %d of %s happened: %t, at %s", i, p.record.events[i].at, happened, p.at)
				}
			}
		}
	})
}
