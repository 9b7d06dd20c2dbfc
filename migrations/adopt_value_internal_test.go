package migrations

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
)

// taught opens a session of PostgreSQL that knows the conversions.
func taught(t *testing.T) *sql.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, statement := range []string{postgresFunctions, "set timezone = 'UTC'"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// conversions are the functions that both engines have, with what makes their
// results comparable.
var conversions = []struct {
	name, query string
	goFunc      func(a, b, c string) (any, bool)
	json        bool
}{
	{"time", `to_char(pg_temp.adopt_time(a), 'YYYY-MM-DD HH24:MI:SS.US')`, func(a, _, _ string) (any, bool) { return result(adoptTime(a)) }, false},
	{"flag", `pg_temp.adopt_flag(a)::text`, func(a, _, _ string) (any, bool) { return result(adoptFlag(a)) }, false},
	{"id", `pg_temp.adopt_id(a)::text`, func(a, _, _ string) (any, bool) { return result(adoptID(a)) }, false},
	{"whole", `pg_temp.adopt_whole(a)::text`, func(a, _, _ string) (any, bool) { return result(adoptWhole(a)) }, false},
	{"session", `pg_temp.adopt_session(a)`, func(a, _, _ string) (any, bool) { return result(adoptSession(a)) }, false},
	{"email", `pg_temp.adopt_email(a)`, func(a, _, _ string) (any, bool) { return result(adoptEmail(a)) }, false},
	{"key", `pg_temp.adopt_key(a)`, func(a, _, _ string) (any, bool) { return adoptKey(a), true }, false},
	{"said", `pg_temp.adopt_said(a, 'marketing')::text`, func(a, _, _ string) (any, bool) { return result(adoptSaid(a, "marketing")) }, false},
	{"json", `pg_temp.adopt_json(a)`, func(a, _, _ string) (any, bool) { return result(adoptJSON(a)) }, false},
	{"object", `pg_temp.adopt_object(a)`, func(a, _, _ string) (any, bool) { text, _, ok := adoptObject(a); return text, ok }, false},
	{"loose", `pg_temp.adopt_loose(a)::text`, func(a, _, _ string) (any, bool) { return result(adoptLoose(a)) }, false},
	{"facts", `pg_temp.adopt_facts(a)`, func(a, _, _ string) (any, bool) { return result(adoptFacts(a)) }, true},
	{"context_email", `pg_temp.adopt_context_email(pg_temp.adopt_object(a))`, func(a, _, _ string) (any, bool) { return result(adoptContextEmail(a)) }, false},
	{"hide", `pg_temp.adopt_hide(a)`, func(a, _, _ string) (any, bool) { return adoptHide(a), true }, false},
	{"redact", `pg_temp.adopt_redact(a)`, func(a, _, _ string) (any, bool) { return adoptRedact(a), true }, false},
	{"target", `pg_temp.adopt_target(b, c, a)`, func(a, b, c string) (any, bool) { return result(adoptTarget(b, c, a)) }, false},
	{"payload", `pg_temp.adopt_payload(b, pg_temp.adopt_target(b, c, a), a)`, func(a, b, c string) (any, bool) {
		target, _ := adoptTarget(b, c, a)
		return adoptPayload(b, target, a), true
	}, true},
}

func result[T any](v T, ok bool) (any, bool) { return v, ok }

// TestConversions_AreTheSameOnBothEngines compares the functions of PostgreSQL
// with those of SQLite.
func TestConversions_AreTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	conn := taught(t)
	rapid.Check(t, func(r *rapid.T) {
		const many = 40
		texts := [3][]string{}
		for range many {
			texts[0] = append(texts[0], oddText().Draw(r, "text"))
			texts[1] = append(texts[1], rapid.SampledFrom([]string{"slack_alert", "email", "E-Mail", "sms", "monday_item", "", "webhook_event"}).Draw(r, "event"))
			texts[2] = append(texts[2], rapid.OneOf(rapid.SampledFrom([]string{
				"https://hooks.slack.com/services/T0/B0/x", "slack:alerts", "jan@x.pl", "Jan <jan@x.pl>", "mailto:a@b.pl", "+48600700800",
				"https://api.monday.com/v2", "webhook:crm", "", "https://x.pl/hook?token=1", "a@b", "#sales",
			}), oddText()).Draw(r, "target"))
		}
		for _, c := range conversions {
			rows, err := conn.QueryContext(t.Context(), `select `+c.query+` from unnest($1::text[], $2::text[], $3::text[])
				with ordinality x (a, b, c, place) order by place`, texts[0], texts[1], texts[2])
			if err != nil {
				r.Fatalf("%s: %v", c.name, err)
			}
			theirs, err := collect(rows, func(r *sql.Rows, v *sql.NullString) error { return r.Scan(v) })
			if err != nil {
				r.Fatalf("%s: %v", c.name, err)
			}
			for i, their := range theirs {
				v, ok := c.goFunc(texts[0][i], texts[1][i], texts[2][i])
				if ok != their.Valid || ok && !alike(fmt.Sprint(v), their.String, c.json) {
					r.Fatalf("%s of %q, %q, %q: SQLite %v %q, PostgreSQL %v %q", c.name, texts[0][i], texts[1][i], texts[2][i], ok, v, their.Valid, their.String)
				}
			}
		}
	})
}

