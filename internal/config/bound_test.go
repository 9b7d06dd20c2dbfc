package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// boundsOf are the bounds of a number, and the least that is between two.
func boundsOf(t *testing.T, f *Field) (low, high, step float64) {
	t.Helper()
	low, errLow := strconv.ParseFloat(f.min, 64)
	high, errHigh := strconv.ParseFloat(f.max, 64)
	if errLow != nil || errHigh != nil || low >= high {
		t.Fatalf("%s has the bounds %q and %q", f.Env, f.min, f.max)
	}
	if _, fractions := f.isNumber(); fractions {
		return low, high, 0.0005
	}
	return low, high, 1
}

// valueOf is what a setting holds, as a text.
func valueOf(f *Field, c *Config) string {
	return fmt.Sprintf("%#v", reflect.ValueOf(c).Elem().Field(f.index).Interface())
}

func numberText(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func TestNumbers_AreTakenUpToTheirBoundsAndNotBeyond(t *testing.T) {
	t.Parallel()
	for _, f := range Fields() {
		if number, _ := f.isNumber(); !number {
			continue
		}
		low, high, step := boundsOf(t, &f)
		for _, n := range []float64{low, low + step, high - step, high} {
			if !f.set(new(Config), numberText(n)) {
				t.Errorf("%s refuses %s", f.Env, numberText(n))
			}
		}
		for _, n := range []float64{low - step, high + step, -high, high * 10} {
			if n >= low && n <= high {
				continue
			}
			if f.set(new(Config), numberText(n)) {
				t.Errorf("%s takes %s", f.Env, numberText(n))
			}
		}
	}
}

// A value that is refused leaves what was there.
func TestSet_OfABadValue_ChangesNothing(t *testing.T) {
	t.Parallel()
	good := map[string]string{}
	for _, f := range Fields() {
		if f.Default != "" {
			good[f.Env] = f.Default
		}
	}
	for _, f := range Fields() {
		if good[f.Env] == "" {
			continue
		}
		var before, after Config
		f.set(&before, good[f.Env])
		f.set(&after, good[f.Env])
		if f.set(&after, "no\x00thing") {
			t.Errorf("%s takes a text with a zero byte", f.Env)
		}
		if got, want := valueOf(&f, &after), valueOf(&f, &before); got != want {
			t.Errorf("%s was %s and is %s after a bad value", f.Env, want, got)
		}
	}
}

func TestWords_AreTakenInAnyCaseAndKeptAsTheyAreDocumented(t *testing.T) {
	t.Parallel()
	for _, f := range Fields() {
		for _, word := range f.oneof {
			for _, typed := range []string{word, strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:]} {
				v, ok := f.parse(typed)
				if !ok || v != word {
					t.Errorf("%s: %q is %v, %t; want %q", f.Env, typed, v, ok, word)
				}
			}
			for _, typed := range []string{" " + word, word + " ", word + "s", word[1:]} {
				if _, ok := f.parse(typed); ok {
					t.Errorf("%s takes %q", f.Env, typed)
				}
			}
		}
	}
}

