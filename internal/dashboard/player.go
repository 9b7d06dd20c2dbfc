package dashboard

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// replayEvery is how often the screen moves on while a record is played.
const replayEvery = 200 * time.Millisecond

// speeds are how many times faster than it was a record can be played.
var speeds = []int{1, 2, 5, 10, 30, 60}

// player plays a record.
type player struct {
	record  *Record
	next    int       // the first event that has not happened yet
	at      time.Time // the recorded moment that is shown
	realAt  time.Time // when it was shown
	playing bool
	speed   int // of speeds
}

// newPlayer makes a player that stands before the record's first event.
func newPlayer(o *Options) *player {
	if o.replay == nil {
		return nil
	}
	return &player{record: o.replay, at: o.replay.At, realAt: o.NowFunc(), playing: true}
}

// tell lets the model's clock go on: to now, or by what a record that is played
// has gone on by.
func (m *model) tell() {
	p := m.player
	if p == nil {
		m.now = m.opts.NowFunc()
		return
	}
	since := p.realAt
	p.realAt = m.opts.NowFunc()
	if p.playing {
		m.playTo(p.at.Add(p.realAt.Sub(since) * time.Duration(speeds[p.speed])))
	}
}

// playTo shows the moment of a record, and what was known then.
func (m *model) playTo(at time.Time) {
	p := m.player
	if at.Before(p.at) { // from the beginning, up to that moment
		p.next, m.picture, m.feeds = 0, picture{}, newFeeds(m.opts)
	}
	if from := p.record.At; at.Before(from) {
		at = from
	}
	if at = at.UTC(); !at.Before(p.record.until) {
		at, p.playing = p.record.until, false
	}
	for ; p.next < len(p.record.events) && !p.record.events[p.next].at.After(at); p.next++ {
		m.happen(&p.record.events[p.next])
	}
	p.at, m.now = at, at
	m.settle()
}

// happen repeats an event.
func (m *model) happen(e *event) {
	f := m.feed(e.entry.Source)
	switch {
	case f == nil: // Redis, in a record of a place without one
	case e.ask:
		f.ask(e.at)
	case e.entry.Error != "":
		f.hear(e.at, chatops.Errorf(chatops.CodeUnavailable, "%s", e.entry.Error))
	default:
		f.hear(e.at, nil)
		m.picture.tell(&e.entry.answer)
	}
}

// replaying are the keys of a record.
func replaying() []binding {
	keys := []binding{
		{keys: []string{" "}, label: "space", help: "play or pause", foot: true, runFunc: func(m *model) tea.Cmd {
			p := m.player
			if p.playing = !p.playing; p.playing && !p.at.Before(p.record.until) {
				m.playTo(p.record.At) // once more
			}
			return nil
		}},
		{keys: []string{"+", "="}, label: "+", help: "faster", foot: true, runFunc: faster(1)},
		{keys: []string{"-"}, label: "-", help: "slower", foot: true, runFunc: faster(-1)},
		{keys: []string{"right"}, label: "right", help: "10s on", runFunc: skip(10 * time.Second)},
		{keys: []string{"left"}, label: "left", help: "10s back", runFunc: skip(-10 * time.Second)},
		{keys: []string{"]"}, label: "]", help: "5m on", runFunc: skip(5 * time.Minute)},
		{keys: []string{"["}, label: "[", help: "5m back", runFunc: skip(-5 * time.Minute)},
		{keys: []string{"."}, label: ".", help: "to the next answer", runFunc: step(1)},
		{keys: []string{","}, label: ",", help: "to the answer before", runFunc: step(-1)},
		{keys: []string{"T"}, label: "T", help: "go to a time", foot: true, runFunc: (*model).askMoment},
	}
	for i := range keys {
		keys[i].replay = true
	}
	return keys
}

func faster(by int) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		m.player.speed = max(0, min(m.player.speed+by, len(speeds)-1))
		return nil
	}
}

func skip(by time.Duration) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd { m.playTo(m.player.at.Add(by)); return nil }
}

// step goes to the next moment at which a source answered, or to the one before,
// and stays there.
func step(by int) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		p := m.player
		p.playing = false
		i := p.next
		if by < 0 {
			i--
		}
		for ; i >= 0 && i < len(p.record.events); i += by {
			if e := &p.record.events[i]; !e.ask && e.at.Compare(p.at) == by {
				m.playTo(e.at)
				return nil
			}
		}
		if by < 0 {
			m.playTo(p.record.At)
		} else {
			m.playTo(p.record.until)
		}
		return nil
	}
}

// askMoment asks for a moment of the record.
func (m *model) askMoment() tea.Cmd {
	m.ask("go to (12:30:05, or 90s from the beginning)", "", func(m *model, typed string) tea.Cmd {
		at, err := m.player.record.Moment(typed)
		if err != nil {
			m.notice = &notice{chatops.ErrorMessage(err), toneWarn}
			return nil
		}
		m.playTo(at)
		return nil
	})
	return nil
}

// mark says in front of the verdict that this is no news; "" for what is.
func (p *player) mark() string {
	if p == nil {
		return ""
	}
	return "REPLAY " + p.at.UTC().Format("15:04:05Z") + "  "
}

// bar shows where in the record this is, and how it goes on.
func (p *player) bar(width int) line {
	from, until := p.record.At, p.record.until
	state := "paused"
	switch {
	case p.playing:
		state = "playing"
	case !p.at.Before(until):
		state = "at the end"
	}
	said := fmt.Sprintf("REPLAY %s x%d %s", p.at.UTC().Format("2006-01-02 15:04:05Z"), speeds[p.speed], state)
	right := chatops.Span(p.at.Sub(from).Truncate(time.Second)) + " of " + chatops.Span(until.Sub(from).Truncate(time.Second))
	if p.record.Cut {
		right += ", the last line is cut off"
	}
	l := text(toneBold, said+" ")
	if room := width - len(said) - len(right) - 5; room >= 8 {
		done := room
		if whole := until.Sub(from); whole > 0 {
			done = int(float64(room) * float64(p.at.Sub(from)) / float64(whole))
		}
		l = l.plus(text(toneDim, "["+strings.Repeat("=", done)+strings.Repeat("-", room-done)+"] "))
	}
	return spread(l, text(toneDim, right), width)
}

// recordMark says that a record is made, or why not.
func (m *model) recordMark() string {
	switch {
	case m.recorder == nil:
		return ""
	case m.unrecorded != "":
		return "NOT RECORDED  "
	}
	return "REC  "
}

// recorded keeps the error that ended the record, and says it once.
func (m *model) recorded(err error) {
	if err == nil || m.unrecorded != "" {
		return
	}
	m.unrecorded = "the record ends here: " + wordError(err)
	m.notice = &notice{m.unrecorded, toneBad}
}
