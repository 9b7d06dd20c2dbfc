package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"chatops/internal/chatops"
)

// View draws the screen: as many lines as it has, never more.
func (m *model) View() string {
	lines := m.lines()
	for i := range lines {
		lines[i] = lines[i].fit(m.width)
	}
	return m.painter.draw(lines[:min(len(lines), max(m.height, 1))])
}

// lines are those of the whole screen.
func (m *model) lines() []line {
	if m.height < 4 || m.width < 20 {
		return []line{m.oneLine()}
	}
	head, foot := m.head(), m.foot()
	room := max(1, m.height-len(head)-len(foot))
	var body []line
	switch s := m.top(); s.kind {
	case screenOverview:
		body = m.overview(room)
	case screenPanel:
		p := &m.panels[s.panel]
		c := p.drawFunc(m.look(p, m.width-2))
		body = append([]line{m.panelHead(s.panel, c.summary, m.width)}, m.scroll(m.rows(), room-1)...)
	case screenAlerts:
		body = append([]line{m.feedHead(m.alertsSummary(), m.feed("alerts"))}, m.scroll(m.rows(), room-1)...)
	case screenAlert:
		lines := m.detailLines(m.width)
		s.cursor = max(0, min(s.cursor, len(lines)-room+1))
		body = append([]line{m.feedHead(text(toneNone, "alert "+strconv.FormatInt(s.alertID, 10)), m.feed("alert"))}, lines[s.cursor:]...)
	case screenHelp:
		lines := m.helpLines()
		s.cursor = max(0, min(s.cursor, len(lines)-room))
		body = lines[s.cursor:]
	}
	if m.modal != nil {
		body = m.modal.lines(m)
	}
	body = body[:min(len(body), room)]
	for len(body) < room {
		body = append(body, line{})
	}
	return append(append(head, body...), foot...)
}

// head says where this is and, in one sentence, how it is.
func (m *model) head() []line {
	level, verdict := m.verdict()
	t := map[chatops.Level]tone{chatops.LevelOK: toneGood, chatops.LevelIncident: toneBad}[level]
	if t == toneNone {
		t = toneWarn
	}
	rows := min(2, max(1, m.height/6))
	if m.top().kind != screenOverview {
		rows = 1
	}
	var lines []line
	if m.height >= 15 {
		mode := m.recordMark() + "read-only"
		switch {
		case m.player != nil:
			mode = "REPLAY"
		case m.opts.Write:
			mode = m.recordMark() + "WRITE"
		}
		right := "  " + m.now.UTC().Format("15:04:05Z") + "  " + mode
		lines = append(lines, spread(text(toneBold, "chatops  "+m.opts.Environment).plus(text(toneDim, "  "+m.opts.Host)), text(toneDim, right), m.width))
	}
	parts := strings.Split(wrap(m.player.mark()+string(level)+"  "+verdict, m.width), "\n")
	if len(parts) > rows {
		parts = parts[:rows]
		parts[rows-1] = ansi.Truncate(parts[rows-1]+" ...", m.width, "~")
	}
	for _, part := range parts {
		lines = append(lines, line{{part, t}})
	}
	return lines
}

// verdict is the situation in words, and the key that leads to its worst part.
func (m *model) verdict() (chatops.Level, string) {
	s := m.situation()
	list := s.Findings()
	level, verdict := s.VerdictOf(list)
	if len(list) > 0 {
		at := slices.IndexFunc(m.panels, func(p panel) bool { return p.about == list[0].About })
		if at >= 0 {
			verdict = fmt.Sprintf("press %d: %s", at+1, verdict)
		}
	}
	return level, verdict
}

