package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// alertOrder is a way of sorting the page of the list that is shown.
type alertOrder struct {
	name        string
	compareFunc func(a, b *chatops.Alert) int
}

// alertOrders are the ways of sorting; the first is that of the store.
func alertOrders() []alertOrder {
	return []alertOrder{
		{"newest first", func(*chatops.Alert, *chatops.Alert) int { return 0 }},
		{"oldest first", func(a, b *chatops.Alert) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		}},
		{"most retries first", func(a, b *chatops.Alert) int { return cmp.Compare(b.RetryCount, a.RetryCount) }},
		{"by status", func(a, b *chatops.Alert) int { return cmp.Compare(a.Status, b.Status) }},
		{"by target", func(a, b *chatops.Alert) int { return cmp.Compare(a.Target, b.Target) }},
	}
}

// alertRows are the rows of the list.
func (m *model) alertRows(width int) []row {
	page := m.picture.alerts
	if page == nil {
		return []row{}
	}
	s := m.top()
	alerts := make([]*chatops.Alert, len(page.alerts))
	for i := range page.alerts {
		alerts[i] = &page.alerts[i]
	}
	slices.SortStableFunc(alerts, alertOrders()[s.order].compareFunc)
	now := m.now
	if q := m.picture.queue; q != nil {
		now = moment(q.Now, m.feed("queue").heardAt, m.now)
	}
	cells := [][]piece{{{"", toneDim}, {"id", toneDim}, {"status", toneDim}, {"tries", toneDim}, {"age", toneDim}, {"target", toneDim}, {"error", toneDim}}}
	items := []item{{}}
	for _, a := range alerts {
		mark := ""
		if s.marked[a.ID] {
			mark = "*"
		}
		id := strconv.FormatInt(a.ID, 10)
		cells = append(cells, []piece{
			{mark, toneBold}, {id, toneNone}, {string(a.Status), statusTone(a.Status)}, {fmt.Sprintf("%d/%d", a.RetryCount, m.opts.MaxRetries), toneNone},
			{since(a.CreatedAt, now), toneNone}, {chatops.ShownTarget(a.Target), toneNone}, {a.ErrorMessage, toneNone},
		})
		items = append(items, item{itemAlert, id})
	}
	columns := []column{{}, {right: true}, {}, {right: true}, {right: true}, {}, {flex: true}}
	return rowsOf(table(columns, cells, width), items)
}

func statusTone(s chatops.AlertStatus) tone {
	switch s {
	case chatops.AlertFailed:
		return toneBad
	case chatops.AlertPending, chatops.AlertQueued:
		return toneWarn
	case chatops.AlertDelivered:
		return toneGood
	case chatops.AlertDiscarded, chatops.AlertCancelled:
	}
	return toneDim
}

// alertsSummary says what the list is of.
func (m *model) alertsSummary() line {
	s, page := m.top(), m.picture.alerts
	title := "alerts: " + s.title
	if s.typed != "" {
		title += " /" + s.typed
	}
	if page == nil {
		return text(toneNone, title+": ").plus(text(toneWarn, "unknown"))
	}
	shown := fmt.Sprintf(": %d", len(page.alerts))
	if page.next != nil || s.after != (chatops.AlertCursor{}) {
		shown += " on this page"
	}
	if n := len(s.marked); n > 0 {
		shown += fmt.Sprintf(", %d marked", n)
	}
	return text(toneNone, title+shown+", "+alertOrders()[s.order].name)
}

// detailLines show one alert with every attempt.
func (m *model) detailLines(width int) []line {
	d := m.picture.detail
	if d == nil {
		return []line{text(toneWarn, "unknown")}
	}
	a := d.alert
	stamp := "2006-01-02 15:04:05Z"
	lines := []line{}
	add := func(name, value string, t tone) {
		if value != "" {
			lines = append(lines, text(toneDim, fmt.Sprintf("%-12s ", name)).plus(text(t, value)))
		}
	}
	add("id", strconv.FormatInt(a.ID, 10), toneBold)
	add("status", string(a.Status), statusTone(a.Status))
	add("type", a.EventType, toneNone)
	add("target", chatops.ShownTarget(a.Target), toneNone)
	add("retries", fmt.Sprintf("%d/%d", a.RetryCount, m.opts.MaxRetries), toneNone)
	add("error", a.ErrorMessage, toneBad)
	add("cause", a.Fingerprint, toneNone)
	add("created", a.CreatedAt.UTC().Format(stamp), toneNone)
	if a.Status == chatops.AlertQueued || a.Status == chatops.AlertPending {
		add("next attempt", a.NextAttemptAt.UTC().Format(stamp), toneNone)
	}
	if !a.DeliveredAt.IsZero() {
		add("delivered", a.DeliveredAt.UTC().Format(stamp), toneNone)
	}
	add("operation", a.OperationID, toneNone)
	rows := [][]piece{{{"attempt", toneDim}, {"took", toneDim}, {"outcome", toneDim}, {"http", toneDim}, {"replica", toneDim}, {"error", toneDim}}}
	for i := range d.attempts {
		t := &d.attempts[i]
		status := ""
		if t.HTTPStatus != 0 {
			status = strconv.Itoa(t.HTTPStatus)
		}
		rows = append(rows, []piece{
			{t.StartedAt.UTC().Format(stamp), toneNone}, {t.Duration.Round(1e6).String(), toneNone}, {t.Outcome, toneNone}, {status, toneNone}, {t.Replica, toneDim}, {t.Error, toneNone},
		})
	}
	if len(d.attempts) == 0 {
		lines = append(lines, text(toneDim, "no attempt yet"))
	} else {
		lines = append(lines, table([]column{{}, {right: true}, {}, {}, {}, {flex: true}}, rows, width)...)
	}
	lines = append(lines, text(toneDim, "payload"))
	for part := range strings.SplitSeq(wrap(chatops.Harmless(string(a.Payload)), width), "\n") {
		lines = append(lines, line{{part, toneNone}})
	}
	return lines
}

// parseFilter reads what was typed after /: words such as status=failed and
// type=slack_alert, and the rest as text of the error.
func parseFilter(base chatops.AlertFilter, typed string) chatops.AlertFilter {
	var rest []string
	for word := range strings.FieldsSeq(typed) {
		name, value, found := strings.Cut(word, "=")
		values := strings.Split(value, ",")
		switch {
		case found && name == "status":
			base.Statuses = nil
			for _, v := range values {
				base.Statuses = append(base.Statuses, chatops.AlertStatus(v))
			}
			if value == "all" {
				base.Statuses = nil
			}
		case found && name == "type":
			base.Types = values
		case found && name == "target":
			base.Targets = values
		case found && name == "cause":
			base.Fingerprint = value
		default:
			rest = append(rest, word)
		}
	}
	base.Error = strings.Join(rest, " ")
	return base
}
