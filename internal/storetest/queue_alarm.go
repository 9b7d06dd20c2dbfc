package storetest

import (
	"reflect"
	"time"

	"chatops/internal/chatops"
)

func queueAlarmCases() []testCase {
	return []testCase{
		{"QueueAlarm_OfANewInstallation_IsNotRaised", alarmNew},
		{"SaveQueueAlarm_KeepsEverything", alarmKept},
		{"SaveQueueAlarm_OfAnOlderOne_ConflictsAndQueuesNothing", alarmConflict},
		{"SaveQueueAlarm_QueuesAKeyOnce", alarmOnce},
	}
}

func (e *env) alarm() *chatops.QueueAlarm {
	e.t.Helper()
	a, err := e.store.QueueAlarm(e.ctx)
	e.must(err)
	return a
}

func alarmNew(e *env) {
	if a := e.alarm(); a.Raised() || a.Acknowledged() || a.Revision != 0 {
		e.t.Fatalf("the alarm is %+v", a)
	}
}

func alarmKept(e *env) {
	at := e.clock.Peek().UTC().Truncate(time.Second)
	a := e.alarm()
	want := chatops.QueueAlarm{
		RaisedAt: at, Waiting: 1 << 40, Oldest: 90*time.Minute + time.Microsecond, Told: 3,
		AckAt: at.Add(time.Minute), AckBy: "ewa", AckReason: "Zgłoszone „dostawcy”", Revision: a.Revision,
	}
	*a = want
	e.must(e.store.SaveQueueAlarm(e.ctx, a, nil))
	want.Revision++
	if got := e.alarm(); *a != want || !reflect.DeepEqual(*got, want) {
		e.t.Fatalf("stored\n%+v, want\n%+v", got, want)
	}
	*a = chatops.QueueAlarm{Revision: a.Revision}
	e.must(e.store.SaveQueueAlarm(e.ctx, a, nil))
	if got := e.alarm(); got.Raised() || got.AckBy != "" || got.Revision != want.Revision+1 {
		e.t.Fatalf("once it is over it is %+v", got)
	}
}

func alarmConflict(e *env) {
	first, second := e.alarm(), e.alarm()
	first.RaisedAt = e.clock.Peek()
	e.must(e.store.SaveQueueAlarm(e.ctx, first, nil))
	second.RaisedAt = e.clock.Peek()
	err := e.store.SaveQueueAlarm(e.ctx, second, []chatops.NewAlert{newAlert(slackLane, "queue:1")})
	e.wantCode(err, chatops.CodeConflict)
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); n != 0 {
		e.t.Fatalf("%d alerts were queued all the same", n)
	}
	err = e.store.SaveQueueAlarm(e.ctx, first, []chatops.NewAlert{{EventType: "x"}})
	e.wantCode(err, chatops.CodeInvalid)
}

func alarmOnce(e *env) {
	a := e.alarm()
	for range 2 {
		a.Told++
		e.must(e.store.SaveQueueAlarm(e.ctx, a, []chatops.NewAlert{newAlert(slackLane, "queue:1")}))
	}
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); n != 1 || e.alarm().Told != 2 {
		e.t.Fatalf("%d alerts, the alarm is %+v", n, e.alarm())
	}
}
