package dashboard

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// stats is the queue at one look.
func stats(after time.Duration, waiting, delivered int64) *chatops.QueueStats {
	return &chatops.QueueStats{Now: noon.Add(after), Counts: []chatops.AlertCount{
		count("a", chatops.AlertPending, waiting), count("a", chatops.AlertDelivered, delivered),
	}}
}

func TestTrend_IsMeasuredOverTheLastMinute(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		looks   []*chatops.QueueStats
		in, out string
		growth  float64
	}{
		{
			name:   "nothing happens",
			looks:  []*chatops.QueueStats{stats(0, 5, 5), stats(time.Minute, 5, 5)},
			in:     "0/min",
			out:    "0/min",
			growth: 0,
		},
		{
			name:   "as many go as come",
			looks:  []*chatops.QueueStats{stats(0, 5, 5), stats(time.Minute, 5, 35)},
			in:     "30/min",
			out:    "30/min",
			growth: 0,
		},
		{
			name:   "they pile up",
			looks:  []*chatops.QueueStats{stats(0, 5, 5), stats(30*time.Second, 15, 5), stats(time.Minute, 25, 5)},
			in:     "20/min",
			out:    "0/min",
			growth: 20,
		},
		{
			name:   "they go",
			looks:  []*chatops.QueueStats{stats(0, 40, 0), stats(time.Minute, 10, 30)},
			in:     "0/min",
			out:    "30/min",
			growth: -30,
		},
		{
			name:   "over less than half a minute",
			looks:  []*chatops.QueueStats{stats(0, 0, 0), stats(10*time.Second, 5, 0)},
			in:     "~30/min",
			out:    "~0/min",
			growth: 30,
		},
		{
			name:   "clean-up is no change backwards",
			looks:  []*chatops.QueueStats{stats(0, 5, 9000), stats(30*time.Second, 5, 0), stats(time.Minute, 5, 10)},
			in:     "10/min",
			out:    "10/min",
			growth: 0,
		},
		{
			name:   "what was before the minute",
			looks:  []*chatops.QueueStats{stats(0, 0, 0), stats(time.Hour, 500, 0), stats(61*time.Minute, 500, 0)},
			in:     "0/min",
			out:    "0/min",
			growth: 0,
		},
		{
			name:   "a look at the same moment, or an earlier one",
			looks:  []*chatops.QueueStats{stats(0, 5, 5), stats(time.Minute, 15, 5), stats(time.Minute, 99, 99), stats(0, 99, 99)},
			in:     "10/min",
			out:    "0/min",
			growth: 10,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var tr trend
			for _, s := range tt.looks {
				tr.add(s)
			}
			if in, out := tr.arrivals().String(), tr.deliveries().String(); in != tt.in || out != tt.out {
				t.Errorf("in %s, out %s; want in %s, out %s", in, out, tt.in, tt.out)
			}
			if g := tr.growth(); g == nil || *g != tt.growth {
				t.Errorf("it grows by %v, want %v", g, tt.growth)
			}
		})
	}
}

// However long one looks: what is kept has an end, and the rate is that of the
// last minute.
func TestTrend_OfManyLooks_KeepsTheLastOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tr trend
		at, waiting := time.Duration(0), int64(0)
		var ats []time.Duration
		var waits []int64
		for range rapid.IntRange(2, 400).Draw(t, "looks") {
			at += time.Duration(rapid.Int64Range(int64(250*time.Millisecond), int64(8*time.Second)).Draw(t, "pause"))
			waiting = max(0, waiting+rapid.Int64Range(-5, 9).Draw(t, "change"))
			tr.add(stats(at, waiting, 0))
			ats, waits = append(ats, at), append(waits, waiting)
		}
		if n := len(tr.samples); n > 10*trendPoints {
			t.Fatalf("%d looks are kept", n)
		}
		if n, want := len(tr.steps(totalOf)), min(trendPoints, len(tr.samples)-1); n != want && n != want-1 {
			t.Fatalf("a sparkline has %d points, want %d", n, want)
		}
		from := len(ats) - 1
		for from > 0 && ats[from-1] >= at-trendWindow {
			from--
		}
		g := tr.growth()
		if (g != nil) != (from < len(ats)-1) {
			t.Fatalf("the growth is %v, of %d looks in the last minute", g, len(ats)-from)
		}
		if g == nil {
			return
		}
		want := float64(waiting-waits[from]) / (at - ats[from]).Minutes()
		if d := *g - want; d > 0.001*max(1, want) || d < -0.001*max(1, -want, want) {
			t.Fatalf("it grows by %v a minute, want %v", *g, want)
		}
	})
}

