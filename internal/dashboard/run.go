package dashboard

import (
	"context"
	"errors"
	"sync"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
	_ "chatops/internal/dashboard/quiet" // before bubbletea asks the terminal
)

// fps bounds how often the screen is drawn: often enough for a hand on the keys,
// and next to nothing while nobody types.
const fps = 10

// Run shows the dashboard in the terminal until it is left or the context ends,
// and gives the terminal back as it was. CodeInterrupted when the context ended.
func Run(ctx context.Context, o *Options) error {
	m := newModel(ctx, o)
	if err := m.recorder.begin(); err != nil {
		return err
	}
	p := tea.NewProgram(&framed{model: m}, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithAltScreen(), tea.WithFPS(fps), tea.WithoutSignalHandler())
	_, err := p.Run()
	return ended(ctx, err)
}

// Plain writes a line whenever the refresh has passed, for screen readers and
// logs, until the context ends. It sends no escape code and reads no key.
func Plain(ctx context.Context, o *Options) error {
	model := &plainModel{model: newModel(ctx, o)}
	if model.player != nil {
		return model.playAll(ctx)
	}
	if err := model.recorder.begin(); err != nil {
		return err
	}
	p := tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(nil), tea.WithOutput(o.Out),
		tea.WithoutRenderer(), tea.WithoutSignalHandler())
	_, err := p.Run()
	if model.err != nil {
		return model.err
	}
	return ended(ctx, err)
}

// ended tells how a program ended.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return chatops.Errorf(chatops.CodeInterrupted, "interrupted")
	case errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// Once asks every source once and returns what they told. A source that does not
// answer is named in the situation, and what it would have told is nil. Of a
// record it is what was known at its moment.
func Once(ctx context.Context, o *Options) (*chatops.Situation, error) {
	m := newModel(ctx, o)
	if m.player != nil {
		return m.situation(), nil
	}
	if err := m.recorder.begin(); err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	answers := make([]tea.Msg, len(m.feeds))
	for i, f := range m.feeds {
		if cmd := m.poll(f); cmd != nil { //nolint:contextcheck // the model has it
			all.Go(func() { answers[i] = cmd() })
		}
	}
	all.Wait()
	m.now = o.NowFunc()
	for _, msg := range answers {
		if heard, ok := msg.(heardMsg); ok {
			m.heard(heard)
			if heard.unrecorded != nil {
				return nil, heard.unrecorded
			}
		}
	}
	return m.situation(), nil
}
