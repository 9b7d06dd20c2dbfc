package dashboard

import (
	"context"
	"errors"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestFeed_SaysHowItDoes(t *testing.T) {
	t.Parallel()
	const refresh = 2 * time.Second
	f := &feed{}
	want := func(after time.Duration, state string) {
		t.Helper()
		if got := f.state(noon.Add(after), refresh); got != state {
			t.Errorf("after %s: %s, want %s", after, got, state)
		}
	}
	want(0, stateUnknown)
	f.ask(noon)
	want(time.Minute, stateUnknown)
	f.hear(noon, nil)
	want(time.Second, stateLive)
	f.ask(noon.Add(2 * time.Second))
	want(3*time.Second, stateLive)
	want(4*time.Second, stateSlow)
	want(8*time.Second, stateStale)
	f.hear(noon.Add(9*time.Second), errors.New("x"))
	want(9*time.Second, stateError)
	if f.failingAt != noon.Add(2*time.Second) || f.heardAt != noon {
		t.Errorf("it fails since %v and was heard at %v", f.failingAt, f.heardAt)
	}
	f.ask(noon.Add(10 * time.Second))
	want(10*time.Second, stateError) // until it has answered
	f.hear(noon.Add(10*time.Second), nil)
	want(10*time.Second, stateLive)
	if !f.failingAt.IsZero() || f.fails != 0 {
		t.Errorf("it has answered, and still fails since %v", f.failingAt)
	}
}

func TestFeed_PausesLongerTheMoreItFails(t *testing.T) {
	t.Parallel()
	f := &feed{round: 2}
	for fails, seconds := range []int{2, 4, 8, 10, 10} {
		f.fails = fails
		if got := f.delay(2*time.Second, 0.5); got != time.Duration(seconds)*time.Second {
			t.Errorf("after %d failures the pause is %s, want %ds", fails, got, seconds)
		}
	}
	if got := (&feed{round: 1}).delay(2*time.Second, 0.5); got != time.Second {
		t.Errorf("the second look comes after %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := &feed{round: 2, fails: rapid.IntRange(0, 100).Draw(t, "fails")}
		refresh := time.Duration(rapid.Int64Range(int64(time.Second/2), int64(time.Minute)).Draw(t, "refresh"))
		d := f.delay(refresh, rapid.Float64Range(0, 1).Draw(t, "jitter"))
		if d < refresh*9/10 || d > max(refresh, maxDelay)*11/10 {
			t.Fatalf("a pause of %s for a refresh of %s", d, refresh)
		}
	})
}

func TestFeed_WordsErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, "no answer within 3s"},
		{chatops.Errorf(chatops.CodeUnavailable, "bad \x1b[2J"), `bad \x1b[2J`},
	} {
		if got := wordError(c.err); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestModel_NeverAsksASourceTwiceAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 80, 24)
	f := d.feed("queue")
	first := d.model.poll(f)
	if first == nil || d.model.poll(f) != nil {
		t.Fatal("a source that is being asked was asked again")
	}
	if _, cmd := d.Update(dueMsg{f, f.round}); cmd != nil {
		t.Error("a clock asked a source that is being asked")
	}
	answer := first()
	var planned time.Duration
	d.tickFunc = func(after time.Duration, _ func(time.Time) tea.Msg) tea.Cmd { planned = after; return nil }
	if d.Update(answer); planned != time.Second || d.picture.queue == nil {
		t.Error("the answer was not taken, or no further question was planned")
	}
	// An answer to a question that was replaced is dropped.
	second := d.model.poll(f)
	d.redirect(f, nil)
	d.picture.queue = nil
	if d.Update(second()); d.picture.queue != nil {
		t.Error("an answer to an earlier question was taken")
	}
	if _, cmd := d.Update(dueMsg{f, f.round - 1}); cmd != nil {
		t.Error("a clock of an earlier round asked a source")
	}
}

func TestTrend_IsUnknownUntilThereAreTwoLooks(t *testing.T) {
	t.Parallel()
	look := func(after time.Duration, waiting, delivered int64) *chatops.QueueStats {
		return &chatops.QueueStats{Now: noon.Add(after), Counts: []chatops.AlertCount{
			count("x", chatops.AlertPending, waiting), count("x", chatops.AlertDelivered, delivered),
		}}
	}
	tr := &trend{}
	tr.add(look(0, 10, 100))
	if tr.arrivals().String() != "unknown" || tr.growth() != nil {
		t.Errorf("after one look: %s, %v", tr.arrivals(), tr.growth())
	}
	tr.add(look(0, 99, 100)) // the same moment
	tr.add(look(2*time.Second, 12, 101))
	if got := tr.arrivals().String() + " " + tr.deliveries().String(); got != "~90/min ~30/min" {
		t.Errorf("after two seconds: %s", got)
	}
	tr.add(look(time.Minute, 8, 140))
	if got := tr.arrivals().String() + " " + tr.deliveries().String(); got != "38/min 40/min" || *tr.growth() != -2 {
		t.Errorf("after a minute: %s, %v", got, *tr.growth())
	}
	// Clean-up deletes delivered alerts: that is no negative delivery.
	tr.add(look(62*time.Second, 8, 0))
	if got := tr.deliveries(); got.perMinute < 0 {
		t.Errorf("deliveries after clean-up: %s", got)
	}
}

func TestSpark_ShowsALittleAsMoreThanNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []int64
		want   string
	}{
		{nil, ""}, {[]int64{0, 0}, "__"}, {[]int64{0, 1, 1000}, "_.@"}, {[]int64{5}, "@"},
	} {
		if got := spark(c.values, 3, true); got != c.want {
			t.Errorf("spark of %v is %q, want %q", c.values, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.Int64Range(0, 1<<40)).Draw(t, "values")
		width := rapid.IntRange(0, 40).Draw(t, "width")
		if got := []rune(spark(values, width, false)); len(got) != min(width, len(values)) {
			t.Fatalf("%d values drawn as %q in %d columns", len(values), string(got), width)
		}
	})
}
