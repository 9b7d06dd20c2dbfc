package chatops

import (
	"context"
	"time"
)

// QueueAlarm is what people were told of a queue that needs somebody. There is
// one: it is raised once, and again only after it was over, or when what waits
// has doubled.
type QueueAlarm struct {
	RaisedAt time.Time // zero: none is raised
	// Waiting and Oldest are what waited when people were told last, or said that
	// they know.
	Waiting int64
	Oldest  time.Duration
	Told    int // how often people were told since RaisedAt

	AckAt            time.Time // zero: nobody has said that they know
	AckBy, AckReason string

	Revision int64 // grows with every change; set by the store
}

// QueueAlarmStore keeps the alarm.
type QueueAlarmStore interface {
	// QueueAlarm returns the alarm; of a new installation none is raised.
	QueueAlarm(ctx context.Context) (*QueueAlarm, error)
	// SaveQueueAlarm stores what became of the alarm that was read, and queues
	// alerts, in one transaction, and sets its Revision. CodeConflict: somebody
	// else has changed it since, and nothing is stored.
	SaveQueueAlarm(ctx context.Context, a *QueueAlarm, alerts []NewAlert) error
}

// Raised reports whether people were told, and it is not over.
func (a *QueueAlarm) Raised() bool { return !a.RaisedAt.IsZero() }

// Acknowledged reports that somebody has said that they know.
func (a *QueueAlarm) Acknowledged() bool { return a.Raised() && !a.AckAt.IsZero() }

// Judge follows what waits. tell says that people have to be told; changed, that
// the alarm is another one now.
func (a *QueueAlarm) Judge(l *QueueLoad, q *QueueLimits, now time.Time) (tell, changed bool) {
	switch {
	case !a.Raised() && q.Exceeded(l):
		*a = QueueAlarm{RaisedAt: now, Waiting: l.Waiting, Oldest: l.Oldest, Told: 1, Revision: a.Revision}
		return true, true
	case !a.Raised():
		return false, false
	case q.Relaxed(l):
		*a = QueueAlarm{Revision: a.Revision}
		return false, true
	case a.doubled(l, q):
		a.Waiting, a.Oldest = l.Waiting, l.Oldest
		a.Told++
		a.AckAt, a.AckBy, a.AckReason = time.Time{}, "", ""
		return true, true
	}
	return false, false
}

// doubled reports that a limit which is passed is passed twice as far as people
// know.
func (a *QueueAlarm) doubled(l *QueueLoad, q *QueueLimits) bool {
	return (q.Crowded(l) || q.Growing(l)) && l.Waiting >= 2*max(a.Waiting, 1) ||
		q.Old(l.Oldest) && l.Oldest >= 2*max(a.Oldest, q.Age)
}

// Acknowledge says that somebody knows what waits now.
func (a *QueueAlarm) Acknowledge(l *QueueLoad, actor, reason string, now time.Time) {
	a.Waiting, a.Oldest = max(a.Waiting, l.Waiting), max(a.Oldest, l.Oldest)
	a.AckAt, a.AckBy, a.AckReason = now, actor, reason
}

// QueueAlarmChanged is the error of SaveQueueAlarm when somebody was faster.
func QueueAlarmChanged() error {
	return Errorf(CodeConflict, "alarm of the queue: somebody else has changed it: look again")
}
