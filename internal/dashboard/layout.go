package dashboard

import "strconv"

// Sizes from which the overview has two columns.
const (
	wideWidth  = 110
	wideHeight = 28
)

// overview draws every panel: in two columns where there is room, otherwise one
// below the other. A panel that has no room for its rows still has the line that
// says the most.
func (m *model) overview(room int) []line {
	if m.width >= wideWidth && m.height >= wideHeight {
		left, right := (m.width-3)/2, m.width-3-(m.width-3)/2
		return beside(m.stack([]int{0, 1, 4}, left, room), m.stack([]int{2, 3, 5}, right, room), left)
	}
	return m.stack([]int{0, 1, 2, 3, 4, 5}, m.width, room)
}

// stack draws panels below each other. Each has its head; the rest of the lines
// is given out in turn, so that the first panels get theirs first.
func (m *model) stack(order []int, width, room int) []line {
	drawn := make([]content, len(order))
	for i, at := range order {
		drawn[i] = m.panels[at].drawFunc(m.look(&m.panels[at], width-2))
	}
	shares := share(drawn, room-len(order))
	var lines []line
	for i, at := range order {
		lines = append(lines, m.panelHead(at, drawn[i].summary, width))
		f := m.feed(m.panels[at].feed)
		rows := first(drawn[i].rows, shares[i])
		for n, r := range rows {
			l := r.line
			if !f.fresh(m.now, m.opts.Refresh) {
				l = l.in(toneDim)
			}
			if left := len(drawn[i].rows) - len(rows); n == len(rows)-1 && left > 1 {
				l = more(l, left, width-2)
			}
			lines = append(lines, line{{"  ", toneNone}}.plus(l).fit(width))
		}
	}
	return lines[:min(len(lines), max(room, 0))]
}

// first are the first so many rows. Where there is room for two or fewer, they are
// not spent on the names of columns.
func first(rows []row, n int) []row {
	if n <= 2 && n < len(rows) && n > 0 && rows[0].head {
		return rows[1 : n+1]
	}
	return rows[:n]
}

// more marks the last row that fits with how many do not.
func more(l line, left, width int) line {
	return spread(l.fit(width-10), text(toneDim, " +"+strconv.Itoa(left)+" more"), width)
}

// share gives lines out to panels: in rounds, to each panel that wants more, the
// earlier ones twice as much.
func share(drawn []content, lines int) []int {
	shares := make([]int, len(drawn))
	for progress := true; progress && lines > 0; {
		progress = false
		for i := range drawn {
			portion := 1
			if i < 2 {
				portion = 2
			}
			portion = min(portion, len(drawn[i].rows)-shares[i], lines)
			if portion > 0 {
				shares[i] += portion
				lines -= portion
				progress = true
			}
		}
	}
	return shares
}

// beside puts two columns next to each other.
func beside(left, right []line, width int) []line {
	lines := make([]line, max(len(left), len(right)))
	for i := range lines {
		var l, r line
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = l.fit(width).plus(line{{" | ", toneDim}}).plus(r)
	}
	return lines
}