func TestBools_AreReadInTheWordsOfPeople(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"true": true, "TRUE": true, "1": true, "yes": true, "Yes": true, "on": true, "ON": true,
		"false": false, "False": false, "0": false, "no": false, "NO": false, "off": false,
	} {
		if got, ok := parseBool(text); !ok || got != want {
			t.Errorf("%q is %v, %t; want %t", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "t", "f", "y", "n", "2", "-1", "01", "true ", " no", "tak", "enabled", "none"} {
		if got, ok := parseBool(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestSplitList_IsWithoutBlanksAndEmptyItems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" , ,", nil},
		{"a", []string{"a"}},
		{"a,b", []string{"a", "b"}},
		{" a , b ,", []string{"a", "b"}},
		{"a b,c", []string{"a b", "c"}},
	} {
		got := splitList(tt.text)
		if strings.Join(got, "|") != strings.Join(tt.want, "|") || len(got) != len(tt.want) {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab ,]{0,20}`).Draw(t, "text")
		for _, item := range splitList(text) {
			if item == "" || item != strings.TrimSpace(item) || strings.Contains(item, ",") {
				t.Fatalf("%q holds the item %q", text, item)
			}
		}
	})
}

// Whatever is written: what a setting takes it takes again as it is shown, unless
// it hides some of it.
func TestParse_OfAnyText_NeverPanicsAndIsTheSameTwice(t *testing.T) {
	t.Parallel()
	fields := Fields()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9=:/@.,; %+-]{0,30}`))
	rapid.Check(t, func(t *rapid.T) {
		f := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "setting")]
		typed := text.Draw(t, "text")
		var one, two Config
		if f.set(&one, typed) != f.set(&two, typed) {
			t.Fatalf("%s takes %q only once", f.Env, typed)
		}
		if got, want := valueOf(&f, &one), valueOf(&f, &two); got != want {
			t.Fatalf("%s of %q is %s and then %s", f.Env, typed, want, got)
		}
		if shown := f.show(typed); f.Secret && len(typed) >= 4 && f.kind == typeSecret && shown != redacted {
			t.Fatalf("%s shows %q", f.Env, shown)
		}
	})
}

func TestProblem_IsWordedInOneLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		problem Problem
		want    string
	}{
		{
			problem: Problem{Key: "PORT", Value: "many", Origin: "environment", Expected: "must be a number"},
			want:    `PORT is "many" (environment): must be a number`,
		},
		{
			problem: Problem{Key: "PORT", Origin: "environment", Expected: "is set twice"},
			want:    "PORT (environment): is set twice",
		},
		{
			problem: Problem{Key: "MONDAY_BOARD_ID", Expected: "is needed because MONDAY_API_KEY is set"},
			want:    "MONDAY_BOARD_ID: is needed because MONDAY_API_KEY is set",
		},
		{
			problem: Problem{Key: "LISTEN", Value: "a\nb\x1b", Origin: "--listen", Expected: "must be an address"},
			want:    `LISTEN is "a\nb\x1b" (--listen): must be an address`,
		},
	} {
		if got := tt.problem.String(); got != tt.want {
			t.Errorf("%+v is worded %s, want %s", tt.problem, got, tt.want)
		}
	}
}

func TestProblems_AreListedInTheOrderOfTheSettings(t *testing.T) {
	t.Parallel()
	env := map[string]string{"WEBHOOKS": "crm", "PORT": "many", "DLQ_EDIT": "maybe", "DATABASE_URL": "db"}
	_, err := Load(sources(env, nil))
	var got []string
	for _, p := range problemsOf(t, err) {
		got = append(got, p.Key)
	}
	if want := "DATABASE_URL PORT DLQ_EDIT WEBHOOKS"; strings.Join(got, " ") != want {
		t.Errorf("the problems are of %v, want %s", got, want)
	}
	if n := strings.Count(err.Error(), "\n"); n != 3 {
		t.Errorf("four problems take %d line ends:\n%v", n, err)
	}
}

func TestProfile_IsCalledByItsLabelOrName(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Profile{
		"Production": {Name: "prod", Label: "Production"},
		"prod":       {Name: "prod"},
		"default":    {},
	} {
		if got := p.Title(); got != want {
			t.Errorf("%+v is called %q, want %q", p, got, want)
		}
	}
}

func TestHost_IsWhatAnAddressIsRecognisedBy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://u:p@db.example:5432/chatops":         "db.example:5432/chatops",
		"postgres://u:p@a:1,b:2/chatops?sslmode=require": "a:1,b:2/chatops",
		"postgres://u:p@/chatops?host=/run/postgresql":   "/run/postgresql/chatops",
		"sqlite://instance/chatbot.db":                   "instance/chatbot.db",
		"sqlite::memory:":                                ":memory:",
		"redis://:secret@cache.example:6379/":            "cache.example:6379",
		"https://llm.example/v1/?api_key=k":              "llm.example/v1",
		"no address":                                     "",
		"postgres://u:a/b@h/d":                           "",
		"":                                               "",
	} {
		if got := NewURL(text).Host(); got != want {
			t.Errorf("%q is recognised by %q, want %q", text, got, want)
		}
	}
}
