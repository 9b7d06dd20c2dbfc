package dashboard

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// trendWindow is what rates are measured over, trendPoints how many looks a
// sparkline shows.
const (
	trendWindow = time.Minute
	trendPoints = 30
)

// sample is the queue at one look.
type sample struct {
	at                        time.Time // by the database's clock
	total, delivered, waiting int64
}

// trend is the queue over the last minute or so.
type trend struct{ samples []sample }

// add takes a look at the queue in.
func (t *trend) add(s *chatops.QueueStats) {
	next := sample{
		at: s.Now, total: s.Total(chatops.AlertStatuses()...), delivered: s.Total(chatops.AlertDelivered),
		waiting: s.Total(chatops.AlertQueued, chatops.AlertPending),
	}
	if n := len(t.samples); n > 0 && !next.at.After(t.samples[n-1].at) {
		return
	}
	t.samples = append(t.samples, next)
	if over := len(t.samples) - 10*trendPoints; over > 0 {
		t.samples = t.samples[over:]
	}
}

// recent are the samples of the last minute.
func (t *trend) recent() []sample {
	if len(t.samples) == 0 {
		return nil
	}
	from := t.samples[len(t.samples)-1].at.Add(-trendWindow)
	for i := range t.samples {
		if !t.samples[i].at.Before(from) {
			return t.samples[i:]
		}
	}
	return nil
}

// rate is a change in a minute; known only after two looks.
type rate struct {
	perMinute float64
	known     bool
	rough     bool // measured over less than half of the window
}

func (r rate) String() string {
	switch {
	case !r.known:
		return "unknown"
	case r.rough:
		return fmt.Sprintf("~%.0f/min", r.perMinute)
	}
	return fmt.Sprintf("%.0f/min", r.perMinute)
}

// rateOf measures a change. What shrinks by clean-up is no change backwards when
// onlyUp is set.
func (t *trend) rateOf(valueFunc func(*sample) int64, onlyUp bool) rate {
	list := t.recent()
	if len(list) < 2 {
		return rate{}
	}
	var sum int64
	for i := 1; i < len(list); i++ {
		step := valueFunc(&list[i]) - valueFunc(&list[i-1])
		if step > 0 || !onlyUp {
			sum += step
		}
	}
	took := list[len(list)-1].at.Sub(list[0].at)
	return rate{perMinute: float64(sum) * float64(time.Minute) / float64(took), known: true, rough: took < trendWindow/2}
}

func (t *trend) arrivals() rate   { return t.rateOf(totalOf, true) }
func (t *trend) deliveries() rate { return t.rateOf(deliveredOf, true) }

// growth is how the waiting alerts change in a minute; nil while not known.
func (t *trend) growth() *float64 {
	r := t.rateOf(func(s *sample) int64 { return s.waiting }, false)
	if !r.known {
		return nil
	}
	return &r.perMinute
}

func totalOf(s *sample) int64     { return s.total }
func deliveredOf(s *sample) int64 { return s.delivered }

// steps are the changes from look to look, for a sparkline.
func (t *trend) steps(valueFunc func(*sample) int64) []int64 {
	var steps []int64
	for i := max(1, len(t.samples)-trendPoints); i < len(t.samples); i++ {
		steps = append(steps, max(0, valueFunc(&t.samples[i])-valueFunc(&t.samples[i-1])))
	}
	return steps
}

// Bars of a sparkline, from none to full.
var (
	barsBlock = []rune("▁▂▃▄▅▆▇█")
	barsASCII = []rune("_.-=+*#@")
)

// spark draws the last values, at most width of them.
func spark(values []int64, width int, ascii bool) string {
	bars := barsBlock
	if ascii {
		bars = barsASCII
	}
	values = values[max(0, len(values)-width):]
	var highest int64
	for _, v := range values {
		highest = max(highest, v)
	}
	drawn := make([]rune, len(values))
	for i, v := range values {
		level := 0
		if highest > 0 {
			level = int(v * int64(len(bars)-1) / highest)
			if v > 0 {
				level = max(level, 1) // a little is not nothing
			}
		}
		drawn[i] = bars[level]
	}
	return string(drawn)
}
