package jobs

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // daily times are Warsaw's, on hosts without a zone database too
)

// Zone is where daily times are read from the wall clock.
const Zone = "Europe/Warsaw"

// warsaw is the zone; it is linked into the program, so it is always found.
var warsaw = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		panic(err)
	}
	return zone
})

// Schedule says when a job is due. Its moments are slots: each is run once. The
// zero Schedule has none.
type Schedule struct {
	every        time.Duration
	hour, minute int
	daily        bool
}

// Every is a slot each interval, counted from 1970 so that all hosts agree.
func Every(interval time.Duration) Schedule { return Schedule{every: interval} }

// Daily is a slot each day of Warsaw's calendar. A time that is skipped in
// spring is due at the end of the gap; one that comes twice in autumn is due the
// first time.
func Daily(hour, minute int) Schedule { return Schedule{hour: hour, minute: minute, daily: true} }

// Slot is the newest slot that is not after now.
func (s Schedule) Slot(now time.Time) time.Time {
	if !s.daily {
		return floor(now, s.every)
	}
	y, m, d := now.In(warsaw()).Date()
	slot := s.on(y, m, d)
	if slot.After(now) {
		slot = s.on(y, m, d-1)
	}
	return slot
}

// Next is the first slot after now.
func (s Schedule) Next(now time.Time) time.Time {
	if !s.daily {
		return floor(now, s.every).Add(s.every)
	}
	y, m, d := now.In(warsaw()).Date()
	slot := s.on(y, m, d)
	if !slot.After(now) {
		slot = s.on(y, m, d+1)
	}
	return slot
}

// String words the schedule.
func (s Schedule) String() string {
	if s.daily {
		return fmt.Sprintf("daily at %02d:%02d %s", s.hour, s.minute, Zone)
	}
	return "every " + s.every.String()
}

// valid reports whether the schedule has slots.
func (s Schedule) valid() bool {
	if s.daily {
		return s.hour >= 0 && s.hour < 24 && s.minute >= 0 && s.minute < 60
	}
	return s.every >= time.Millisecond
}

// floor is the newest multiple of an interval since 1970.
func floor(now time.Time, interval time.Duration) time.Time {
	since := now.UnixMicro()
	over := since % interval.Microseconds()
	if over < 0 {
		over += interval.Microseconds()
	}
	return time.UnixMicro(since - over).UTC()
}

// on is the slot of a day. The day may be out of its month's range.
func (s Schedule) on(year int, month time.Month, day int) time.Time {
	const aroundChange = 12 * time.Hour
	wall := time.Date(year, month, day, s.hour, s.minute, 0, 0, time.UTC)
	_, before := wall.Add(-aroundChange).In(warsaw()).Zone()
	_, after := wall.Add(aroundChange).In(warsaw()).Zone()
	first := wall.Add(-time.Duration(max(before, after)) * time.Second)
	for _, t := range []time.Time{first, wall.Add(-time.Duration(min(before, after)) * time.Second)} {
		local := t.In(warsaw())
		if local.Hour() == s.hour && local.Minute() == s.minute && local.Day() == wall.Day() {
			return t
		}
	}
	_, end := first.In(warsaw()).ZoneBounds()
	return end.UTC()
}
