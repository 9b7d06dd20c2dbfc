package migrations

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestAdoptTarget_NamesTheIntegrationThatServesAnAlert(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ event, target, payload, want string }{
		{"slack_alert", "", "", "slack:alerts"},
		{"SLACK", "#sales", "", "slack:alerts"},
		{"lead", "https://hooks.slack.com/services/T/B/x", "", "slack:alerts"},
		{"lead", "https://hooks.slack-gov.com/services/T/B/x", "", "slack:alerts"},
		{"monday_item", "12345", "", "monday:leads"},
		{"lead", "https://api.monday.com/v2", "", "monday:leads"},
		{"lead", "https://notmonday.com/v2", "", ""},
		{"lead", "webhook:crm", "", "webhook:crm"},
		{"email", " slack:ops ", "", "slack:ops"}, // a logical name says all
		{"lead", "webhook:c r m", "", ""},
		{"email", "jan@x.pl", "", "mailto:jan@x.pl"},
		{"email", "Jan <jan@x.pl>", "", "mailto:jan@x.pl"},
		{"lead", "jan@x.pl", "", "mailto:jan@x.pl"},
		{"lead", "Jan <jan@x.pl>", "", ""}, // nothing but an address counts without an e-mail's event
		{"E-Mail", "", `{"to":"jan@x.pl"}`, "mailto:jan@x.pl"},
		{"email", "sales", `{"to":5,"recipient_email":"jan@x.pl"}`, "mailto:jan@x.pl"},
		{"email", "first@x.pl", `{"to":"second@x.pl"}`, "mailto:first@x.pl"},
		{"email", "", `"{\"email\":\"twice@x.pl\"}"`, "mailto:twice@x.pl"},
		{"email", "", `{"to":"nobody"}`, ""},
		{"email", strings.Repeat("a", 240) + "@x.pl", "", ""},
		{"sms", "+48600700800", "", ""},
		{"", "", "", ""},
	} {
		got, ok := adoptTarget(c.event, c.target, c.payload)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q, %q, %q: %q, %v; want %q", c.event, c.target, c.payload, got, ok, c.want)
		}
	}
}

func TestAdoptPayload_IsWhatTheSenderOfTheTargetAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ event, target, payload, want string }{
		{"slack", slackTarget, `{"text":"hi"}`, `{"text":"hi"}`},
		{"slack", slackTarget, `{"message":"hi"}`, `{"message":"hi","text":"hi"}`},
		{"slack", slackTarget, `{"text":"","title":" ","alert":"hi"}`, `{"text":"hi","title":" ","alert":"hi"}`},
		{"slack", slackTarget, `{"blocks":[{"type":"x"}],"message":"hi"}`, `{"blocks":[{"type":"x"}],"message":"hi"}`},
		{"slack", slackTarget, `{"blocks":[],"message":"hi"}`, `{"blocks":[],"message":"hi","text":"hi"}`},
		{"slack", slackTarget, `{"nothing":1}`, `{"nothing":1}`},
		{"email", "mailto:a@b.pl", `{"body":"b","title":"t"}`, `{"body":"b","title":"t","text":"b","subject":"t"}`},
		{"email", "mailto:a@b.pl", `{"html":"<p>","subject":"s"}`, `{"html":"<p>","subject":"s"}`},
		{"email_alert", "mailto:a@b.pl", `{"text":"b"}`, `{"text":"b","subject":"email_alert"}`},
		{"monday", mondayTarget, `{"name":"Jan","x":1}`, `{"name":"Jan","x":1,"item_name":"Jan"}`},
		{"monday", mondayTarget, `{"item_name":"A","name":"B"}`, `{"item_name":"A","name":"B"}`},
		{"hook", "webhook:crm", `{"message":"hi"}`, `{"message":"hi"}`},
		{"hook", "webhook:crm", `"{\"a\":12345678901234567890}"`, `{"a":12345678901234567890}`},
		{"hook", "webhook:crm", `[1,2]`, `{"raw":[1,2]}`},
		{"hook", "webhook:crm", `null`, `{"raw":null}`},
		{"hook", "webhook:crm", `5`, `{"raw":5}`},
		{"hook", "webhook:crm", `not JSON "<b>"`, `{"raw":"not JSON \"<b>\""}`},
		{"hook", "webhook:crm", ``, `{"raw":""}`},
		{"slack", slackTarget, `{"url":"https://hooks.slack.com/services/T/B/x","text":"a"}`, `{"url":"https://hooks.slack.com/[redacted]","text":"a"}`},
		{"slack", slackTarget, `{"url":"https:\/\/hooks.slack.com\/services\/T\/B\/x","text":"a"}`, `{"url":"https://hooks.slack.com/[redacted]","text":"a"}`},
	} {
		got := adoptPayload(c.event, c.target, c.payload)
		if !alike(got, c.want, true) || !json.Valid([]byte(got)) {
			t.Errorf("%s to %s, %s:\n%s, want\n%s", c.event, c.target, c.payload, got, c.want)
		}
	}
	if got := adoptPayload("hook", "webhook:crm", `{"b":1,  "a":"<&>"}`); got != `{"b":1,  "a":"<&>"}` {
		t.Errorf("what fits was written anew: %s", got)
	}
}

