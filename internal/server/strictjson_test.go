package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseObject_AcceptsJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                                  "",
		" {\t\"a\" :\r\n1 } ":                 "a=1",
		`{"a":[],"b":{},"c":[1,{"a":[2]}]}`:   `a=[];b={};c=[1,{"a":[2]}]`,
		`{"a":-0.5e+3,"b":0,"c":1E2}`:         "a=-0.5e+3;b=0;c=1E2",
		`{"a":true,"b":false,"c":null}`:       "a=true;b=false;c=null",
		`{"\u0061":"\"\\\/\b\f\n\r\t\u017c"}`: `a="\"\\\/\b\f\n\r\t\u017c"`,
		`{"a":1,"A":2}`:                       "a=1;A=2",
		`{"a":{"x":1},"b":{"x":1}}`:           `a={"x":1};b={"x":1}`,
		`{"a":1e-999}`:                        "a=1e-999",
		`{"":"zażółć 🏠"}`:                     `="zażółć 🏠"`,
	} {
		members, err := parseObject([]byte(text))
		var got []string
		for _, m := range members {
			got = append(got, m.name+"="+string(m.value))
		}
		if err != nil || strings.Join(got, ";") != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseObject_RefusesWhatReadersDisagreeOn(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		`{"a":1,"a":2}`:                              "repeated name",
		`{"a":1,"\u0061":2}`:                         "repeated name",
		`{"x":[{"a":1,"a":1}]}`:                      "repeated name",
		manyNames(40) + `,"n7":1}`:                   "repeated name",
		`{"a":1e999}`:                                "number out of range",
		`{"a":-1e999}`:                               "number out of range",
		"{\"\xc0\xaf\":1}":                           "invalid UTF-8 in a name",
		"{\"a\":{\"\xed\xa0\x80\":1}}":               "invalid UTF-8 in a name",
		`{"a":` + strings.Repeat("[", 100_000):       "nesting deeper",
		strings.Repeat(`{"a":`, 100_000):             "nesting deeper",
		`{"a":` + strings.Repeat(`{"a":[`, 40) + "1": "nesting deeper",
	} {
		_, err := parseObject([]byte(text))
		var je *jsonError
		if !errors.As(err, &je) || je.syntax || !strings.Contains(je.reason, reason) {
			t.Errorf("%.40s: %v, want %q", text, err, reason)
		}
	}
}

func TestParseObject_RefusesWhatIsNoJSONObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `null`, `[]`, `"a"`, `5`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1}}`, `{"a":1} x`, `{}{}`,
		`{a:1}`, `{'a':1}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":NaN}`, `{"a":Infinity}`,
		`{"a":tru}`, `{"a":True}`, `{"a":"x}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "\ufeff{}",
		`{"a":[1,]}`, `{"a":[1 2]}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":"\`, `{"a":"\u`, `{/**/}`, `{"a":0x10}`,
	} {
		_, err := parseObject([]byte(text))
		var je *jsonError
		if !errors.As(err, &je) || !je.syntax {
			t.Errorf("%q: %v, want a syntax error", text, err)
		}
	}
}

func TestParseObject_ManyNamesStayCheap(t *testing.T) {
	t.Parallel()
	members, err := parseObject([]byte(manyNames(60_000) + "}"))
	if err != nil || len(members) != 60_000 {
		t.Fatalf("%d members, %v", len(members), err)
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `%c"n%d":%d`, "{,"[min(i, 1)], i, i)
	}
	return b.String()
}

func TestParseString_DecodesLikeEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseString(raw); !ok || got != want {
			t.Fatalf("%s became %q", raw, got)
		}
	})
	for _, raw := range []string{`5`, `null`, `{}`, `[]`, `true`} {
		if _, ok := parseString([]byte(raw)); ok {
			t.Errorf("%s is a string", raw)
		}
	}
	if got, ok := parseString([]byte(`"\ud800x"`)); !ok || got != "\ufffdx" {
		t.Errorf("lone surrogate became %q", got)
	}
	for _, raw := range []string{"\"\xffx\"", "\"\xff\\u0078\""} {
		if got, ok := parseString([]byte(raw)); !ok || got != "\ufffdx" {
			t.Errorf("invalid UTF-8 %q became %q", raw, got)
		}
	}
}

func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{"message":"hi","consent":{"rodo":true}}`, `{"a":[1,2.5e3,"\u00e9"]}`, `{"a":1,"a":2}`, `{"a":1e999}`, `{`, `[]`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := parseObject(data)
		var je *jsonError
		switch {
		case err == nil:
			agreesWithEncodingJSON(t, data, members)
		case !errors.As(err, &je):
			t.Fatalf("error of another type: %v", err)
		case je.offset < 0 || je.offset > len(data)+1:
			t.Fatalf("offset %d in %d bytes", je.offset, len(data))
		case je.syntax && json.Valid(data) && len(data) > 0 && strings.TrimLeft(string(data), " \t\r\n")[0] == '{':
			t.Fatalf("%q: %v, but it is valid", data, err)
		}
	})
}

// agreesWithEncodingJSON checks that what was accepted is what the standard
// library reads, member for member.
func agreesWithEncodingJSON(t *testing.T, data []byte, members []member) {
	t.Helper()
	var want map[string]json.RawMessage
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatalf("accepted %q: %v", data, err)
	}
	if len(members) != len(want) {
		t.Fatalf("accepted %q: %d members, %d names", data, len(members), len(want))
	}
	for _, m := range members {
		if string(want[m.name]) != string(m.value) {
			t.Fatalf("%q: member %q is %s, want %s", data, m.name, m.value, want[m.name])
		}
	}
}
