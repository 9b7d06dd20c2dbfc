package dashboard

import (
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// model is the whole dashboard. Update does no I/O: it returns commands.
type model struct {
	opts    *Options
	ctx     context.Context //nolint:containedctx // bubbletea's commands have none of their own
	painter *painter
	// player is that of a record, nil for a view of what is now; recorder keeps
	// what is told, unrecorded is the error that ended that.
	player     *player
	recorder   *recorder
	unrecorded string
	panels     []panel
	feeds      []*feed
	picture    picture
	now        time.Time
	// tickFunc makes a clock; a test has none.
	tickFunc func(time.Duration, func(time.Time) tea.Msg) tea.Cmd

	width, height int
	screens       []screen // the last one is shown
	modal         *modal
	prompt        *prompt
	notice        *notice
}

// The messages of the model.
type (
	// tickMsg comes every second, and more often while a record is played.
	tickMsg time.Time
	// dueMsg says that a feed is to be asked again.
	dueMsg struct {
		feed  *feed
		round int
	}
	// heardMsg is a feed's answer.
	heardMsg struct {
		feed       *feed
		round      int
		answer     answer
		err        error
		unrecorded error // why the record does not have it
	}
)

// newModel makes a dashboard that shows nothing yet.
func newModel(ctx context.Context, o *Options) *model {
	m := &model{
		opts: o, ctx: ctx, painter: newPainter(o), panels: panels(), now: o.NowFunc(), tickFunc: tea.Tick,
		width: 80, height: 24, screens: []screen{{kind: screenOverview}}, player: newPlayer(o), recorder: newRecorder(o),
	}
	m.feeds = newFeeds(o)
	if m.player != nil {
		m.playTo(o.startAt)
	}
	return m
}

// headStart is how long the other sources of a database wait at the start for its
// first one. They then share its connection, which is there sooner than one for each.
const headStart = 100 * time.Millisecond

// Init starts the clock and the first feed of each kind of source, and the others
// soon.
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.goOn()}
	first := map[string]bool{}
	for _, f := range m.feeds {
		if !first[f.backing] {
			first[f.backing] = true
			cmds = append(cmds, m.poll(f))
			continue
		}
		cmds = append(cmds, m.tickFunc(headStart, func(time.Time) tea.Msg { return dueMsg{feed: f} }))
	}
	return tea.Batch(cmds...)
}

// begin starts the feeds that have waited for the one that has just told something.
func (m *model) begin(heard *feed) tea.Cmd {
	var cmds []tea.Cmd
	for _, f := range m.feeds {
		if f.round == 0 && f.lookFunc != nil && f.backing == heard.backing {
			cmds = append(cmds, func() tea.Msg { return dueMsg{feed: f} })
		}
	}
	return tea.Batch(cmds...)
}

// goOn lets the clock tick.
func (m *model) goOn() tea.Cmd {
	every := time.Second
	if m.player != nil {
		every = replayEvery
	}
	return m.tickFunc(every, func(at time.Time) tea.Msg { return tickMsg(at) })
}

// Update takes a message in.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.tell()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, nil
	case tickMsg:
		return m, m.goOn()
	case dueMsg:
		if msg.round != msg.feed.round || msg.feed.busy {
			return m, nil
		}
		return m, m.poll(msg.feed)
	case heardMsg:
		return m, tea.Batch(m.heard(msg), m.begin(msg.feed))
	case countedMsg:
		m.counted(msg)
		return m, nil
	case progressMsg:
		return m, m.progressed(msg)
	case doneMsg:
		return m, m.done(msg)
	case tea.KeyMsg:
		return m, m.key(msg)
	}
	return m, nil
}

// poll asks a feed. Nothing happens while it is busy, or has nothing to ask, and
// nobody is asked about the past.
func (m *model) poll(f *feed) tea.Cmd {
	if f.busy || f.lookFunc == nil || m.player != nil {
		return nil
	}
	f.ask(m.now)
	ctx, cancel := context.WithTimeout(m.ctx, pollTimeout)
	f.stop = cancel
	round, asked, lookFunc := f.round, f.askedAt, f.lookFunc
	return func() tea.Msg {
		defer cancel()
		a, err := lookFunc(ctx)
		return heardMsg{feed: f, round: round, answer: a, err: err, unrecorded: m.recorder.add(f.name, asked, &a, err)}
	}
}

// heard takes an answer in and plans the next question.
func (m *model) heard(msg heardMsg) tea.Cmd {
	f := msg.feed
	m.recorded(msg.unrecorded)
	if msg.round != f.round {
		return nil // to a question that nobody asks any more
	}
	f.hear(m.now, msg.err)
	if msg.err == nil {
		m.picture.tell(&msg.answer)
		m.settle()
	}
	round := f.round
	return m.tickFunc(f.delay(m.opts.Refresh, m.opts.JitterFunc()), func(time.Time) tea.Msg { return dueMsg{f, round} })
}

// redirect lets a feed ask something else, at once.
func (m *model) redirect(f *feed, lookFunc lookFunc) tea.Cmd {
	if f.stop != nil {
		f.stop()
	}
	*f = feed{name: f.name, backing: f.backing, every: f.every, lookFunc: lookFunc, round: f.round + 1}
	return m.poll(f)
}

// feed is a feed by its name.
func (m *model) feed(name string) *feed {
	at := slices.IndexFunc(m.feeds, func(f *feed) bool { return f.name == name })
	if at < 0 {
		return nil
	}
	return m.feeds[at]
}

// situation is what is known now. Sources that fail or have gone silent are named
// once each.
func (m *model) situation() *chatops.Situation {
	p := &m.picture
	s := &chatops.Situation{At: m.now, Queue: p.queue, Groups: p.groups, Fleet: p.fleet, Jobs: p.jobs, Growth: p.trend.growth()}
	for _, f := range m.feeds {
		from := f.failingAt
		switch state := f.state(m.now, m.opts.Refresh); {
		case f.lookFunc == nil || state != stateError && state != stateStale:
			continue
		case state == stateStale:
			from = f.heardAt
		}
		at := slices.IndexFunc(s.Sources, func(t chatops.SourceTrouble) bool { return t.Name == f.backing })
		if at < 0 {
			s.Sources = append(s.Sources, chatops.SourceTrouble{Name: f.backing, Since: from, Error: f.err})
		} else if from.Before(s.Sources[at].Since) {
			s.Sources[at].Since = from
		}
	}
	return s
}
