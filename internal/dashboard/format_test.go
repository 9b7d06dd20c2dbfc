package dashboard

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// The first line of a record is read by programs of every later release.
func TestRecord_BeginsWithWhereItWasMade(t *testing.T) {
	t.Parallel()
	_, file := recordedDesk(t, healthy(), 80, 24)
	want := `{"kind":"chatops dashboard record","format":1,"version":"v1.2.3","at":"2026-03-10T12:00:00Z","environment":"production",` +
		`"host":"db.example:5432/chatops","database":"postgresql","redis":true,"refresh_seconds":2,"max_retries":5}` + "\n"
	if file.String() != want {
		t.Errorf("it begins with\n%s\nwant\n%s", file, want)
	}
}

func TestRecord_HasALineForEachAnswer(t *testing.T) {
	t.Parallel()
	f := healthy()
	d, file := recordedDesk(t, f, 80, 24)
	d.poll()
	d.wait(1500 * time.Millisecond)
	f.err, d.redis = errAway, fmt.Errorf("redis: %w", errAway)
	d.poll()
	keys := map[string][]string{}
	for i, raw := range strings.Split(strings.TrimSpace(file.String()), "\n")[1:] {
		var e map[string]json.RawMessage
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			t.Fatalf("line %d is no JSON: %v", i+2, err)
		}
		at := "2026-03-10T12:00:00Z"
		if i >= 5 {
			at = "2026-03-10T12:00:01.5Z"
		}
		if string(e["at"]) != `"`+at+`"` || string(e["asked"]) != `"`+at+`"` {
			t.Errorf("line %d is of %s, asked at %s; want %s", i+2, e["at"], e["asked"], at)
		}
		source := strings.Trim(string(e["source"]), `"`)
		keys[source] = append(keys[source], strings.Join(slices.Sorted(maps.Keys(e)), " "))
	}
	for source, want := range map[string][]string{
		"queue":  {"asked at queue source", "asked at error source"},
		"causes": {"asked at causes source", "asked at error source"},
		"fleet":  {"asked at fleet source", "asked at error source"},
		"jobs":   {"asked at jobs source", "asked at error source"},
		"redis":  {"asked at source", "asked at error source"},
	} {
		if !slices.Equal(keys[source], want) {
			t.Errorf("the lines of %s hold %q, want %q", source, keys[source], want)
		}
	}
	if len(keys) != 5 {
		t.Errorf("lines of %d sources", len(keys))
	}
}

// What is recorded of any picture is read again, as the same picture.
func TestRecord_OfAnything_IsReadBack(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		d, file := recordedDesk(outer, anySources(t), 100, 30)
		for range rapid.IntRange(1, 3).Draw(t, "looks") {
			d.wait(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause")))
			d.poll()
		}
		p := replayed(outer, file.String(), noon, 100, 30)
		p.playTo(d.now)
		for _, name := range []string{"queue", "breakers", "limits", "jobs", "replicas"} {
			got, want := drawnRows(p.drawn(name, 100)), drawnRows(d.drawn(name, 100))
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%s is\n%s\nand was\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	})
}

func TestSentence_SaysHowItIsInOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		sources *fakeSources
		change  func(*desk)
		want    string
	}{
		{
			name:    "nothing is known yet",
			sources: healthy(),
			change:  func(*desk) {},
			want: "2026-03-10T12:00:00Z | UNKNOWN | waiting for the first answers | queue=unknown | " +
				"queue=unknown | causes=unknown | fleet=unknown | jobs=unknown | redis=unknown",
		},
		{
			name:    "all is well",
			sources: healthy(),
			change:  (*desk).poll,
			want:    "2026-03-10T12:00:00Z | OK | nothing needs you: breakers closed, no alert failed, no limit refuses | queued=0 | pending=0 | failed=0 | delivered=5113 | in=unknown | out=unknown",
		},
		{
			name:    "alerts come and go",
			sources: healthy(),
			change: func(d *desk) {
				d.poll()
				d.wait(time.Minute)
				f := healthy()
				f.queue.Now = f.queue.Now.Add(time.Minute)
				f.queue.Counts[1].Count += 12
				f.fleet.Controls.Now = f.queue.Now
				*d.sources = *f
				d.poll()
			},
			want: "2026-03-10T12:01:00Z | OK | nothing needs you: breakers closed, no alert failed, no limit refuses | queued=0 | pending=0 | failed=0 | delivered=5125 | in=12/min | out=12/min",
		},
		{
			name:    "redis is away",
			sources: healthy(),
			change:  func(d *desk) { d.redis = errAway; d.poll() },
			want: "2026-03-10T12:00:00Z | WATCH | redis does not answer for 0s (connect to db.example:5432: connection refused) | queued=0 | pending=0 | failed=0 | delivered=5113 | in=unknown | out=unknown | " +
				"redis=ERROR",
		},
		{
			name:    "the record has ended",
			sources: healthy(),
			change:  func(d *desk) { d.poll(); d.recorded(chatops.Errorf(chatops.CodeInternal, "disk full")) },
			want: "2026-03-10T12:00:00Z | OK | nothing needs you: breakers closed, no alert failed, no limit refuses | queued=0 | pending=0 | failed=0 | delivered=5113 | in=unknown | out=unknown | " +
				"the record ends here: disk full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.sources, 80, 24)
			tt.change(d)
			if got := (&plainModel{model: d.model}).sentence(); got != tt.want {
				t.Errorf("it is\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Each key of the foot of a screen does something there, and says nothing that is
// refused.
func TestFoot_NamesKeysThatWork(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		keys  []string
		write bool
		want  string
	}{
		{"overview", nil, false, "1-6 open a panel  / filter  ? this help  q quit"},
		{"queue", []string{"1"}, false, "esc back  enter look into it  / filter  ? this help  q quit"},
		{"queue, to change it", []string{"1"}, true, "esc back  enter look into it  R retry all alerts  / filter  ? this help  q quit"},
		{"causes, to change them", []string{"2"}, true, "esc back  enter look into it  r retry  x discard  / filter  ? this help  q quit"},
		{"breakers, to change them", []string{"3"}, true, "esc back  r reset  a auto  t trip  / filter  ? this help  q quit"},
		{"limits, to change them", []string{"4"}, true, "esc back  s set the limit  u unset the limit  b block an address  / filter  ? this help  q quit"},
		{"who is refused", []string{"4", "down", "down"}, true, "esc back  b block an address  / filter  ? this help  q quit"},
		{"who is blocked", []string{"4", "end"}, true, "esc back  u unblock  / filter  ? this help  q quit"},
		{"jobs, to change them", []string{"5"}, true, "esc back  r run it now  / filter  ? this help  q quit"},
		{"replicas", []string{"6"}, true, "esc back  / filter  ? this help  q quit"},
		{"a list", []string{"1", "enter"}, false, "esc back  enter look into it  / filter  o order the list otherwise  ? this help  q quit"},
		{"an alert", []string{"1", "enter", "enter"}, true, "esc back  r retry  x discard  ? this help  q quit"},
		{"help", []string{"?"}, true, "esc back  ? this help  q quit"},
		{"a question", []string{"2", "r"}, true, "y yes  n no  tab reason  c copy the command  esc back"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t, func(o *Options) { o.Write = tt.write })
			d.outcome = counts(`{"matched":3}`, `{"matched":3,"requeued":3}`)
			d.press(tt.keys...)
			if got := d.keyLine().plain(); got != tt.want {
				t.Errorf("the foot is\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
