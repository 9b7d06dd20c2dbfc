package dashboard

import (
	"cmp"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// noCause is how alerts without a cause are called.
const noCause = "(cause unknown)"

// drawCauses shows why alerts wait or have failed.
func drawCauses(l *look) content {
	if l.picture.groups == nil {
		return unknown()
	}
	groups := l.picture.groups.Groups
	if len(groups) == 0 {
		return content{summary: text(toneGood, "none: nothing has failed")}
	}
	now := l.now
	if q := l.picture.queue; q != nil {
		now = moment(q.Now, l.heardAt, l.now)
	}
	first := &groups[0]
	c := content{summary: line{{wordCount(first) + " ", toneBad}, {chatops.Harmless(nameCause(first)), toneNone}}}
	if n := moreCauses(l.picture.groups); n != "" {
		c.summary = c.summary.plus(text(toneNone, ", "+n))
	}
	rows := [][]piece{{{"alerts", toneDim}, {"failed", toneDim}, {"first", toneDim}, {"last", toneDim}, {"target", toneDim}, {"cause", toneDim}}}
	items := []item{{}}
	for i := range groups {
		g := &groups[i]
		failed := countPiece(chatops.AlertFailed, g.Failed)
		if g.More && g.Failed == countTo {
			failed.text += "+"
		}
		rows = append(rows, []piece{
			{wordCount(g), toneWarn}, failed, {since(g.First, now), toneNone}, {since(g.Last, now), toneNone},
			{chatops.ShownTarget(g.Target), toneNone}, {nameCause(g), toneNone},
		})
		items = append(items, item{itemCause, g.Fingerprint})
	}
	columns := []column{{right: true}, {right: true}, {right: true}, {right: true}, {}, {flex: true}}
	if l.width < 70 { // the target is part of most causes
		for i := range rows {
			rows[i] = append(rows[i][:4:4], rows[i][5])
		}
		columns = append(columns[:4:4], columns[5])
	}
	c.rows = rowsOf(table(columns, rows, l.width), items)
	return c
}

// moreCauses says how many there are beside the first, and how many of them are
// shown where that is not all.
func moreCauses(g *chatops.AlertGroups) string {
	if g.Causes <= 1 {
		return ""
	}
	words := strconv.Itoa(g.Causes - 1)
	if g.More {
		words += "+"
	}
	words += " more"
	if g.Causes > len(g.Groups) {
		words += ", " + strconv.Itoa(len(g.Groups)) + " shown"
	}
	return words
}

// wordCount is how many alerts a cause has, as far as they were counted.
func wordCount(g *chatops.AlertGroup) string {
	n := strconv.FormatInt(g.Total(), 10)
	if g.More {
		n += "+"
	}
	return n
}

// nameCause is a cause in words: what the receiver said last.
func nameCause(g *chatops.AlertGroup) string {
	name := cmp.Or(g.Sample, g.Fingerprint)
	if g.Fingerprint == "" {
		return strings.TrimSpace(name + " " + noCause)
	}
	return name
}