// foot is the notice, the question or the keys.
func (m *model) foot() []line {
	var lines []line
	if n := m.notice; n != nil {
		lines = append(lines, line{{n.text, n.tone}})
	}
	if m.prompt != nil {
		return append(lines, text(toneBold, m.prompt.label+" ").plus(text(toneNone, m.prompt.input.text+"_")))
	}
	if m.height < 8 {
		return lines
	}
	if m.player != nil {
		lines = append(lines, m.player.bar(m.width))
	}
	return append(lines, m.keyLine())
}

// oneLine is everything in one line, for a terminal that has no more.
func (m *model) oneLine() line {
	level, _ := m.situation().Verdict()
	s, t := m.player.mark()+string(level), toneNone
	for _, f := range m.feeds {
		state := f.state(m.now, m.opts.Refresh)
		if old := f.lookFunc != nil && (state == stateError || state == stateStale); old && t == toneNone {
			s, t = s+" "+state, toneBad
		}
	}
	p := &m.picture
	if q := p.queue; q != nil {
		s += fmt.Sprintf(" %d waiting %d failed", q.Total(chatops.AlertQueued, chatops.AlertPending), q.Total(chatops.AlertFailed))
	} else {
		s += " queue unknown"
	}
	if p.fleet != nil {
		open, denied := 0, int64(0)
		for _, name := range p.fleet.BreakerNames() {
			if state := p.fleet.Breaker(name).State; state != chatops.StateClosed && state != chatops.StateUnknown {
				open++
			}
		}
		for _, name := range p.fleet.LimitNames() {
			denied += p.fleet.Limit(name).Denied
		}
		s += fmt.Sprintf(" %d open %d denied/min", open, denied)
	}
	return text(t, s)
}

// panelHead is the line above a panel: its key, its name, its state and what says
// the most. What is not fresh is dimmed.
func (m *model) panelHead(at int, summary line, width int) line {
	p := &m.panels[at]
	f := m.feed(p.feed)
	left := text(toneBold, fmt.Sprintf("%d %s ", at+1, p.name))
	if !f.fresh(m.now, m.opts.Refresh) {
		summary = summary.in(toneDim)
	}
	return spread(left.plus(summary), m.feedState(f), width)
}

// feedHead is the line above a list.
func (m *model) feedHead(summary line, f *feed) line {
	return spread(summary, m.feedState(f), m.width)
}

// feedState is how a feed does, and how old what it told is.
func (m *model) feedState(f *feed) line {
	state := f.state(m.now, m.opts.Refresh)
	age := ""
	if !f.heardAt.IsZero() {
		age = " " + since(f.heardAt, m.now)
	}
	switch state {
	case stateLive:
		return line{{"  " + state + age, toneDim}}
	case stateError:
		return line{{"  " + state + age, toneBad}}
	}
	return line{{"  " + state + age, toneWarn}}
}

// scroll are the rows around the cursor, which is marked by a sign as well.
func (m *model) scroll(rows []row, room int) []line {
	s := m.top()
	from := max(0, min(s.cursor-room/2, len(rows)-room))
	fresh := true
	switch s.kind {
	case screenPanel:
		fresh = m.feed(m.panels[s.panel].feed).fresh(m.now, m.opts.Refresh)
	case screenAlerts:
		fresh = m.feed("alerts").fresh(m.now, m.opts.Refresh)
	case screenOverview, screenAlert, screenHelp:
	}
	var lines []line
	for i := from; i < min(len(rows), from+room); i++ {
		l := rows[i].line
		if !fresh {
			l = l.in(toneDim)
		}
		if i == s.cursor && rows[i].item.kind != itemNone {
			lines = append(lines, line{{"> ", toneBold}}.plus(l.in(toneCursor)))
			continue
		}
		lines = append(lines, line{{"  ", toneNone}}.plus(l))
	}
	if len(rows) == 0 && s.kind == screenAlerts && m.picture.alerts != nil {
		lines = append(lines, text(toneDim, "  no alerts match"))
	}
	return lines
}

// wrap breaks a text into lines of a width.
func wrap(s string, width int) string { return ansi.Wrap(s, max(width, 1), " ") }