// Wherever it stands, the secret of a webhook's address is gone, and what stands
// around it is not.
func TestAdoptHide_LeavesNoSecretOfAnAddress(t *testing.T) {
	t.Parallel()
	around := rapid.SampledFrom([]string{"", " ", "\"", "'", "(", ")", "\n", ", ", "<", ">", "{\"url\":\"", "POST https://", "failed: ", "ą"})
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Z][A-Za-z0-9]{8,24}`).Draw(t, "secret")
		slash := rapid.SampledFrom([]string{"/", `\/`, `\\/`}).Draw(t, "slash")
		host := rapid.SampledFrom([]string{"hooks.slack.com", "HOOKS.slack.com", "hooks.slack-gov.com"}).Draw(t, "host")
		before, after := "keep1 "+around.Draw(t, "before"), around.Draw(t, "after")+" keep2"
		text := before + host + slash + "services" + slash + "T0" + slash + "B0" + slash + secret + after
		for name, hidden := range map[string]string{"hide": adoptHide(text), "redact": adoptRedact(adoptHide(text)), "payload": adoptPayload("x", "webhook:x", text)} {
			if strings.Contains(hidden, secret) || !strings.Contains(hidden, "keep1") || !strings.Contains(hidden, "keep2") {
				t.Fatalf("%s of %q is %q", name, text, hidden)
			}
		}
	})
}

func TestAdoptRedact_TakesPathsAndPeopleOutOfErrors(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "",
		"timeout after 5 s":                 "timeout after 5 s",
		"POST https://a.example/x?key=k: 5": "POST https://a.example/[redacted] 5",
		"https://u:p@a.example/x":           "https://a.example/[redacted]",
		"http://a.example":                  "http://a.example/[redacted]",
		"to jan@x.pl and ewa+1@y.com.pl":    "to [address] and [address]",
		"url: /services/T0/B0/x (refused)":  "url: /services/[redacted] (refused)",
		"/workflows/a/b 'c'":                "/workflows/[redacted] 'c'",
		"/api/leads":                        "/api/leads",
	} {
		if got := adoptRedact(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestAdoptFacts_GivesTheTypesOfTheChat(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{}`:                                     `{}`,
		`{"name":"Jan","square_meters":60}`:      `{"name":"Jan","square_meters":60}`,
		`{"name":5,"phone":600700800}`:           `{"name":"5","phone":"600700800"}`,
		`{"name":["Jan"],"city":{"a":1}}`:        `{}`,
		`{"name":null,"budget":null}`:            `{"name":null,"budget":null}`,
		`{"square_meters":"75,5 m²"}`:            `{"square_meters":76}`,
		`{"square_meters":75.4}`:                 `{"square_meters":75}`,
		`{"square_meters":"duże"}`:               `{}`,
		`{"square_meters":-5}`:                   `{"square_meters":5}`,
		`{"square_meters":0}`:                    `{}`,
		`{"square_meters":true}`:                 `{}`,
		`{"budget":"150 tys."}`:                  `{"budget":150000}`,
		`{"budget":1.5e5}`:                       `{"budget":150000}`,
		`{"budget":1e400}`:                       `{}`,
		`{"booking_intent_detected":"tak"}`:      `{"booking_intent_detected":true}`,
		`{"booking_intent_detected":0}`:          `{"booking_intent_detected":false}`,
		`{"booking_intent_detected":"może"}`:     `{}`,
		`{"booking_intent_detected":[]}`:         `{}`,
		`{"other":{"deep":[1]},"language":"pl"}`: `{"other":{"deep":[1]},"language":"pl"}`,
		`"{\"name\":7}"`:                         `{"name":"7"}`,
	} {
		got, ok := adoptFacts(in)
		if !ok || !alike(got, want, true) {
			t.Errorf("%s: %s, %v; want %s", in, got, ok, want)
		}
		if further := adoptFurther(in); further != strings.Contains(in, "other") {
			t.Errorf("%s: further fields %v", in, further)
		}
	}
	for _, in := range []string{"", "null", "[]", `"x"`, "5", "{", `"{"`, strings.Repeat("[", 2000) + strings.Repeat("]", 2000)} {
		if got, ok := adoptFacts(in); ok {
			t.Errorf("%.20q: %s", in, got)
		}
	}
}

func TestAdoptFlag_KnowsTheWordsOfBothLanguages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"t": "true", "TRUE": "true", "yes": "true", "On": "true", "tak": "true", "1": "true", "-1": "true", "2.5": "true",
		"f": "false", "False": "false", "no": "false", "off": "false", "NIE": "false", "0": "false", "0.0": "false", "-0": "false", "+0.00": "false",
		"": "", "maybe": "", "null": "", "1e3": "", "0x1": "", "yes!": "",
	} {
		got, ok := adoptFlag(text)
		if ok != (want != "") || ok && fmt.Sprint(got) != want {
			t.Errorf("%q is %v, %v; want %q", text, got, ok, want)
		}
		if padded, still := adoptFlag(" " + text + "\n"); padded != got || still != ok {
			t.Errorf("%q with spaces around is %v, %v", text, padded, still)
		}
	}
}

