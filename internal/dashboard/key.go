package dashboard

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// binding is what a key does. Help, the line at the foot and the keys themselves
// are all made from the same list.
type binding struct {
	keys    []string
	label   string // how the key is called
	help    string
	screens []screenKind // where it works; none: everywhere
	kinds   []itemKind   // what the cursor has to be on; none: anything
	write   bool         // it changes something
	foot    bool         // worth a place at the foot
	replay  bool         // of a record that is played
	alerts  []screenKind // where it needs single alerts, which a record does not hold
	runFunc func(*model) tea.Cmd
}

var (
	lists   = []screenKind{screenPanel, screenAlerts}
	walks   = []screenKind{screenPanel, screenAlerts, screenAlert, screenHelp}
	filters = []screenKind{screenOverview, screenAlerts}
	entered = []itemKind{itemQueue, itemCause, itemAlert}
)

// bindings are all keys. The first one that fits is taken.
func bindings() []binding {
	return slices.Concat(walking(), replaying(), changing(), []binding{
		{keys: []string{"/"}, label: "/", help: "filter: text, or status= type= target= cause=", screens: append(lists, screenOverview), alerts: filters, foot: true, runFunc: (*model).askFilter},
		{keys: []string{"o"}, label: "o", help: "order the list otherwise", screens: []screenKind{screenAlerts}, foot: true, runFunc: (*model).reorder},
		{keys: []string{" "}, label: "space", help: "mark an alert, or unmark it", kinds: []itemKind{itemAlert}, screens: []screenKind{screenAlerts}, runFunc: (*model).mark},
		{keys: []string{"n"}, label: "n", help: "next page of the list", screens: []screenKind{screenAlerts}, runFunc: (*model).nextPage},
		{keys: []string{"c"}, label: "c", help: "copy the command that shows the same", runFunc: func(m *model) tea.Cmd { return m.copyText(commandLine(m.showing())) }},
		{keys: []string{"?"}, label: "?", help: "this help", foot: true, runFunc: func(m *model) tea.Cmd { return m.open(screen{kind: screenHelp}) }},
		{keys: []string{"q", "ctrl+c"}, label: "q", help: "quit", foot: true, runFunc: func(*model) tea.Cmd { return tea.Quit }},
	})
}

// walking are the keys that show other things.
func walking() []binding {
	list := []binding{
		{keys: []string{"esc", "backspace", "0"}, label: "esc", help: "back", screens: walks, foot: true, runFunc: (*model).back},
		{keys: []string{"up", "k"}, label: "up", help: "up", screens: walks, runFunc: walk(-1)},
		{keys: []string{"down", "j"}, label: "down", help: "down", screens: walks, runFunc: walk(1)},
		{keys: []string{"pgup"}, label: "pgup", help: "ten up", screens: walks, runFunc: walk(-10)},
		{keys: []string{"pgdown"}, label: "pgdn", help: "ten down", screens: walks, runFunc: walk(10)},
		{keys: []string{"home", "g"}, label: "home", help: "to the first", screens: walks, runFunc: walk(-1 << 20)},
		{keys: []string{"end", "G"}, label: "end", help: "to the last", screens: walks, runFunc: walk(1 << 20)},
		{keys: []string{"enter"}, label: "enter", help: "look into it", screens: lists, kinds: entered, alerts: lists, foot: true, runFunc: (*model).enter},
		{keys: []string{"enter"}, label: "enter", help: "go where the verdict points", screens: []screenKind{screenOverview}, runFunc: (*model).follow},
	}
	for i, p := range panels() {
		key := fmt.Sprint(i + 1)
		list = append(list, binding{keys: []string{key}, label: key, help: p.name, runFunc: func(m *model) tea.Cmd { return m.openPanel(i) }})
	}
	return list
}

func walk(by int) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd { m.move(by); return nil }
}

// openPanel shows one panel, from wherever one is.
func (m *model) openPanel(at int) tea.Cmd {
	m.screens = m.screens[:1]
	cmd := m.open(screen{kind: screenPanel, panel: at})
	m.move(0)
	return cmd
}

// follow opens the panel that the verdict points to.
func (m *model) follow() tea.Cmd {
	for _, f := range m.situation().Findings() {
		for i := range m.panels {
			if m.panels[i].about == f.About {
				return m.openPanel(i)
			}
		}
	}
	return m.openPanel(0)
}

// fits reports that a key does something here.
func (b *binding) fits(m *model) bool {
	return (!b.replay || m.player != nil) && (len(b.screens) == 0 || slices.Contains(b.screens, m.top().kind)) &&
		(len(b.kinds) == 0 || slices.Contains(b.kinds, m.subject().kind))
}

// subject is what an action is about: the alert that is shown, or what the cursor
// is on.
func (m *model) subject() item {
	if s := m.top(); s.kind == screenAlert {
		return item{itemAlert, fmt.Sprint(s.alertID)}
	}
	return m.chosen()
}

