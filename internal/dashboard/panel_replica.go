package dashboard

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// drawReplicas shows who serves, and who has stopped reporting.
func drawReplicas(l *look) content {
	f := l.picture.fleet
	if f == nil {
		return unknown()
	}
	live := len(chatops.Live(f.Replicas))
	c := content{summary: line{{fmt.Sprintf("%d live", live), toneGood}}}
	if live == 0 {
		c.summary = text(toneBad, "no replica reports: is chatops serve running?")
	}
	if gone := len(f.Replicas) - live; gone > 0 {
		c.summary = c.summary.plus(text(toneBad, fmt.Sprintf(", %d stale", gone)))
	}
	elapsed := l.now.Sub(l.heardAt)
	rows := [][]piece{{{"replica", toneDim}, {"state", toneDim}, {"heard", toneDim}, {"up", toneDim}, {"limits in", toneDim}, {"orders", toneDim}, {"version", toneDim}}}
	for i := range f.Replicas {
		r := &f.Replicas[i]
		state, t, orders := "live", toneGood, "obeyed"
		if r.Revision < f.Controls.Revision {
			orders = "behind"
		}
		if r.Stale() {
			state, t, orders = "stale", toneBad, "-"
		}
		backend := r.Report.Limiter.Backend
		if !r.Report.Limiter.Enabled {
			backend = "off"
		}
		rows = append(rows, []piece{
			{r.Name, toneNone}, {state, t}, {chatops.Span((r.Age + elapsed).Truncate(time.Second)) + " ago", toneNone},
			{since(r.StartedAt, moment(f.Controls.Now, l.heardAt, l.now)), toneNone}, {backend, toneNone}, {orders, toneIf(orders == "behind", toneWarn)}, {r.Version, toneNone},
		})
	}
	if len(f.Replicas) > 0 {
		c.rows = rowsOf(table([]column{{}, {}, {right: true}, {right: true}, {}, {}, {flex: true}}, rows, l.width), nil)
	}
	return c
}
