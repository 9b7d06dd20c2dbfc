package runbook

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// meter shows how far a long change is, on standard error: a bar on a terminal,
// a line now and then elsewhere.
type meter struct {
	env      *Env
	what     string
	total    int64
	bar      *progressbar.ProgressBar // nil without a terminal
	lastLine time.Time
}

// lineEvery is the pause between lines where there is no terminal, and
// watchedEvery where somebody looks at them all the same.
const (
	lineEvery    = 10 * time.Second
	watchedEvery = time.Second
)

func (e *Env) newMeter(what string, total int64) *meter {
	m := &meter{env: e, what: what, total: total, lastLine: e.NowFunc()}
	if e.ErrTTY && e.getenv("TERM") != "dumb" && total > 0 {
		m.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(e.Err),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(max(min(e.Width-50, 40), 5)),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(e.Width >= 60),
			progressbar.OptionClearOnFinish(),
		)
	}
	return m
}

// set tells how many are done.
func (m *meter) set(n int64) {
	if m.bar != nil {
		_ = m.bar.Set64(min(n, m.total))
		return
	}
	every := lineEvery
	if m.env.watched {
		every = watchedEvery
	}
	if now := m.env.NowFunc(); now.Sub(m.lastLine) >= every {
		m.lastLine = now
		m.env.notef("%s %d of %d", m.what, n, m.total)
	}
}

// finish removes the bar.
func (m *meter) finish() {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
}
