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
	rows := [][]piece{{{"limit", toneDim}, {"allowed", toneDim}, {"denied", toneDim}, {"in a minute", toneDim}, {"value", toneDim}}}
	var below [][]row // each limit
	var denied int64
	names := f.LimitNames()
	for _, name := range names {
		lim := f.Limit(name)
		denied += lim.Denied
		rows, below = append(rows, limitRow(&lim, l)), append(below, limitDetails(&lim, now))
	}
	c := content{summary: limitSummary(l, denied)}
	lines := table([]column{{}, {right: true}, {right: true}, {}, {flex: true}}, rows, l.width)
	c.rows = []row{{line: lines[0], head: true}}
	for i, name := range names {
		c.rows = append(append(c.rows, row{line: lines[i+1], item: item{itemLimit, name}}), below[i]...)
	}
	for i := range f.Controls.Blocks {
		b := &f.Controls.Blocks[i]
		c.rows = append(c.rows, row{line: text(toneBold, b.Network+" ").plus(text(toneNone, blockWords(b, now))), item: item{itemBlock, b.Network}})
	}
	if n := len(f.Controls.Blocks); n > 0 {
		c.summary = c.summary.plus(text(toneNone, fmt.Sprintf(", %d blocked", n)))
	}
	return c
}

// limitDetails are the override of a limit, and whom it refuses most.
func limitDetails(lim *chatops.FleetLimit, now time.Time) []row {
	var rows []row
	if o := lim.Override; o != nil {
		left := "until unset"
		if !o.Until.IsZero() {
			left = chatops.Span(o.Until.Sub(now).Truncate(time.Second)) + " left"
		}
		word := "override by "
		if lim.Source != "override" || lim.Value != o.Value {
			word = "not obeyed yet: " + o.Value + " by "
		}
		rows = append(rows, row{line: text(toneWarn, "  "+words(word+o.Actor, left, o.Reason)), item: item{itemLimit, lim.Name}})
	}
	for _, d := range lim.TopDenied {
		rows = append(rows, row{line: text(toneWarn, fmt.Sprintf("  %s refused %d in a minute", d.Client, d.Count)), item: item{itemClient, d.Client}})
	}
	return rows
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

func limitRow(lim *chatops.FleetLimit, l *look) []piece {
	fresh, same := lim.Agreeing()
	if fresh == 0 { // nobody counts: that is not 0
		value := lim.Value
		if value == "" {
			value = "unknown"
		}
		return []piece{{lim.Name, toneNone}, {"-", toneDim}, {"-", toneDim}, {"", toneDim}, {value, toneDim}}
	}
	value := lim.Value
	if same < fresh {
		value += fmt.Sprintf(" (%d/%d replicas)", same, fresh)
	}
	return []piece{
		{lim.Name, toneNone}, {strconv.FormatInt(lim.Allowed, 10), toneNone}, {strconv.FormatInt(lim.Denied, 10), toneIf(lim.Denied > 0, toneBad)},
		{spark(l.picture.denials[lim.Name], 11, l.ascii), toneDim}, {value, toneNone},
	}
}

func blockWords(b *chatops.ClientBlock, now time.Time) string {
	left := "until unblocked"
	if !b.Until.IsZero() {
		left = chatops.Span(b.Until.Sub(now).Truncate(time.Second)) + " left"
	}
	return words("blocked by "+b.Actor, left, b.Reason)
}
