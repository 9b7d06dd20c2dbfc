package runbook

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestParseMoment_ReadsDurationsDatesAndTimes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Time{
		"90m":                       noon.Add(-90 * time.Minute),
		"24h":                       noon.Add(-24 * time.Hour),
		"7d":                        noon.AddDate(0, 0, -7),
		"2w":                        noon.AddDate(0, 0, -14),
		"1d12h":                     noon.Add(-36 * time.Hour),
		"1.5h":                      noon.Add(-90 * time.Minute),
		"2026-03-01":                time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-03-01T08:30:00Z":      time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
		"2026-03-01T08:30:00+01:00": time.Date(2026, 3, 1, 7, 30, 0, 0, time.UTC),
		"2026-03-01T08:30":          time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
		"":                          {},
	} {
		got, err := parseMoment("since", in, noon)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q gives %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestParseMoment_RejectsTheRestByNameAndForms(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"yesterday", "2026-02-30", "2026-13-01", "-5m", "0s", "5", "5x", "m", "9999999999999d", "1e9h", "24 h", "2026-03-01T25:00:00Z", " "} {
		_, err := parseMoment("since", in, noon)
		if chatops.ErrorCode(err) != chatops.CodeUsage {
			t.Errorf("%q: %v, want a usage error", in, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, `--since "`+in+`"`) || !strings.Contains(text, "90m, 24h, 7d") {
			t.Errorf("%q: the error %q does not name the value and the forms", in, text)
		}
	}
}

func TestParseDuration_SumsItsParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, h, m := rapid.IntRange(0, 9999).Draw(t, "d"), rapid.IntRange(0, 99).Draw(t, "h"), rapid.IntRange(1, 99).Draw(t, "m")
		want := time.Duration(d)*24*time.Hour + time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
		text := strings.Join([]string{itoa(d), "d", itoa(h), "h", itoa(m), "m"}, "")
		if got, ok := parseDuration(text); !ok || got != want {
			t.Fatalf("%s gives %s, %t; want %s", text, got, ok, want)
		}
	})
}

func FuzzParseMoment_GivesATimeOrAUsageError(f *testing.F) {
	for _, s := range []string{"90m", "7d", "2026-03-01", "2026-03-01T08:30:00Z", "yesterday", "1d1d1d", "0.0001ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseMoment("since", text, noon)
		if err != nil && (chatops.ErrorCode(err) != chatops.CodeUsage || !at.IsZero()) {
			t.Fatalf("%q gives %v, %v", text, at, err)
		}
		if err == nil && text != "" && (at.Year() < 1 || at.Location() != time.UTC) {
			t.Fatalf("%q gives %v", text, at)
		}
	})
}