// key takes a key in, or several that came together, as they do over a slow line.
// What follows a key that asks for a change is dropped, so that nobody says yes to
// a question that they have not seen; and so is what is pasted.
func (m *model) key(msg tea.KeyMsg) tea.Cmd {
	switch {
	case m.modal != nil:
		return m.modalKey(msg)
	case m.prompt != nil:
		return m.promptKey(msg)
	case msg.Paste:
		return nil
	case len(msg.Runes) < 2:
		return m.oneKey(msg)
	}
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		if m.modal != nil {
			break
		}
		one := tea.KeyMsg{Type: msg.Type, Runes: []rune{r}, Alt: msg.Alt}
		if r == ' ' {
			one.Type = tea.KeySpace
		}
		cmds = append(cmds, m.key(one))
	}
	return tea.Batch(cmds...)
}

// oneKey takes a key in that is meant for the screen.
func (m *model) oneKey(msg tea.KeyMsg) tea.Cmd {
	list := bindings()
	for i := range list {
		b := &list[i]
		if !slices.Contains(b.keys, msg.String()) || !b.fits(m) {
			continue
		}
		if why := m.forbids(b); why != "" {
			m.notice = &notice{why, toneWarn}
			return nil
		}
		m.notice = nil
		return b.runFunc(m)
	}
	return nil
}

// forbids says why a key does nothing here; "" when it does something.
func (m *model) forbids(b *binding) string {
	switch {
	case b.write && m.player != nil:
		return "this is a record: nothing can be changed"
	case b.write && !m.opts.Write:
		return "read-only: nothing was changed; start with --write to allow it"
	case m.player != nil && slices.Contains(b.alerts, m.top().kind):
		return "a record holds no single alerts"
	}
	return ""
}

// keyLine are the keys that matter here.
func (m *model) keyLine() line {
	if m.modal != nil {
		return text(toneDim, m.modal.keys())
	}
	var parts []string
	if m.top().kind == screenOverview {
		parts = append(parts, "1-6 open a panel")
	}
	list := bindings()
	for i := range list {
		b := &list[i]
		if b.foot && b.fits(m) && m.forbids(b) == "" {
			help, _, _ := strings.Cut(b.help, ":")
			parts = append(parts, b.label+" "+help)
		}
	}
	return text(toneDim, strings.Join(parts, "  "))
}

// helpLines is the whole keymap.
func (m *model) helpLines() []line {
	lines := []line{text(toneBold, "keys"), {}}
	list := bindings()
	for i := range list {
		b := &list[i]
		if b.replay && m.player == nil || m.player != nil && (b.write || len(b.alerts) > 0 || slices.Equal(b.screens, onAlerts)) {
			continue
		}
		help := b.help
		if len(b.kinds) > 0 && b.write {
			help += " (" + joinKinds(b.kinds) + ")"
		}
		if b.write && !m.opts.Write {
			help += " [needs --write]"
		}
		lines = append(lines, text(toneBold, fmt.Sprintf("  %-6s ", b.label)).plus(text(toneNone, help)))
	}
	lines = append(lines, line{},
		text(toneNone, "live: fresh. slow: the source takes its time. STALE: older than three refreshes."),
		text(toneNone, "ERROR: the source fails; the numbers are the last ones, dimmed. unknown: not 0."),
		text(toneNone, "~: measured over less than half a minute. 200+: at least so many."))
	return lines
}

func joinKinds(kinds []itemKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, " or ")
}

// reorder sorts the list in the next way.
func (m *model) reorder() tea.Cmd {
	s := m.top()
	s.order = (s.order + 1) % len(alertOrders())
	m.settle()
	return nil
}

// mark marks the alert under the cursor, or unmarks it, and goes on.
func (m *model) mark() tea.Cmd {
	s := m.top()
	if s.marked == nil {
		s.marked = map[int64]bool{}
	}
	id := alertID(m.chosen())
	if s.marked[id] {
		delete(s.marked, id)
	} else {
		s.marked[id] = true
	}
	m.move(1)
	return nil
}

func (m *model) nextPage() tea.Cmd {
	page := m.picture.alerts
	if page == nil || page.next == nil {
		m.notice = &notice{"this is the last page", toneDim}
		return nil
	}
	next := *m.top()
	next.after, next.cursor, next.chosen = *page.next, 0, item{}
	return m.open(next)
}

// askFilter asks for a filter: of a panel's rows, or of alerts.
func (m *model) askFilter() tea.Cmd {
	s := m.top()
	if s.kind == screenPanel {
		m.ask("rows that contain", s.search, func(m *model, typed string) tea.Cmd {
			m.top().search = strings.TrimSpace(typed)
			m.move(0)
			return nil
		})
		return nil
	}
	m.ask("filter (text, status= type= target= cause=)", s.typed, func(m *model, typed string) tea.Cmd {
		base, title := chatops.AlertFilter{Statuses: unhappy}, "all types"
		if s := m.top(); s.kind == screenAlerts {
			base, title = s.filter, s.title
			m.screens = m.screens[:len(m.screens)-1]
		}
		return m.open(screen{kind: screenAlerts, title: title, filter: parseFilter(base, typed), typed: strings.TrimSpace(typed)})
	})
	return nil
}
