package dashboard

import (
	"fmt"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"pgregory.net/rapid"
)

// onScreen is a dashboard as bubbletea runs it, whose clocks the test winds.
func onScreen(d *desk) (f *framed, pending func() []tea.Msg) {
	var waiting []tea.Msg
	f = &framed{model: d.model}
	f.tickFunc = func(after time.Duration, then func(time.Time) tea.Msg) tea.Cmd {
		return func() tea.Msg {
			if msg := then(d.now.Add(after)); after == gather {
				waiting = append(waiting, msg)
			}
			return nil
		}
	}
	return f, func() []tea.Msg {
		list := waiting
		waiting = nil
		return list
	}
}

// give gives a message to the screen, and carries out what it asks for at once.
func give(f *framed, msg tea.Msg) {
	_, cmd := f.Update(msg)
	if cmd == nil {
		return
	}
	switch answer := cmd().(type) {
	case tea.BatchMsg:
		for _, one := range answer {
			if one != nil {
				if m := one(); m != nil {
					give(f, m)
				}
			}
		}
	case nil:
	default:
		give(f, answer)
	}
}

func TestFrame_IsDrawnOnceForAnswersThatComeTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 80, 24)
	d.poll()
	d.sources.queue.Counts[0].Count++
	f, pending := onScreen(d)
	before := f.View()
	for _, feed := range f.feeds {
		if cmd := f.poll(feed); cmd != nil {
			give(f, cmd())
			give(f, dueMsg{feed, -1})
		}
	}
	if f.View() != before {
		t.Error("it was drawn before the answers were together")
	}
	msgs := pending()
	if len(msgs) != 1 {
		t.Fatalf("%d frames are planned for answers that came together", len(msgs))
	}
	give(f, msgs[0])
	if f.View() != d.View() || f.View() == before {
		t.Errorf("it shows\n%s\nwant\n%s", f.View(), d.View())
	}
}

func TestFrame_TheFirstNumbersDoNotWaitForOtherSources(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 80, 24)
	f, pending := onScreen(d)
	queue, redis := f.poll(f.feed("queue")), f.poll(f.feed("redis"))
	before := f.View()
	give(f, queue())
	first := f.View()
	if first == before || first != d.View() {
		t.Errorf("the queue is not shown while Redis has not answered:\n%s", first)
	}
	give(f, redis())
	if msgs := pending(); f.View() != first || len(msgs) != 1 {
		t.Errorf("%d frames are planned for the last answer", len(msgs))
	}
}

func TestFrame_FollowsKeysSizesAndTheClockAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 80, 24)
	d.poll()
	f, _ := onScreen(d)
	for _, step := range []struct {
		name string
		msg  tea.Msg
	}{
		{
			name: "the first frame",
			msg:  nil,
		},
		{
			name: "a key",
			msg:  tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("2")},
		},
		{
			name: "another key",
			msg:  tea.KeyMsg{Type: tea.KeyDown},
		},
		{
			name: "a size",
			msg:  tea.WindowSizeMsg{Width: 60, Height: 15},
		},
		{
			name: "the clock",
			msg:  tickMsg(noon.Add(5 * time.Second)),
		},
	} {
		before := f.View()
		if step.msg != nil {
			d.now = d.now.Add(time.Second)
			give(f, step.msg)
		}
		if f.View() != d.View() {
			t.Errorf("after %s it shows\n%s\nwant\n%s", step.name, f.View(), d.View())
		}
		if step.msg != nil && f.View() == before {
			t.Errorf("%s changes nothing", step.name)
		}
	}
}

// Whatever happens in whatever order: when nothing is on its way any more, what
// is shown is what the model would draw.
func TestFrame_IsNeverOlderThanWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(outer, incident(), 80, 24)
		f, pending := onScreen(d)
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"answer", "failure", "key", "clock", "draw", "due"}).Draw(t, "step") {
			case "answer":
				d.sources.err = nil
				if cmd := f.poll(f.feeds[0]); cmd != nil {
					give(f, cmd())
				}
			case "failure":
				d.sources.err = errAway
				if cmd := f.poll(f.feeds[0]); cmd != nil {
					give(f, cmd())
				}
			case "key":
				key := rapid.SampledFrom([]string{"1", "2", "?", "/", "j"}).Draw(t, "key")
				give(f, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(key)})
			case "clock":
				d.now = d.now.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "seconds")) * time.Second)
				give(f, tickMsg(d.now))
			case "draw":
				for _, msg := range pending() {
					give(f, msg)
				}
			case "due":
				give(f, dueMsg{f.feeds[0], -1})
			}
			_ = f.View()
		}
		for _, msg := range pending() {
			give(f, msg)
		}
		if f.View() != d.View() {
			t.Fatal(fmt.Sprintf("it shows\n%s\nwant\n%s", f.View(), d.View()))
		}
	})
}
