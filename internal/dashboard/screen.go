package dashboard

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// screenKind is what a screen shows.
type screenKind int

// The kinds of screen.
const (
	screenOverview screenKind = iota
	screenPanel               // one panel, whole
	screenAlerts              // a list of alerts
	screenAlert               // one alert
	screenHelp
)

// screen is something that is shown, and where the reader is in it.
type screen struct {
	kind   screenKind
	panel  int // of screenPanel
	cursor int
	chosen item   // what the cursor is on, which it follows when rows move
	search string // of a panel: only rows that contain it

	title   string // of screenAlerts: what the list is of
	filter  chatops.AlertFilter
	typed   string // the filter as it was typed
	after   chatops.AlertCursor
	order   int // of alertOrders
	marked  map[int64]bool
	alertID int64
}

func (m *model) top() *screen { return &m.screens[len(m.screens)-1] }

// open shows a screen above the present one.
func (m *model) open(s screen) tea.Cmd {
	m.screens = append(m.screens, s)
	return m.attend()
}

// back leaves a screen.
func (m *model) back() tea.Cmd {
	if len(m.screens) == 1 {
		return nil
	}
	m.screens = m.screens[:len(m.screens)-1]
	return m.attend()
}

// attend lets the feeds of lists and alerts ask for what the screen shows, and
// rest when it shows none.
func (m *model) attend() tea.Cmd {
	s := m.top()
	var page, one lookFunc
	switch s.kind {
	case screenAlerts:
		page = lookAtAlerts(m.opts.Store, s.filter, s.after)
	case screenAlert:
		one = lookAtAlert(m.opts.Store, s.alertID)
	case screenOverview, screenPanel, screenHelp:
	}
	m.picture.alerts, m.picture.detail = nil, nil
	return tea.Batch(m.redirect(m.feed("alerts"), page), m.redirect(m.feed("alert"), one))
}

func lookAtAlerts(store Store, f chatops.AlertFilter, after chatops.AlertCursor) lookFunc {
	return func(ctx context.Context) (answer, error) {
		alerts, next, err := store.Alerts(ctx, f, after, alertsPage)
		return answer{alerts: &alertPage{alerts: alerts, next: next}}, err
	}
}

func lookAtAlert(store Store, id int64) lookFunc {
	return func(ctx context.Context) (answer, error) {
		alert, attempts, err := store.Alert(ctx, id)
		return answer{detail: &alertDetail{alert, attempts}}, err
	}
}

// unhappy are the alerts that need somebody.
var unhappy = []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed}

// enter goes into what the cursor is on.
func (m *model) enter() tea.Cmd {
	it := m.chosen()
	switch it.kind {
	case itemQueue:
		s := screen{kind: screenAlerts, title: "all types", filter: chatops.AlertFilter{Statuses: unhappy}}
		if it.id != "" {
			s.title, s.filter.Types = it.id, []string{it.id}
		}
		return m.open(s)
	case itemCause:
		f := chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}, Fingerprint: it.id}
		return m.open(screen{kind: screenAlerts, title: "cause " + cmp.Or(it.id, noCause), filter: f})
	case itemAlert:
		return m.open(screen{kind: screenAlert, alertID: alertID(it)})
	case itemNone, itemBreaker, itemLimit, itemClient, itemBlock, itemJob:
	}
	return nil
}

// chosen is what the cursor is on; nothing on screens without a cursor.
func (m *model) chosen() item {
	rows := m.rows()
	if s := m.top(); s.cursor < len(rows) {
		return rows[s.cursor].item
	}
	return item{}
}

// rows are those of the screen that can be walked through.
func (m *model) rows() []row {
	switch s := m.top(); s.kind {
	case screenPanel:
		c := m.panels[s.panel].drawFunc(m.look(&m.panels[s.panel], m.width-2))
		return slices.DeleteFunc(c.rows, func(r row) bool {
			return s.search != "" && r.item.kind != itemNone && !strings.Contains(strings.ToLower(r.line.plain()), strings.ToLower(s.search))
		})
	case screenAlerts:
		return m.alertRows(m.width - 2)
	case screenOverview, screenAlert, screenHelp:
	}
	return nil
}

// settle keeps the cursor on what it was on when rows have moved.
func (m *model) settle() {
	s, rows := m.top(), m.rows()
	if s.chosen.kind != itemNone {
		if at := slices.IndexFunc(rows, func(r row) bool { return r.item == s.chosen }); at >= 0 {
			s.cursor = at
			return
		}
	}
	m.move(0)
}

// move walks the cursor by so many rows that can be chosen.
func (m *model) move(by int) {
	s, rows := m.top(), m.rows()
	if rows == nil {
		s.cursor = max(0, s.cursor+by)
		return
	}
	var able []int
	at := 0
	for i := range rows {
		if rows[i].item.kind != itemNone {
			if i <= s.cursor {
				at = len(able)
			}
			able = append(able, i)
		}
	}
	if len(able) == 0 {
		s.cursor = max(0, min(s.cursor+by, len(rows)-1))
		return
	}
	s.cursor = able[max(0, min(at+by, len(able)-1))]
	s.chosen = rows[s.cursor].item
}

// look is what a panel draws from.
func (m *model) look(p *panel, width int) *look {
	return &look{
		picture: &m.picture, now: m.now, heardAt: m.feed(p.feed).heardAt, width: width, ascii: m.opts.ASCII, redis: m.feed("redis"),
	}
}
