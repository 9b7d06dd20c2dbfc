package dashboard

import (
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// drawBreakers shows each breaker, and each replica of those that are not closed.
func drawBreakers(l *look) content {
	f := l.picture.fleet
	if f == nil {
		return unknown()
	}
	now := moment(f.Controls.Now, l.heardAt, l.now)
	head := []piece{{"breaker", toneDim}, {"state", toneDim}, {"fails", toneDim}, {"since", toneDim}, {"probe", toneDim}, {"replicas", toneDim}, {"why", toneDim}}
	var bad, good [][]piece
	var badItems, goodItems []item
	summary := ""
	closed := 0
	for _, name := range f.BreakerNames() {
		b := f.Breaker(name)
		it := item{itemBreaker, name}
		if b.State == chatops.StateClosed || b.State == chatops.StateUnknown {
			if b.State == chatops.StateClosed {
				closed++
			}
			good, goodItems = append(good, breakerRow(&b, now)), append(goodItems, it)
			continue
		}
		fresh, same, _ := b.Reporting()
		summary = words(summary, fmt.Sprintf("%s %s %d/%d", name, wordState(b.State), same, fresh))
		bad, badItems = append(bad, breakerRow(&b, now)), append(badItems, it)
		for i := range b.Replicas {
			bad, badItems = append(bad, replicaBreakerRow(&b.Replicas[i], now)), append(badItems, it)
		}
	}
	c := content{summary: text(toneBad, summary)}
	if summary == "" && closed > 0 {
		c.summary = text(toneGood, "closed: all "+strconv.Itoa(closed)+" that report")
	} else if summary == "" {
		c.summary = text(toneWarn, "unknown: no replica reports")
	}
	columns := []column{{}, {}, {right: true}, {right: true}, {right: true}, {}, {flex: true}}
	rows := append(append([][]piece{head}, bad...), good...)
	items := append(append([]item{{}}, badItems...), goodItems...)
	c.rows = rowsOf(table(columns, rows, l.width), items)
	return c
}

func breakerRow(b *chatops.FleetBreaker, now time.Time) []piece {
	fresh, same, _ := b.Reporting()
	fails, replicas, why := "-", "none", b.Reason
	if b.FailCount != nil {
		fails = fmt.Sprintf("%d/%d", *b.FailCount, *b.FailMax)
		replicas = fmt.Sprintf("%d/%d", same, fresh)
	}
	if o := b.Order; o != nil && o.Mode == chatops.BreakerTripped {
		why = words("by "+o.Actor, o.Reason)
	}
	opened, probe := since(b.OpenedAt, now), until(b.RetryAt, now)
	if b.State == chatops.StateForced && b.RetryAt.IsZero() {
		probe = "when told"
	}
	return []piece{{b.Name, toneNone}, {wordState(b.State), stateTone(b.State)}, {fails, toneNone}, {opened, toneNone}, {probe, toneNone}, {replicas, toneNone}, {why, toneNone}}
}

// replicaBreakerRow is what one replica says of a breaker that is not closed.
func replicaBreakerRow(r *chatops.ReplicaBreaker, now time.Time) []piece {
	state, t := wordState(r.State), stateTone(r.State)
	opened, probe := since(r.OpenedAt, now), until(r.RetryAt, now)
	if r.Instance.Stale() { // what it said last is no news of today
		state, t, opened, probe = "stale", toneDim, "-", "-"
	}
	return []piece{{" " + r.Instance.Name, toneDim}, {state, t}, {strconv.Itoa(r.FailCount), toneDim}, {opened, toneDim}, {probe, toneDim}, {"", toneNone}, {r.Reason, toneDim}}
}

func wordState(state string) string {
	switch state {
	case chatops.StateHalfOpen:
		return "half open"
	case chatops.StateForced:
		return "tripped"
	}
	return state
}

func stateTone(state string) tone {
	switch state {
	case chatops.StateClosed:
		return toneGood
	case chatops.StateOpen, chatops.StateForced:
		return toneBad
	}
	return toneWarn
}
