package chatops

import (
	"context"
	"time"
)

// GrowthWindow is the time over which the growth of the queue is measured.
const GrowthWindow = 5 * time.Minute

// QueueLimits say when the queue needs somebody. A zero limit never does.
type QueueLimits struct {
	Waiting int64         // more alerts than these wait
	Age     time.Duration // the oldest has waited for as long
	Growth  float64       // as many alerts a minute begin to wait and go on waiting
}

// QueueLoad is how much waits.
type QueueLoad struct {
	Waiting int64         // queued or pending
	Fresh   int64         // of these, created within GrowthWindow
	Oldest  time.Duration // how long the oldest has waited; 0: none waits
}

// PerMinute is by how many the waiting alerts grow in a minute.
func (l *QueueLoad) PerMinute() float64 { return float64(l.Fresh) / GrowthWindow.Minutes() }

// Crowded reports that too many wait.
func (q *QueueLimits) Crowded(l *QueueLoad) bool { return q.Waiting > 0 && l.Waiting > q.Waiting }

// Growing reports that too many are added.
func (q *QueueLimits) Growing(l *QueueLoad) bool { return q.Growth > 0 && l.PerMinute() >= q.Growth }

// Old reports that an alert has waited too long.
func (q *QueueLimits) Old(age time.Duration) bool { return q.Age > 0 && age >= q.Age }

// Exceeded reports that any limit is passed.
func (q *QueueLimits) Exceeded(l *QueueLoad) bool {
	return q.Crowded(l) || q.Growing(l) || q.Old(l.Oldest)
}

// Relaxed reports that every limit is kept with a fifth to spare: only then is an
// alarm over, so that a queue at its limit does not raise it again and again.
func (q *QueueLimits) Relaxed(l *QueueLoad) bool {
	spare := QueueLimits{Waiting: q.Waiting * 4 / 5, Age: q.Age * 4 / 5, Growth: q.Growth * 4 / 5}
	return !q.Exceeded(l) && (q.Waiting == 0 || l.Waiting <= spare.Waiting) && !spare.Growing(l) && !spare.Old(l.Oldest)
}

// QueueReader is what has to be read to know how much waits.
type QueueReader interface {
	QueueStats(ctx context.Context) (*QueueStats, error)
	CountAlerts(ctx context.Context, f AlertFilter) (int64, error)
}

// ReadQueueLoad reads how much waits, and the moment by the database's clock.
func ReadQueueLoad(ctx context.Context, r QueueReader) (load *QueueLoad, now time.Time, err error) {
	stats, err := r.QueueStats(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	waiting := []AlertStatus{AlertQueued, AlertPending}
	fresh, err := r.CountAlerts(ctx, AlertFilter{Statuses: waiting, Since: stats.Now.Add(-GrowthWindow)})
	if err != nil {
		return nil, time.Time{}, err
	}
	load = &QueueLoad{Waiting: stats.Total(waiting...), Fresh: fresh}
	if !stats.OldestWaiting.IsZero() {
		load.Oldest = max(stats.Now.Sub(stats.OldestWaiting), 0)
	}
	return load, stats.Now, nil
}