// alike compares two results, JSON by its meaning.
func alike(a, b string, isJSON bool) bool {
	if a == b || !isJSON {
		return a == b
	}
	decode := func(s string) (v any) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return nil
		}
		return plainNumbers(v)
	}
	return reflect.DeepEqual(decode(a), decode(b))
}

// plainNumbers writes equal numbers in one way.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = plainNumbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case json.Number:
		text := plain(v)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		if text == "-0" {
			text = "0"
		}
		return json.Number(text)
	}
	return v
}

// oddText draws texts that one of the conversions might understand.
func oddText() *rapid.Generator[string] {
	number := rapid.SampledFrom([]string{
		"0", "1", "-1", "+7", "12", "007", "75", "75 m2", "75,5 m²", "75.5", "150 000", "150 000 zł", "150.000,00", "150 tys.", "1,5 mln",
		"1.5", "2k", "1234567890123456789", "12345678901234567890123", "1e3", "75.0", "ok. 80 m2", "100-120", "2147483648", "0.4", "m2", "1 2", "10 . 5",
		"1733823630", "1733823630.123456", "1733823630123", "1733823630123456", "20251210",
	})
	moment := rapid.SampledFrom([]string{
		"2025-12-10 10:20:30", "2025-12-10T10:20:30.5Z", "2025-12-10 10:20:30.123456+02:00", "2025-12-10 10:20:30.1234567-0130", "2025-12-10",
		"2025-12-10 10:20", "2025-02-30 10:00:00", "0000-01-01", "9999-12-31 23:59:59-14", "0001-01-01 00:00:00+05", "2025-12-10 24:00:00",
		"2025-12-10 10:20:60", "now", "infinity", "2025-12-10 10:20:30 +02", "2025-12-10 10:20:30,25", " 2025-12-10 10:20:30 ", "2025-12-10t10:20:30z", "10:20:30",
	})
	word := rapid.SampledFrom([]string{
		"", " ", "true", "FALSE", "tak", "Nie", "t", "off", "yes", "null", "new", "s-1", "jan@x.pl", " Jan@X.PL ", "jan", "a@b@c", "Łódź", "żółw@ćma.pl", "a\u00a0b",
		"marketing_consent:false", "marketing_consent = true", `"rodo_consent": true, "marketing_consent": "no"`, "no_marketing_consent:true", "Marketing Consent: nie",
		"marketing_consent:true; marketing_consent:false", "marketingConsent=1", `{\"marketing_consent\": false}`, "marketing_consent:falsely",
		"HTTPSConnectionPool(host='hooks.slack.com', port=443): Max retries exceeded with url: /services/T0/B0/secret (Caused by x)",
		"POST https://user:pass@hooks.slack.com/services/T0/B0/secret failed", `{"url":"https:\/\/hooks.slack.com\/services\/T0\/B0\/x","text":"a"}`,
		"mail to jan.kowalski+a@firma.example.com failed", "'; drop table leads; --", `\u0000`, `"\u0000"`, `"\ud800"`, `"\ud83d\ude00"`, `"\\u0000"`, `"\ude00\ud83d"`,
	})
	scalar := rapid.OneOf(number, moment, word, rapid.StringN(0, 12, -1).Filter(storable))
	quoted := rapid.Custom(func(r *rapid.T) string {
		raw, err := json.Marshal(scalar.Draw(r, "string"))
		if err != nil {
			return `""`
		}
		return string(raw)
	})
	value := rapid.OneOf(quoted, number.Filter(func(s string) bool { return json.Valid([]byte(s)) }),
		rapid.SampledFrom([]string{"true", "false", "null", "[]", "{}", "[1]", `{"a": 1}`, `""`, "75.5", "-3", "1e2", "0"}))
	keys := []string{
		"name", "email", "phone", "city", "square_meters", "budget", "package", "language", "booking_intent_detected", "text", "blocks", "message",
		"title", "to", "recipient", "subject", "body", "html", "item_name", "marketing_consent", "rodo_consent", "other", "attachments",
	}
	object := rapid.Custom(func(r *rapid.T) string {
		var parts []string
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 6, rapid.ID[string]).Draw(r, "keys") {
			parts = append(parts, fmt.Sprintf("%q: %s", key, value.Draw(r, "value")))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	})
	twice := rapid.Custom(func(r *rapid.T) string {
		raw, err := json.Marshal(object.Draw(r, "inside"))
		if err != nil {
			return `""`
		}
		return string(raw)
	})
	return rapid.OneOf(scalar, value, object, object, twice, rapid.StringN(0, 300, -1).Filter(storable))
}

