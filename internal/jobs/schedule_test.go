package jobs

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t rapid.TB, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04:05 -0700", text, warsaw())
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestDaily_KnowsTheDaysTheClockIsChanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, now, slot, next string
		schedule              Schedule
	}{
		{"a winter day", "2026-01-15 12:00:00 +0100", "2026-01-15 03:30:00 +0100", "2026-01-16 03:30:00 +0100", Daily(3, 30)},
		{"a summer day", "2026-07-15 01:00:00 +0200", "2026-07-14 03:30:00 +0200", "2026-07-15 03:30:00 +0200", Daily(3, 30)},
		{"on the slot", "2026-07-15 03:30:00 +0200", "2026-07-15 03:30:00 +0200", "2026-07-16 03:30:00 +0200", Daily(3, 30)},
		{"new year", "2026-12-31 23:59:59 +0100", "2026-12-31 00:00:00 +0100", "2027-01-01 00:00:00 +0100", Daily(0, 0)},
		{"before the skipped hour", "2026-03-29 01:59:59 +0100", "2026-03-28 02:30:00 +0100", "2026-03-29 03:00:00 +0200", Daily(2, 30)},
		{"after the skipped hour", "2026-03-29 03:00:00 +0200", "2026-03-29 03:00:00 +0200", "2026-03-30 02:30:00 +0200", Daily(2, 30)},
		{"the gap's end itself", "2026-03-29 03:00:00 +0200", "2026-03-29 03:00:00 +0200", "2026-03-30 03:00:00 +0200", Daily(3, 0)},
		{"the first 02:30 of two", "2026-10-25 02:30:00 +0200", "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100", Daily(2, 30)},
		{"the second 02:30 of two", "2026-10-25 02:30:00 +0100", "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100", Daily(2, 30)},
		{"before the hour that comes twice", "2026-10-25 01:30:00 +0200", "2026-10-24 02:30:00 +0200", "2026-10-25 02:30:00 +0200", Daily(2, 30)},
		{"the day after", "2026-10-26 02:29:59 +0100", "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100", Daily(2, 30)},
	} {
		now, slot, next := at(t, c.now), at(t, c.slot), at(t, c.next)
		if got := c.schedule.Slot(now); !got.Equal(slot) {
			t.Errorf("%s: the slot of %s is %v, want %v", c.name, c.now, got, slot)
		}
		if got := c.schedule.Next(now); !got.Equal(next) {
			t.Errorf("%s: the slot after %s is %v, want %v", c.name, c.now, got, next)
		}
	}
}

// moments around the changes of the clock, and anywhere else.
func moments() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		year := rapid.IntRange(2000, 2036).Draw(t, "year")
		switch rapid.IntRange(0, 2).Draw(t, "where") {
		case 0:
			return change(year, time.March).Add(time.Duration(rapid.Int64Range(-50*3600e9, 50*3600e9).Draw(t, "from spring")))
		case 1:
			return change(year, time.October).Add(time.Duration(rapid.Int64Range(-50*3600e9, 50*3600e9).Draw(t, "from autumn")))
		}
		return time.UnixMicro(rapid.Int64Range(9e14, 21e14).Draw(t, "µs")).UTC()
	})
}

// change is when the clock is changed in a month: the last Sunday, at 01:00 UTC.
func change(year int, month time.Month) time.Time {
	last := time.Date(year, month+1, 0, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

func schedules() *rapid.Generator[Schedule] {
	return rapid.Custom(func(t *rapid.T) Schedule {
		if rapid.Bool().Draw(t, "daily") {
			return Daily(rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"))
		}
		return Every(time.Duration(rapid.Int64Range(1, 48*3600e3).Draw(t, "ms")) * time.Millisecond)
	})
}

// TestSchedule_HasNoMomentWithoutASlotAndNoSlotTwice: slots lie in order without
// gaps, and every moment belongs to exactly one.
func TestSchedule_HasNoMomentWithoutASlotAndNoSlotTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, now := schedules().Draw(t, "schedule"), moments().Draw(t, "now")
		slot, next := s.Slot(now), s.Next(now)
		if slot.After(now) || !next.After(now) {
			t.Fatalf("%s: %v is not in [%v, %v)", s, now, slot, next)
		}
		if !s.Slot(slot).Equal(slot) || !s.Next(slot).Equal(next) || !s.Slot(next).Equal(next) ||
			!s.Slot(next.Add(-time.Microsecond)).Equal(slot) {
			t.Fatalf("%s: slots %v and %v of %v are not neighbours", s, slot, next, now)
		}
		if gap := next.Sub(slot); s.daily && (gap < 23*time.Hour || gap > 25*time.Hour) || !s.daily && gap != s.every {
			t.Fatalf("%s: %v lie between two slots", s, gap)
		}
	})
}

// TestDaily_RunsOnceOnEveryDayOfTheCalendar walks from slot to slot: no day is
// left out or has two, and the wall clock shows the time unless it skips it.
func TestDaily_RunsOnceOnEveryDayOfTheCalendar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		s, slot := Daily(hour, minute), moments().Draw(t, "start")
		slot = s.Slot(slot)
		day := slot.In(warsaw())
		want := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
		for range 10 {
			slot, want = s.Next(slot), want.AddDate(0, 0, 1)
			local := slot.In(warsaw())
			if local.Day() != want.Day() || local.Month() != want.Month() {
				t.Fatalf("%s: %v follows the slot of the day before %v", s, local, want)
			}
			skipped := slot.Equal(change(local.Year(), time.March)) && hour == 2
			if (local.Hour() != hour || local.Minute() != minute) && !skipped {
				t.Fatalf("%s: a slot at %v", s, local)
			}
			if first := slot.Add(-time.Hour).In(warsaw()); first.Hour() == hour && first.Minute() == minute && first.Day() == local.Day() {
				t.Fatalf("%s: %v is the second time of the day, after %v", s, local, first)
			}
		}
	})
}

func TestEvery_IsCountedFrom1970SoThatHostsAgree(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 34, 56, 789_000_000, time.FixedZone("elsewhere", 5*3600))
	for interval, want := range map[time.Duration]string{
		time.Minute:      "2026-03-01T07:34:00Z",
		10 * time.Minute: "2026-03-01T07:30:00Z",
		24 * time.Hour:   "2026-03-01T00:00:00Z",
		time.Second:      "2026-03-01T07:34:56Z",
	} {
		if got := Every(interval).Slot(now).Format(time.RFC3339Nano); got != want {
			t.Errorf("every %v: slot %s, want %s", interval, got, want)
		}
	}
}

func TestSchedule_SaysWhenItIs(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Schedule{
		"daily at 03:05 Europe/Warsaw": Daily(3, 5), "every 1m30s": Every(90 * time.Second), "every 0s": {},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
