package chatops

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	alarmLimits = QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20}
	alarmStart  = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
)

func TestQueueAlarm_IsToldOnceUntilItDoublesOrComesBack(t *testing.T) {
	t.Parallel()
	a := &QueueAlarm{Revision: 7}
	ack := func() { a.Acknowledge(&QueueLoad{Waiting: 300}, "ewa", "ticket", alarmStart) }
	for i, step := range []struct {
		load          QueueLoad
		before        func()
		tell, changed bool
		raised        bool
	}{
		{load: QueueLoad{Waiting: 100}},
		{load: QueueLoad{Waiting: 101}, tell: true, changed: true, raised: true},
		{load: QueueLoad{Waiting: 150}, raised: true},
		{load: QueueLoad{Waiting: 201}, raised: true},
		{load: QueueLoad{Waiting: 202}, tell: true, changed: true, raised: true}, // doubled
		{load: QueueLoad{Waiting: 350}, raised: true, before: ack},
		{load: QueueLoad{Waiting: 599}, raised: true},
		{load: QueueLoad{Waiting: 600}, tell: true, changed: true, raised: true}, // since it was acknowledged
		{load: QueueLoad{Waiting: 90}, raised: true},                             // not over: too near
		{load: QueueLoad{Waiting: 80}, changed: true},
		{load: QueueLoad{Waiting: 80}},
		{load: QueueLoad{Waiting: 101}, tell: true, changed: true, raised: true}, // it is back
		{load: QueueLoad{Waiting: 101, Oldest: 15 * time.Minute}, raised: true},
		{load: QueueLoad{Waiting: 101, Oldest: 30 * time.Minute}, tell: true, changed: true, raised: true},
	} {
		if step.before != nil {
			step.before()
		}
		tell, changed := a.Judge(&step.load, &alarmLimits, alarmStart.Add(time.Duration(i)*time.Minute))
		if tell != step.tell || changed != step.changed || a.Raised() != step.raised || a.Revision != 7 {
			t.Fatalf("step %d, %+v: tell %t, changed %t, the alarm is %+v", i, step.load, tell, changed, a)
		}
	}
}

func TestQueueAlarm_AcknowledgedUntilItIsToldAgain(t *testing.T) {
	t.Parallel()
	a := &QueueAlarm{}
	if a.Acknowledged() {
		t.Error("an alarm that is not raised is acknowledged")
	}
	a.Judge(&QueueLoad{Waiting: 200}, &alarmLimits, alarmStart)
	a.Acknowledge(&QueueLoad{Waiting: 150, Oldest: time.Hour}, "ewa", "ticket", alarmStart)
	if !a.Acknowledged() || a.Waiting != 200 || a.Oldest != time.Hour || a.AckBy != "ewa" || a.AckReason != "ticket" {
		t.Errorf("acknowledged it is %+v", a)
	}
	a.Judge(&QueueLoad{Waiting: 400}, &alarmLimits, alarmStart)
	if a.Acknowledged() || a.Told != 2 || a.AckBy != "" {
		t.Errorf("told again it is %+v", a)
	}
}

// Whatever the queue does, mails are as many as doublings and returns at most.
func TestQueueAlarm_TellsSeldom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := &QueueAlarm{}
		told, episodes, most := 0, 0, int64(0)
		for i, n := range rapid.SliceOfN(rapid.Int64Range(0, 5000), 1, 60).Draw(t, "waiting") {
			was := a.Raised()
			tell, changed := a.Judge(&QueueLoad{Waiting: n}, &alarmLimits, alarmStart.Add(time.Duration(i)*time.Minute))
			switch {
			case tell && !changed:
				t.Fatal("it is told and not kept")
			case tell && !alarmLimits.Crowded(&QueueLoad{Waiting: n}):
				t.Fatalf("it is told at %d", n)
			case !a.Raised() && n > 100:
				t.Fatalf("nobody is told of %d", n)
			}
			if tell {
				told++
				if was && n < 2*most {
					t.Fatalf("it is told at %d although %d are known", n, most)
				}
				most = n
			}
			if a.Raised() && !was {
				episodes++
			}
		}
		if told > episodes*7 { // 101 doubles five times up to 5000
			t.Fatalf("%d mails in %d alarms", told, episodes)
		}
	})
}

func TestQueueLimits_WhatIsExceededIsNotRelaxed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := QueueLimits{
			Waiting: rapid.Int64Range(0, 1000).Draw(t, "limit"), Age: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "age limit")),
			Growth: float64(rapid.IntRange(0, 50).Draw(t, "growth limit")),
		}
		l := QueueLoad{
			Waiting: rapid.Int64Range(0, 2000).Draw(t, "waiting"), Fresh: rapid.Int64Range(0, 500).Draw(t, "fresh"),
			Oldest: time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "oldest")),
		}
		if q.Exceeded(&l) && q.Relaxed(&l) {
			t.Fatalf("%+v exceeds %+v and is relaxed", l, q)
		}
		if empty := (QueueLoad{}); !q.Relaxed(&empty) {
			t.Fatalf("an empty queue is not relaxed by %+v", q)
		}
	})
}