func TestAdoptID_TakesWholeNumbersOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{ // as an id, as a number of 32 bits
		"1": {"1", "1"}, " 7\n": {"7", "7"}, "007": {"7", "7"}, "+5": {"5", "5"}, "-5": {"-5", "-5"}, "5.0": {"5", "5"}, "5.": {"5", "5"},
		"2147483647": {"2147483647", "2147483647"}, "2147483648": {"2147483648", ""}, "-2147483649": {"-2147483649", ""}, "999999999999999999": {"999999999999999999", ""},
		"1234567890123456789": {"", ""}, "5.5": {"", ""}, "": {"", ""}, "x": {"", ""}, "1 2": {"", ""}, "1e3": {"", ""},
	} {
		id, isID := adoptID(text)
		whole, isWhole := adoptWhole(text)
		if isID != (want[0] != "") || isID && fmt.Sprint(id) != want[0] || isWhole != (want[1] != "") || isWhole && fmt.Sprint(whole) != want[1] {
			t.Errorf("%q: id %d %v, number %d %v; want %v", text, id, isID, whole, isWhole, want)
		}
	}
}

func TestAdoptSession_NeverMakesOneOfTwo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		head := strings.Repeat(rapid.SampledFrom([]string{"a", "ż", "👋"}).Draw(t, "rune"), rapid.IntRange(200, 300).Draw(t, "length"))
		a, b := head+rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "a"), head+rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "b")
		x, okX := adoptSession(a)
		y, okY := adoptSession(b)
		if !okX || !okY || (x == y) != (a == b) {
			t.Fatalf("%q and %q become %q and %q", a, b, x, y)
		}
		if n := utf8.RuneCountInString(x); n > 255 || !utf8.ValidString(x) || utf8.RuneCountInString(a) <= 255 && x != a {
			t.Fatalf("%q becomes %q of %d characters", a, x, n)
		}
	})
	for _, blank := range []string{"", " ", "\t\r\n"} {
		if got, ok := adoptSession(blank); ok {
			t.Errorf("%q is the session %q", blank, got)
		}
	}
}

func TestDepth_CountsOutsideOfStringsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`1`: 0, `[]`: 1, `{"a":[{}]}`: 3, `"[[[["`: 0, `{"[\"[{":1}`: 1, `["\\",[1]]`: 2, `[[],[[]]]`: 3} {
		if got := depth(text); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestFoldAddress_GivesTheFormInWhichAddressesAreLookedUp(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Jan@X.pl": "jan@x.pl", "zofia@żółw.pl": "zofia@xn--w-uga1v8h.pl", "ŁUKASZ@x.pl": "łukasz@x.pl", "o\u0301@x.pl": "ó@x.pl", "nobody": "nobody", "a@b_c.pl": "a@b_c.pl",
		"a@-x.pl": "a@-x.pl", "": "",
	} {
		if got := foldAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestParseTime_ReadsWhatBothDriversGive(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 30, 15, 123_456_000, time.UTC)
	for _, v := range []any{at, at.In(time.FixedZone("", 7200)), "2026-03-01 12:30:15.123456", "2026-03-01T12:30:15.123456Z", "2026-03-01T14:30:15.123456+02:00"} {
		if got := parseTime(v); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%v reads as %v", v, got)
		}
	}
	for _, v := range []any{nil, "", "yesterday", 5, []byte("2026-03-01")} {
		if got := parseTime(v); !got.IsZero() {
			t.Errorf("%v reads as %v", v, got)
		}
	}
}

func FuzzAdoptPayload_IsAlwaysAnObjectWithoutSecrets(f *testing.F) {
	for _, s := range []string{`{"text":"a"}`, `"{\"a\":1}"`, `[`, "\xff", `{"a":"https://hooks.slack.com/services/T/B/Secret9"}`, `"\ud800"`, strings.Repeat("[", 1200)} {
		f.Add("slack_alert", s)
	}
	f.Fuzz(func(t *testing.T, event, payload string) {
		event, payload = textOf(event), textOf(payload) // as every value is read
		target, _ := adoptTarget(event, "", payload)
		got := adoptPayload(event, target, payload)
		var fields map[string]any
		if err := json.Unmarshal([]byte(got), &fields); err != nil || fields == nil || depth(got) > maxDepth {
			t.Fatalf("%q to %q becomes %q: %v", payload, target, got, err)
		}
		if slackAddress().MatchString(strings.ReplaceAll(got, "hooks.slack.com/[redacted]", "")) {
			t.Fatalf("%q becomes %q, which shows an address", payload, got)
		}
	})
}
