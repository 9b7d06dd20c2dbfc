package runbook

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestParseRate_ReadsAlertsASecond(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"50": 50, "50/s": 50, "600/m": 10, "max": 0, "0.01": 0.01, "0.6/m": 0.01, "20000": 20000, "20000/s": 20000, "1200000/m": 20000, "2.5": 2.5,
	} {
		if got, err := parseRate("--rate", text); err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("%q is %v a second (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "0", "0/m", "-5", "5/h", "5/S", "5 /s", " 5", "5/s/s", "5/m/s", "1e3", "0x10", "1_000", "Inf", "NaN", "MAX", "max/s", "20001", "0.009", "0.5/m", "1200001/m", "5,5",
	} {
		_, err := parseRate("--rate", text)
		want := fmt.Sprintf("--rate %q: must be alerts a second such as 50, 50/s or 600/m, from 0.01 to 20000 a second, or max", text)
		if chatops.ErrorCode(err) != chatops.CodeUsage || chatops.ErrorMessage(err) != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestParseRate_IsTheInverseOfItsWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.01, 20000).Draw(t, "rate")
		got, err := parseRate("--rate", wordPerSecond(&rate))
		if err != nil || got != rate {
			t.Fatalf("%v is worded %s and read as %v (%v)", rate, wordPerSecond(&rate), got, err)
		}
	})
}