func TestSpark_IsAsHighAsItsValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []int64
		width  int
		ascii  bool
		want   string
	}{
		{nil, 5, false, ""},
		{[]int64{0, 0}, 5, false, "▁▁"},
		{[]int64{0, 1, 7}, 5, false, "▁▂█"},
		{[]int64{0, 1, 7}, 5, true, "_.@"},
		{[]int64{1, 1000}, 5, false, "▂█"},
		{[]int64{9, 1, 2, 3}, 3, false, "▃▅█"},
		{[]int64{1, 2, 3}, 0, false, ""},
		{[]int64{0, 1, 2, 3, 4, 5, 6, 7}, 8, false, "▁▂▃▄▅▆▇█"},
		{[]int64{0, 1, 2, 3, 4, 5, 6, 7}, 8, true, "_.-=+*#@"},
	} {
		if got := spark(tt.values, tt.width, tt.ascii); got != tt.want {
			t.Errorf("%v in %d columns is %q, want %q", tt.values, tt.width, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1<<50), 1, 40).Draw(t, "values")
		ascii := rapid.Bool().Draw(t, "ascii")
		bars := barsBlock
		if ascii {
			bars = barsASCII
		}
		drawn := []rune(spark(values, len(values), ascii))
		for i, v := range values {
			level := strings.IndexRune(string(bars), drawn[i])
			if (v == 0) != (level == 0) {
				t.Fatalf("%d of %v is drawn as %c", v, values, drawn[i])
			}
			if i > 0 && v > values[i-1] && level < strings.IndexRune(string(bars), drawn[i-1]) {
				t.Fatalf("%d is drawn lower than %d in %s", v, values[i-1], string(drawn))
			}
		}
	})
}

// Whatever happened, the pause is about the refresh at least and has an end.
func TestDelay_OfAnyFeed_IsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		refresh := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Minute)).Draw(t, "refresh"))
		f := &feed{every: time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "every"))}
		f.round, f.fails = rapid.IntRange(2, 9).Draw(t, "round"), rapid.IntRange(0, 200).Draw(t, "fails")
		jitter := rapid.Float64Range(0, 0.999).Draw(t, "jitter")
		got, base := f.delay(refresh, jitter), max(refresh, f.every)
		if least, most := base*9/10-1, max(maxDelay, base)*11/10+1; got < least || got > most {
			t.Fatalf("the pause is %s, want %s to %s", got, least, most)
		}
		f.fails++
		if more := f.delay(refresh, jitter); more < got {
			t.Fatalf("after one more failure the pause is %s instead of %s", more, got)
		}
	})
}

// Questions and answers in any order: a feed that fails says since when, and one
// answer is enough to be live again.
func TestFeed_OfAnyAnswers_KnowsSinceWhenItFails(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := &feed{}, noon
		var heard, failing time.Time
		for range rapid.IntRange(1, 20).Draw(t, "questions") {
			f.ask(now)
			asked := now
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(pollTimeout)).Draw(t, "took")))
			if rapid.Bool().Draw(t, "works") {
				f.hear(now, nil)
				heard, failing = now, time.Time{}
			} else {
				f.hear(now, errAway)
				if failing.IsZero() {
					failing = asked
				}
			}
			if !f.heardAt.Equal(heard) || !f.failingAt.Equal(failing) || f.busy {
				t.Fatalf("heard at %s, failing since %s; want %s and %s", f.heardAt, f.failingAt, heard, failing)
			}
			want := stateLive
			if !failing.IsZero() {
				want = stateError
			}
			if state := f.state(now, 2*time.Second); state != want || f.fresh(now, 2*time.Second) != (want == stateLive) {
				t.Fatalf("it is %s, want %s", state, want)
			}
			now = now.Add(time.Second)
		}
	})
}
