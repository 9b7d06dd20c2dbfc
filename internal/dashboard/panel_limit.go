package dashboard

import (
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// drawLimits shows each limit, who is refused most, and who is blocked.
func drawLimits(l *look) content {
	f := l.picture.fleet
	if f == nil {
		return unknown()
	}
	now := moment(f.Controls.Now, l.heardAt, l.now)
	rows := [][]piece{{{"limit", toneDim}, {"allowed/min", toneDim}, {"denied/min", toneDim}, {"", toneDim}, {"value", toneDim}}}
	items := []item{{}}
	var denied int64
	var clients [][]piece
	var clientItems []item
	for _, name := range f.LimitNames() {
		lim := f.Limit(name)
		denied += lim.Denied
		rows, items = append(rows, limitRow(&lim, l, now)), append(items, item{itemLimit, name})
		for _, d := range lim.TopDenied {
			clients = append(clients, []piece{{" " + d.Client, toneWarn}, {"", toneNone}, {strconv.FormatInt(d.Count, 10), toneWarn}, {"", toneNone}, {"refused by " + name, toneNone}})
			clientItems = append(clientItems, item{itemClient, d.Client})
		}
	}
	rows, items = append(rows, clients...), append(items, clientItems...)
	for i := range f.Controls.Blocks {
		b := &f.Controls.Blocks[i]
		rows = append(rows, []piece{{" " + b.Network, toneBold}, {"", toneNone}, {"", toneNone}, {"", toneNone}, {blockWords(b, now), toneNone}})
		items = append(items, item{itemBlock, b.Network})
	}
	c := content{summary: limitSummary(l, denied)}
	if n := len(f.Controls.Blocks); n > 0 {
		c.summary = c.summary.plus(text(toneNone, fmt.Sprintf(", %d blocked", n)))
	}
	columns := []column{{}, {right: true}, {right: true}, {}, {flex: true}}
	c.rows = rowsOf(table(columns, rows, l.width), items)
	return c
}

// limitSummary is what is denied in all, and where is counted.
func limitSummary(l *look, denied int64) line {
	live := chatops.Live(l.picture.fleet.Replicas)
	if len(live) == 0 {
		return text(toneWarn, "unknown: no replica reports")
	}
	local := 0
	for i := range live {
		if live[i].Report.Limiter.Backend != "redis" {
			local++
		}
	}
	s := line{{strconv.FormatInt(denied, 10) + " denied/min", toneIf(denied > 0, toneWarn)}}
	switch {
	case l.redis == nil:
		return s.plus(text(toneNone, ", counted by each replica"))
	case l.redis.err != "":
		return s.plus(text(toneBad, ", redis ERROR"))
	case local > 0:
		return s.plus(text(toneWarn, fmt.Sprintf(", %d/%d without redis", local, len(live))))
	}
	return s.plus(text(toneNone, ", counted in redis"))
}

func limitRow(lim *chatops.FleetLimit, l *look, now time.Time) []piece {
	value, t := lim.Value, toneNone
	fresh, same := lim.Agreeing()
	allowed, denied := piece{strconv.FormatInt(lim.Allowed, 10), toneNone}, piece{strconv.FormatInt(lim.Denied, 10), toneIf(lim.Denied > 0, toneBad)}
	switch {
	case fresh == 0: // nobody counts: that is not 0
		allowed, denied = piece{"-", toneDim}, piece{"-", toneDim}
		if value == "" {
			value, t = "unknown", toneDim
		}
	case same < fresh:
		value += fmt.Sprintf(" (%d/%d replicas)", same, fresh)
	}
	if o := lim.Override; o != nil {
		left := "until unset"
		if !o.Until.IsZero() {
			left = chatops.Span(o.Until.Sub(now).Truncate(time.Second)) + " left"
		}
		value, t = words(value+" override by "+o.Actor, left, o.Reason), toneWarn
	}
	return []piece{{lim.Name, toneNone}, allowed, denied, {spark(l.picture.denials[lim.Name], 8, l.ascii), toneDim}, {value, t}}
}

func blockWords(b *chatops.ClientBlock, now time.Time) string {
	left := "until unblocked"
	if !b.Until.IsZero() {
		left = chatops.Span(b.Until.Sub(now).Truncate(time.Second)) + " left"
	}
	return words("blocked by "+b.Actor, left, b.Reason)
}
