package sqlite

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimeColumn_ReadsWhatOthersWrite(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
	for stored, want := range map[any]time.Time{
		"2026-03-01 10:20:30.000000":       want,
		"2026-03-01 10:20:30.123456":       want.Add(123456 * time.Microsecond),
		"2026-03-01 10:20:30.123":          want.Add(123 * time.Millisecond),
		"2026-03-01 10:20:30":              want,
		"2026-03-01T10:20:30Z":             want,
		"2026-03-01T12:20:30.5+02:00":      want.Add(500 * time.Millisecond),
		"2026-03-01T10:20:30":              want,
		"2026-03-01":                       want.Truncate(24 * time.Hour),
		nil:                                {},
		"":                                 {},
		want.In(time.FixedZone("x", 3600)): want,
	} {
		got := time.Unix(1, 0)
		if err := (timeColumn{&got}).Scan(stored); err != nil || got != want {
			t.Errorf("%v: %v, %v; want %v", stored, got, err, want)
		}
	}
	for _, stored := range []any{"yesterday", int64(5), "2026-13-01 10:20:30"} {
		var got time.Time
		if err := (timeColumn{&got}).Scan(stored); err == nil {
			t.Errorf("%v was read as %v", stored, got)
		}
	}
}

func TestStamp_SortsLikeTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) time.Time {
			micros := rapid.Int64Range(0, 4_000_000_000_000_000).Draw(t, name)
			return time.UnixMicro(micros).In(time.FixedZone("zone", rapid.IntRange(-12, 14).Draw(t, "zone")*3600))
		}
		a, b := draw("a"), draw("b")
		if a.Before(b) != (stamp(a) < stamp(b)) {
			t.Fatalf("%v is stored as %s and %v as %s", a, stamp(a), b, stamp(b))
		}
		var back time.Time
		if err := (timeColumn{&back}).Scan(stamp(a)); err != nil || !back.Equal(a) {
			t.Fatalf("%v came back as %v (%v)", a, back, err)
		}
	})
}
