package dashboard

import (
	"cmp"
	"slices"
	"strconv"

	"chatops/internal/chatops"
)

// drawQueue shows the queue by type and status, how old it is and where it goes.
func drawQueue(l *look) content {
	s := l.picture.queue
	if s == nil {
		return unknown()
	}
	now := moment(s.Now, l.heardAt, l.now)
	waiting, failed := s.Total(chatops.AlertQueued, chatops.AlertPending), s.Total(chatops.AlertFailed)
	c := content{summary: line{
		{strconv.FormatInt(waiting, 10) + " waiting", toneIf(waiting > 0, toneWarn)},
		{", ", toneNone},
		{strconv.FormatInt(failed, 10) + " failed", toneIf(failed > 0, toneBad)},
	}}
	if waiting > 0 {
		c.summary = c.summary.plus(text(toneNone, ", oldest "+since(s.OldestWaiting, now)))
	}
	t := &l.picture.trend
	flow := line{{"in " + t.arrivals().String(), toneNone}, {" " + spark(t.steps(totalOf), 12, l.ascii), toneDim},
		{"  out " + t.deliveries().String(), toneNone}, {" " + spark(t.steps(deliveredOf), 12, l.ascii), toneDim}}
	c.rows = append(c.rows, row{line: flow}, row{line: line{
		{"oldest waiting " + since(s.OldestWaiting, now) + ", failed " + since(s.OldestFailed, now), toneNone},
	}})
	lines, items := queueTable(s, l.width)
	c.rows = append(c.rows, rowsOf(lines, items)...)
	return c
}

func toneIf(yes bool, t tone) tone {
	if yes {
		return t
	}
	return toneNone
}

// queueTable is a line for each type, the one with most trouble first, below the
// totals.
func queueTable(s *chatops.QueueStats, width int) ([]line, []item) {
	statuses := chatops.AlertStatuses()
	if width < 70 {
		statuses = statuses[:4]
	}
	byType := map[string]map[chatops.AlertStatus]int64{}
	for _, c := range s.Counts {
		if byType[c.EventType] == nil {
			byType[c.EventType] = map[chatops.AlertStatus]int64{}
		}
		byType[c.EventType][c.Status] += c.Count
	}
	types := make([]string, 0, len(byType))
	for name := range byType {
		types = append(types, name)
	}
	trouble := func(name string) int64 {
		n := byType[name]
		return n[chatops.AlertQueued] + n[chatops.AlertPending] + n[chatops.AlertFailed]
	}
	slices.SortFunc(types, func(a, b string) int { return cmp.Or(cmp.Compare(trouble(b), trouble(a)), cmp.Compare(a, b)) })
	columns := []column{{flex: true}}
	head, total := []piece{{"type", toneDim}}, []piece{{"total", toneBold}}
	for _, status := range statuses {
		columns = append(columns, column{right: true})
		head = append(head, piece{string(status), toneDim})
		total = append(total, countPiece(status, s.Total(status)))
	}
	rows := [][]piece{head, total}
	items := []item{{}, {itemQueue, ""}}
	for _, name := range types {
		cells := []piece{{name, toneNone}}
		for _, status := range statuses {
			cells = append(cells, countPiece(status, byType[name][status]))
		}
		rows, items = append(rows, cells), append(items, item{itemQueue, name})
	}
	return table(columns, rows, width), items
}

func countPiece(status chatops.AlertStatus, n int64) piece {
	p := piece{strconv.FormatInt(n, 10), toneNone}
	switch {
	case n == 0:
		p.tone = toneDim
	case status == chatops.AlertFailed:
		p.tone = toneBad
	case status == chatops.AlertPending || status == chatops.AlertQueued:
		p.tone = toneWarn
	}
	return p
}
