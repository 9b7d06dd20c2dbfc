package ratelimit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestParse_ReadsTheUsualGrammar(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Limit{
		"30 per minute":                  {{30, time.Minute}},
		"10/second":                      {{10, time.Second}},
		" 10 / Seconds ":                 {{10, time.Second}},
		"200 per hour":                   {{200, time.Hour}},
		"1 PER 2 DAYS":                   {{1, 48 * time.Hour}},
		"5 per 10 minutes":               {{5, 10 * time.Minute}},
		"5/10minutes":                    {{5, 10 * time.Minute}},
		"30 per 1 minute":                {{30, time.Minute}},
		"200 per hour;50 per minute":     {{200, time.Hour}, {50, time.Minute}},
		"200 per hour ; 50 per minute ;": {{200, time.Hour}, {50, time.Minute}},
		"200 per hour, 50 per minute":    {{200, time.Hour}, {50, time.Minute}},
		"100000 per 31 days":             {{100000, 31 * 24 * time.Hour}},
	} {
		got, err := Parse(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParse_NamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	for text, named := range map[string]string{
		"":                                 `""`,
		" ; ":                              `" ; "`,
		"many per minute":                  `"many per minute"`,
		"30":                               `"30"`,
		"30 minute":                        `"30 minute"`,
		"30perminute":                      `"30perminute"`,
		"0 per minute":                     `"0 per minute"`,
		"-1 per minute":                    `"-1 per minute"`,
		"1.5 per minute":                   `"1.5 per minute"`,
		"5 per 0 minutes":                  `"5 per 0 minutes"`,
		"5 per month":                      `"5 per month"`,
		"5 per minute;6 per":               `"6 per"`,
		"100001 per day":                   `"100001 per day"`,
		"1 per 32 days":                    `"1 per 32 days"`,
		"99999999999999999999 per day":     `"99999999999999999999 per day"`,
		"1 per 99999999999999999999 days":  `"1 per 99999999999999999999 days"`,
		strings.Repeat("1 per second;", 9): "1 to 8",
	} {
		_, err := Parse(text)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), named) || !strings.Contains(err.Error(), "30 per minute") {
			t.Errorf("%q: %v, want the name %s and an example", text, err, named)
		}
	}
}

func TestString_IsReadAsTheSameLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := drawLimit(t, MaxCount, 31*24*3600)
		got, err := Parse(limit.String())
		if err != nil || !slices.Equal(got, limit) {
			t.Fatalf("%v is written %q and read %v, %v", []Rule(limit), limit.String(), []Rule(got), err)
		}
	})
	if got := (Limit{{30, time.Minute}, {5, 36 * time.Hour}}).String(); got != "30 per minute;5 per 36 hours" {
		t.Errorf("written %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"30 per minute", "10/second;200 per hour", "5 per 10 minutes", "x", ";;", "1 per"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limit, err := Parse(text)
		if err != nil {
			if chatops.ErrorCode(err) != chatops.CodeInvalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := Parse(limit.String())
		if err != nil || !slices.Equal(again, limit) {
			t.Fatalf("%q is %v and again %v, %v", text, limit, again, err)
		}
		for _, r := range limit {
			if r.Count < 1 || r.Count > MaxCount || r.Window < time.Second || r.Window > MaxWindow {
				t.Fatalf("%q allows %v", text, r)
			}
		}
	})
}

func drawLimit(t *rapid.T, count, seconds int) Limit {
	rule := rapid.Custom(func(t *rapid.T) Rule {
		return Rule{
			Count:  rapid.IntRange(1, count).Draw(t, "count"),
			Window: time.Duration(rapid.IntRange(1, seconds).Draw(t, "seconds")) * time.Second,
		}
	})
	return rapid.SliceOfN(rule, 1, 3).Draw(t, "limit")
}
