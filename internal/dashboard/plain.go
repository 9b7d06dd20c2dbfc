package dashboard

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// plainModel is the dashboard as lines that follow each other.
type plainModel struct {
	*model

	wroteAt time.Time
	err     error
}

// Update takes a message in, and writes a line when the refresh has passed and
// the first answers are there.
func (m *plainModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := m.model.Update(msg)
	heard := true
	for _, f := range m.feeds {
		heard = heard && (f.lookFunc == nil || !f.heardAt.IsZero() || f.err != "")
	}
	if !heard || m.now.Sub(m.wroteAt) < m.opts.Refresh {
		return m, cmd
	}
	m.wroteAt = m.now
	if _, err := io.WriteString(m.opts.Out, m.sentence()+"\n"); err != nil {
		m.err = err
		return m, tea.Quit
	}
	return m, cmd
}

// View draws nothing.
func (*plainModel) View() string { return "" }

// sentence is the situation in one line: when, how bad, what, and the totals.
func (m *plainModel) sentence() string {
	level, verdict := m.situation().Verdict()
	parts := []string{m.now.UTC().Format(time.RFC3339), string(level), verdict}
	if m.player != nil {
		parts = slices.Insert(parts, 1, "REPLAY")
	}
	if q := m.picture.queue; q != nil {
		t := &m.picture.trend
		for _, s := range chatops.AlertStatuses()[:4] {
			parts = append(parts, fmt.Sprintf("%s=%d", s, q.Total(s)))
		}
		parts = append(parts, "in="+t.arrivals().String(), "out="+t.deliveries().String())
	} else {
		parts = append(parts, "queue=unknown")
	}
	for _, f := range m.feeds {
		if state := f.state(m.now, m.opts.Refresh); f.lookFunc != nil && state != stateLive {
			parts = append(parts, f.name+"="+state)
		}
	}
	if m.unrecorded != "" {
		parts = append(parts, m.unrecorded)
	}
	return strings.Join(parts, " | ")
}

// longGap is a time without any answer that is left out of the lines.
const longGap = time.Minute

// playAll writes the lines of a whole record, from its moment on, without waiting.
func (m *plainModel) playAll(ctx context.Context) error {
	p := m.player
	for {
		if ctx.Err() != nil {
			return ended(ctx, nil)
		}
		if _, err := io.WriteString(m.opts.Out, m.sentence()+"\n"); err != nil {
			return err
		}
		if !p.at.Before(p.record.until) {
			break
		}
		next := p.at.Add(m.opts.Refresh)
		if p.next < len(p.record.events) && p.record.events[p.next].at.Sub(next) > longGap {
			next = p.record.events[p.next].at
		}
		m.playTo(next)
	}
	if p.record.Cut {
		_, err := io.WriteString(m.opts.Out, p.at.UTC().Format(time.RFC3339)+" | REPLAY | the record is cut off here\n")
		return err
	}
	return nil
}