func TestParseRate_TakesNothingThatIsNoPace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+]?[0-9a-fxpEN_.]{0,6}(/[smh])?`)).Draw(t, "text")
		rate, err := parseRate("--rate", text)
		if err == nil && text != "max" && (rate < 0.01 || rate > 20000) {
			t.Fatalf("%q is taken for %v a second", text, rate)
		}
		if err != nil && chatops.ErrorCode(err) != chatops.CodeUsage {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func TestParsePercent_ReadsAShare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"0": 0, "0%": 0, "20": 0.2, "20%": 0.2, "12.5%": 0.125, "100": 1, "20 %": 0.2} {
		if got, err := parsePercent(text); err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "x", "-1", "101", "100.1%", "NaN", "Inf", "-Inf", "20%%", "1/5"} {
		_, err := parsePercent(text)
		want := fmt.Sprintf("--max-failures %q: must be a percentage from 0 to 100, such as 20", text)
		if chatops.ErrorMessage(err) != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestOperationView_WordsThePaceOfEachState(t *testing.T) {
	t.Parallel()
	pace := func(rate float64, canary int) *chatops.OperationPace {
		return &chatops.OperationPace{Rate: rate, Canary: canary, MaxFailures: 0.2}
	}
	for _, tt := range []struct {
		name      string
		op        chatops.Operation
		rate, why string
		eta       bool
	}{
		{"as fast as it can be stepped", chatops.Operation{State: chatops.OperationRunning, Reason: "back"}, "at once", "back", false},
		{"in its canary", chatops.Operation{State: chatops.OperationRunning, Pace: pace(50, 5)}, "canary of 5", "", true},
		{"on its ramp", chatops.Operation{State: chatops.OperationRunning, Pace: pace(50, 5), Run: chatops.OperationRun{Rate: 25}}, "25 of 50/s", "", true},
		{"above a rate that was lowered", chatops.Operation{State: chatops.OperationRunning, Pace: pace(2, 0), Run: chatops.OperationRun{Rate: 25}}, "2 of 2/s", "", true},
		{"without a limit", chatops.Operation{State: chatops.OperationRunning, Pace: pace(0, 0), Run: chatops.OperationRun{Rate: 100}}, "100 of no limit", "", true},
		{
			"waiting for a breaker", chatops.Operation{
				State: chatops.OperationRunning, Pace: pace(50, 5), Run: chatops.OperationRun{Waits: "breaker slack is open"}, Reason: "back",
			}, "canary of 5", "waits: breaker slack is open", false,
		},
		{"halted", chatops.Operation{State: chatops.OperationHalted, Pace: pace(50, 5), Note: "9 of 10 failed", Reason: "back"}, "canary of 5", "9 of 10 failed", false},
		{"paused", chatops.Operation{State: chatops.OperationPaused, Pace: pace(50, 0), Note: "break"}, "up to 50/s", "break", false},
		{"done", chatops.Operation{State: chatops.OperationDone, Pace: pace(0, 5), Run: chatops.OperationRun{Rate: 100}}, "up to no limit", "", false},
		{"cancelled", chatops.Operation{State: chatops.OperationCancelled, Pace: pace(0.5, 5), Note: "wrong filter"}, "up to 0.5/s", "wrong filter", false},
	} {
		tt.op.Matched = 100
		v := viewOperation(&tt.op, nil, noon)
		if got := v.wordRate(); got != tt.rate {
			t.Errorf("%s: its pace is %q, want %q", tt.name, got, tt.rate)
		}
		if got := v.why(); got != tt.why {
			t.Errorf("%s: the reason is %q, want %q", tt.name, got, tt.why)
		}
		if got := v.eta(); (got != "") != tt.eta {
			t.Errorf("%s: it takes %q", tt.name, got)
		}
	}
}

func TestOperationView_ShowsWhoCarriesItWhileItRuns(t *testing.T) {
	t.Parallel()
	for _, state := range []chatops.OperationState{
		chatops.OperationRunning, chatops.OperationPaused, chatops.OperationHalted, chatops.OperationDone, chatops.OperationCancelled,
	} {
		op := chatops.Operation{State: state, Holder: "host:1", Pace: &chatops.OperationPace{Rate: 5}}
		want := map[bool]string{true: "host:1"}[state == chatops.OperationRunning]
		if v := viewOperation(&op, nil, noon); v.CarriedBy != want {
			t.Errorf("%s: carried by %q, want %q", state, v.CarriedBy, want)
		}
		waiting := int64(1)
		v := viewOperation(&op, &chatops.OperationProgress{Waiting: waiting}, noon)
		if v.ended() {
			t.Errorf("%s: it has ended while an alert waits for its first attempt", state)
		}
		v = viewOperation(&op, &chatops.OperationProgress{}, noon)
		if v.ended() == state.Live() {
			t.Errorf("%s: ended is %t", state, v.ended())
		}
	}
}

func TestSetField_ChangesOneFieldAndNoOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 2, 5, rapid.ID[string]).Draw(t, "names")
		inner, outer := map[string]any{}, map[string]any{}
		for i, name := range names {
			inner[name], outer[name] = name, json.Number(strconv.Itoa(i))
		}
		outer["inner"] = inner
		value := rapid.String().Draw(t, "value")
		if err := setField(outer, strings.Split("inner."+names[0], "."), value); err != nil {
			t.Fatal(err)
		}
		if inner[names[0]] != value || inner[names[1]] != names[1] || !reflect.DeepEqual(outer[names[1]], json.Number("1")) {
			t.Fatalf("the payload is %v", outer)
		}
		err := setField(outer, strings.Split(names[0], "."), value)
		if valid := json.Valid([]byte(value)); valid != (err == nil) {
			t.Fatalf("a number set to %q: %v", value, err)
		}
		if err := setField(outer, strings.Split("absent5", "."), value); chatops.ErrorCode(err) != chatops.CodeUsage || strings.Contains(err.Error(), value) && len(value) > 6 {
			t.Fatalf("a field that is not there: %v", err)
		}
	})
}

func TestDescribe_WordsEveryPartOfAFilter(t *testing.T) {
	t.Parallel()
	many := make([]int64, 11)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for want, f := range map[string]chatops.AlertFilter{
		"":                         {},
		"status pending, failed":   {Statuses: unhappy},
		"type slack_alert":         {Types: []string{"slack_alert"}},
		"target slack:a, mailto:b": {Targets: []string{"slack:a", "mailto:b"}},
		`error "\x1b[31m 503"`:     {Error: "\x1b[31m 503"},
		"retries at least 3":       {MinAttempts: 3},
		"id 7, 9":                  {IDs: []int64{7, 9}},
		"id 1, ... (11 ids)":       {IDs: many},
		"fingerprint abc; since 2026-03-10T12:00:00Z":                   {Fingerprint: "abc", Since: noon},
		"since 2026-03-09T12:00:00Z; until 2026-03-10T12:00:00Z; id 17": {Since: noon.AddDate(0, 0, -1), Until: noon, IDs: []int64{17}},
	} {
		if got := describe(f); got != want {
			t.Errorf("%+v is worded %q, want %q", f, got, want)
		}
	}
}

func TestExportWriter_CSVIsReadBackCellByCell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		x := newExportWriter(&file, true, true, true, 5)
		n := rapid.IntRange(0, 4).Draw(t, "alerts")
		texts := make([]string, n)
		for i := range n {
			texts[i] = rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+@\-\t\r\n|,"a-z]{0,8}`)).Draw(t, "text")
			payload, _ := json.Marshal(texts[i])
			if err := x.write(&chatops.Alert{ID: int64(i), Status: chatops.AlertFailed, ErrorMessage: texts[i], Payload: payload, CreatedAt: noon}); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.end(int64(n)); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(file.String())).ReadAll()
		if err != nil || len(rows) != n+1 {
			t.Fatalf("%d rows of %d alerts (%v): %q", len(rows)-1, n, err, &file)
		}
		for i, row := range rows[1:] {
			if got := row[5]; got != csvCell(texts[i]) || defuse(got) != got || strings.ContainsFunc(got, chatops.Harmful) {
				t.Fatalf("the text %q is the cell %q", texts[i], got)
			}
		}
	})
}
