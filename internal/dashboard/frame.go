package dashboard

import (
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// gather is how long answers are waited for that come together, so that they are
// drawn once.
const gather = 50 * time.Millisecond

// framed is a model that is drawn only when something may have changed: bubbletea
// asks for the screen after every message, and most of them show nothing.
type framed struct {
	*model

	frame string
	drawn bool // the frame is what the model shows
	due   bool // a drawMsg is on its way
}

// drawMsg says that the answers that came together are there.
type drawMsg struct{}

// Update takes a message in.
func (f *framed) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, draw := msg.(drawMsg); draw {
		f.due, f.drawn = false, false
		return f, nil
	}
	_, cmd := f.model.Update(msg)
	switch msg.(type) {
	case dueMsg:
	case heardMsg:
		if f.awaited() {
			f.drawn = false // nobody waits longer for the first numbers than the sources do
		} else if !f.due {
			f.due = true
			cmd = tea.Batch(cmd, f.tickFunc(gather, func(time.Time) tea.Msg { return drawMsg{} }))
		}
	default:
		f.drawn = false
	}
	return f, cmd
}

// awaited reports that a source has not answered its first question yet.
func (f *framed) awaited() bool {
	return slices.ContainsFunc(f.feeds, func(s *feed) bool { return s.round == 1 && s.busy })
}

// View is the screen as it was drawn last, drawn anew when it may have changed.
func (f *framed) View() string {
	if !f.drawn {
		f.frame, f.drawn = f.model.View(), true
	}
	return f.frame
}