// storable: PostgreSQL has no NUL.
func storable(s string) bool { return utf8.ValidString(s) && s == chatops.CleanText(s) }

func TestAdoptTime_UnderstandsWhatOlderApplicationsWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2025-12-10 10:20:30":         "2025-12-10 10:20:30.000000",
		"2025-12-10 10:20:30.5":       "2025-12-10 10:20:30.500000",
		"2025-12-10T10:20:30.123456":  "2025-12-10 10:20:30.123456",
		"2025-12-10T10:20:30.1234569": "2025-12-10 10:20:30.123456",
		"2025-12-10T10:20:30+02:00":   "2025-12-10 08:20:30.000000",
		"2025-12-10 10:20:30.25-0130": "2025-12-10 11:50:30.250000",
		"2025-12-10T23:30:00Z":        "2025-12-10 23:30:00.000000",
		"2025-12-31 23:30:00-01":      "2026-01-01 00:30:00.000000",
		"2025-12-10":                  "2025-12-10 00:00:00.000000",
		"1733826030":                  "2024-12-10 10:20:30.000000",
		"1733826030.25":               "2024-12-10 10:20:30.250000",
		"1733826030250":               "2024-12-10 10:20:30.250000",
		"2025-02-29 10:00:00":         "",
		"20251210":                    "",
		"now":                         "",
		"2025-12-10 25:00:00":         "",
		"":                            "",
	} {
		got, ok := adoptTime(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q (%v), want %q", text, got, ok, want)
		}
	}
}

func TestAdoptLoose_ReadsPeoplesNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"75 m2": "75", "75,5 m²": "76", "ok. 80m2": "80", "150 000": "150000", "150 000 zł": "150000", "150\u00a0000": "150000",
		"150.000,00": "150000", "150 tys.": "150000", "150k": "150000", "1,5 mln": "1500000", "100-120": "100", "75.0": "75",
		"": "", "brak": "", "0": "", "12345678901": "",
	} {
		if got, ok := adoptLoose(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q (%v), want %q", text, got, ok, want)
		}
	}
}

func TestAdoptSaid_ANoOutweighsAYes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"marketing_consent:false": "false", "marketing_consent=true": "true", `"marketing_consent": false, "x": 1`: "false",
		"Marketing consent: NIE": "false", "marketing_consent:true\nmarketing_consent:false": "false", "marketingConsent: 1": "true",
		"no_marketing_consent:true": "", "marketing_consent": "", "rodo_consent=true": "", "marketing_consent:falsey": "",
	} {
		got, ok := adoptSaid(text, "marketing")
		if ok != (want != "") || ok && fmt.Sprint(got) != want {
			t.Errorf("%q says %v (%v), want %q", text, got, ok, want)
		}
	}
	if got, ok := adoptSaid("rodo_consent=true", "rodo"); !got || !ok {
		t.Error("rodo_consent=true says nothing of rodo")
	}
}

func TestFunctions_TakeAnyValueOfSQLite(t *testing.T) {
	t.Parallel()
	values := []any{nil, int64(-1), int64(1), 1.5, 1e300, "", "a\x00b", "\xff\xfe", []byte{0xff, 0}, []byte("{}"), strings.Repeat("[", 5000), `{"a":` + strings.Repeat("[", 2000)}
	for _, f := range Functions() {
		for _, a := range values {
			args := []any{a, "marketing", a}[:f.Args]
			switch v := f.Func(args).(type) {
			case nil, int64, float64, bool, []byte:
			case string:
				if !utf8.ValidString(v) || strings.ContainsRune(v, 0) && f.Name != "adopt_value" {
					t.Errorf("%s of %q is %q, which no store keeps", f.Name, a, v)
				}
			default:
				t.Errorf("%s gives a %T", f.Name, v)
			}
		}
	}
}

func TestTableColumns_AreThoseOfTheMigrations(t *testing.T) {
	t.Parallel()
	sql, err := SQL(Postgres, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"id", "conversation_id", "message", "sender", "timestamp", "is_followup"}
	if got := tableColumns(sql, "chat_messages"); !reflect.DeepEqual(got, want) {
		t.Errorf("columns are %v, want %v", got, want)
	}
	if got := tableColumns(sql, "nothing"); got != nil {
		t.Errorf("columns of a table that is not made: %v", got)
	}
}
