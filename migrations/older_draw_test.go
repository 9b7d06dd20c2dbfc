package migrations_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"chatops/migrations"
)

// mixture is an older database as it is drawn: what is stored and what it means.
// Each row has a tag, in a column that nobody knows, by which it is found again.
type mixture struct {
	dialect       migrations.Dialect
	conversations *drawnTable
	messages      *drawnTable
	leads         *drawnTable
	followups     []*drawnTable // of one name or of both
	audit         *drawnTable
	alerts        *drawnTable
	consents      *drawnTable
	implied       bool
	tags          int
}

func (m *mixture) tables() []*drawnTable {
	list := append([]*drawnTable{m.conversations, m.messages, m.leads}, m.followups...)
	var there []*drawnTable
	for _, t := range append(list, m.audit, m.alerts, m.consents) {
		if t != nil {
			there = append(there, t)
		}
	}
	return there
}

type drawnTable struct {
	name    string
	columns []drawnColumn
	keyed   bool // id is a primary key
	rows    []*drawnRow
}

type drawnColumn struct{ name, kind, word string }

// drawnRow is a row: literals of SQL, and what they mean. A missing meaning is
// "nothing can be read"; bad says that something was given that cannot be.
type drawnRow struct {
	tag   int
	table *drawnTable
	sql   map[string]string
	means map[string]string
	bad   map[string]bool
}

// kinds of columns and the types that they may have in PostgreSQL; SQLite has
// the same words, which mean little there.
var kindWords = map[string][]string{
	"id": {"integer", "bigint", "text"}, "time": {"timestamp", "timestamptz", "text"}, "flag": {"boolean", "integer", "text"},
	"text": {"text", "varchar(400)"}, "json": {"text", "json", "jsonb"}, "whole": {"integer", "text"},
}

// drawTable draws a shape: required columns are there, optional ones may be.
func (m *mixture) drawTable(r *rapid.T, name string, required, optional []string) *drawnTable {
	t := &drawnTable{name: name, keyed: rapid.Float64Range(0, 1).Draw(r, name+" keyed") < 0.7}
	add := func(spec string) {
		column, kind, _ := strings.Cut(spec, " ")
		word := rapid.SampledFrom(kindWords[kind]).Draw(r, name+"."+column)
		if column == "id" && t.keyed && m.dialect == migrations.SQLite {
			word = "integer"
		}
		t.columns = append(t.columns, drawnColumn{column, kind, word})
	}
	for _, spec := range append([]string{"id id"}, required...) {
		add(spec)
	}
	for _, spec := range optional {
		if rapid.Float64Range(0, 1).Draw(r, name+" has "+spec) < 0.8 {
			add(spec)
		}
	}
	t.columns = append(t.columns, drawnColumn{"tag", "tag", "integer"}, drawnColumn{"Odd Column", "tag", "integer"})
	return t
}

// drawRows draws n rows; set says what a column holds where that matters.
func (m *mixture) drawRows(r *rapid.T, t *drawnTable, n int, set map[string]func(c drawnColumn) (literal, means string, bad bool)) {
	for i := range n {
		m.tags++
		row := &drawnRow{tag: m.tags, table: t, sql: map[string]string{}, means: map[string]string{}, bad: map[string]bool{}}
		for _, c := range t.columns {
			var literal, means string
			var bad bool
			switch {
			case c.kind == "tag":
				literal = strconv.Itoa(m.tags)
			case set[c.name] != nil:
				literal, means, bad = set[c.name](c)
			case c.name == "id":
				literal, means = m.drawID(r, t, c, i)
			default:
				literal, means, bad = m.drawValue(r, c)
			}
			row.sql[c.name], row.means[c.name], row.bad[c.name] = literal, means, bad
		}
		t.rows = append(t.rows, row)
	}
}

// drawID draws distinct numbers where there is a key, else anything.
func (m *mixture) drawID(r *rapid.T, t *drawnTable, c drawnColumn, i int) (literal, means string) {
	if !t.keyed {
		switch rapid.IntRange(0, 9).Draw(r, "id") {
		case 0:
			return "null", ""
		case 1:
			if c.word == "text" {
				return fmt.Sprintf("'x-%d'", m.tags), ""
			}
		case 2:
			return "'1'", "1"
		}
	}
	id := strconv.Itoa((i+1)*7%97 + i*97)
	if c.word == "text" || m.dialect == migrations.SQLite && rapid.Bool().Draw(r, "quoted") {
		return "'" + id + "'", id
	}
	return id, id
}

var epoch = time.Date(2025, 12, 1, 10, 0, 0, 0, time.UTC)

const canonical = "2006-01-02 15:04:05.000000"

// drawValue draws what a column of a kind holds.
func (m *mixture) drawValue(r *rapid.T, c drawnColumn) (literal, means string, bad bool) {
	p := rapid.IntRange(0, 19).Draw(r, c.name)
	loose := c.word == "text" || m.dialect == migrations.SQLite
	switch {
	case p < 2:
		return "null", "", false
	case p == 2 && loose && c.kind != "text" && c.kind != "json":
		return "'what?'", "", true
	}
	switch c.kind {
	case "time":
		return m.drawTime(r, loose)
	case "flag":
		return m.drawFlag(r, c.word)
	case "whole":
		n := strconv.Itoa(rapid.IntRange(0, 5).Draw(r, "number"))
		if loose {
			return "'" + n + "'", n, false
		}
		return n, n, false
	}
	text := rapid.SampledFrom([]string{"", "a", "Łódź 'x'", `with "quotes" and \ more`, "two\nlines"}).Draw(r, "text")
	return "'" + strings.ReplaceAll(text, "'", "''") + "'", text, false
}

func (m *mixture) drawTime(r *rapid.T, loose bool) (literal, means string, bad bool) {
	at := epoch.Add(time.Duration(rapid.IntRange(0, 15).Draw(r, "minute")) * time.Minute)
	if rapid.Bool().Draw(r, "fraction") {
		at = at.Add(123456 * time.Microsecond)
	}
	means = at.Format(canonical)
	if !loose {
		return "'" + at.Format("2006-01-02 15:04:05.999999") + "'", means, false
	}
	switch rapid.IntRange(0, 5).Draw(r, "form") {
	case 0:
		return "'" + at.Format(canonical) + "'", means, false
	case 1:
		return "'" + at.Format("2006-01-02T15:04:05.999999Z07:00") + "'", means, false
	case 2:
		return "'" + at.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.999999-07:00") + "'", means, false
	case 3:
		at = at.Truncate(time.Second)
		return "'" + strconv.FormatInt(at.Unix(), 10) + "'", at.Format(canonical), false
	case 4:
		if m.dialect == migrations.SQLite {
			at = at.Truncate(time.Second)
			return strconv.FormatInt(at.Unix(), 10), at.Format(canonical), false
		}
	}
	return "'" + at.Format("2006-01-02 15:04:05.999999") + "'", means, false
}

func (m *mixture) drawFlag(r *rapid.T, word string) (literal, means string, bad bool) {
	yes := rapid.Bool().Draw(r, "yes")
	means = map[bool]string{true: "1", false: "0"}[yes]
	switch {
	case word == "boolean" && m.dialect == migrations.Postgres:
		return fmt.Sprint(yes), means, false
	case word == "integer" && m.dialect == migrations.Postgres:
		return means, means, false
	}
	forms := map[bool][]string{true: {"'true'", "'T'", "'1'", "'yes'", "1"}, false: {"'false'", "'f'", "'0'", "'nie'", "0"}}[yes]
	if m.dialect == migrations.Postgres {
		forms = forms[:4]
	}
	return rapid.SampledFrom(forms).Draw(r, "form"), means, false
}

// pick returns a function that draws one of some literals with their meanings.
func pick(r *rapid.T, choices ...[2]string) func(drawnColumn) (string, string, bool) {
	return func(c drawnColumn) (string, string, bool) {
		one := rapid.SampledFrom(choices).Draw(r, c.name)
		return one[0], one[1], false
	}
}

// refer draws the id of a row of another table, or of none.
func (m *mixture) refer(r *rapid.T, t *drawnTable) func(drawnColumn) (string, string, bool) {
	return func(c drawnColumn) (string, string, bool) {
		if t == nil || len(t.rows) == 0 || rapid.IntRange(0, 9).Draw(r, "orphan") == 0 {
			return "4711", "4711", false
		}
		row := rapid.SampledFrom(t.rows).Draw(r, c.name)
		literal := row.sql["id"]
		number := row.means["id"]
		switch {
		case literal == "null", number == "" && c.word != "text" && m.dialect == migrations.Postgres:
			return "4711", "4711", false
		case number == "": // a word
			return literal, strings.Trim(literal, "'"), false
		case c.word == "text":
			return "'" + number + "'", number, false
		}
		return number, number, false
	}
}

// drawMixture draws a whole database.
func drawMixture(r *rapid.T, dialect migrations.Dialect) *mixture {
	m := &mixture{dialect: dialect, implied: rapid.Bool().Draw(r, "implied")}
	few := rapid.IntRange(0, 6)
	has := func(name string) bool { return rapid.Float64Range(0, 1).Draw(r, "has "+name) < 0.9 }
	session := pick(r, [2]string{"'s1'", "s1"}, [2]string{"'s1'", "s1"}, [2]string{"'s2'", "s2"}, [2]string{"'S2'", "S2"},
		[2]string{"'s 3'", "s 3"}, [2]string{"'" + strings.Repeat("ż", 300) + "'", "long"}, [2]string{"''", ""}, [2]string{"null", ""})
	email := pick(r, [2]string{"'a@x.pl'", "a@x.pl"}, [2]string{"' B@X.pl '", "B@X.pl"}, [2]string{"null", ""}, [2]string{"''", ""}, [2]string{"'a@x.pl'", "a@x.pl"})
	if has("conversations") {
		m.conversations = m.drawTable(r, "chat_conversations", []string{"session_id text", "started_at time"},
			[]string{"email text", "context_data json", "awaiting_confirmation flag", "followup_count whole", "last_followup_at time",
				"marketing_consent flag", "rodo_consent flag", "needs_human_review flag"})
		m.drawRows(r, m.conversations, few.Draw(r, "conversations"), map[string]func(drawnColumn) (string, string, bool){
			"session_id": session, "email": email, "context_data": m.drawContext(r),
		})
	}
	if has("messages") {
		m.messages = m.drawTable(r, "chat_messages", []string{"conversation_id id", "message text", "sender text"}, []string{"timestamp time", "is_followup flag"})
		m.drawRows(r, m.messages, 2*few.Draw(r, "messages"), map[string]func(drawnColumn) (string, string, bool){
			"conversation_id": m.refer(r, m.conversations),
			"sender": pick(r, [2]string{"'user'", "user"}, [2]string{"'bot'", "bot"}, [2]string{"'Assistant'", "bot"}, [2]string{"'human'", "user"},
				[2]string{"'agent'", "?"}, [2]string{"null", ""}),
		})
	}
	if has("leads") {
		m.leads = m.drawTable(r, "leads", []string{"session_id text", "name text"},
			[]string{"email text", "status text", "notes text", "lead_score whole", "marketing_consent flag", "rodo_consent flag", "created_at time", "updated_at time"})
		m.drawRows(r, m.leads, few.Draw(r, "leads"), map[string]func(drawnColumn) (string, string, bool){
			"session_id": session, "email": email,
			"status": pick(r, [2]string{"'new'", "new"}, [2]string{"'Contacted'", "contacted"}, [2]string{"'odd'", "?"}, [2]string{"null", ""}),
			"notes": pick(r, [2]string{"null", ""}, [2]string{"'marketing_consent:false'", "m0"}, [2]string{"'rodo_consent=true, marketing_consent = tak'", "m1r1"},
				[2]string{"'prosi o kontakt'", ""}),
		})
	}
	m.drawEvents(r, few, email)
	return m
}

func (m *mixture) drawEvents(r *rapid.T, few *rapid.Generator[int], email func(drawnColumn) (string, string, bool)) {
	type set = map[string]func(drawnColumn) (string, string, bool)
	for _, name := range []string{"followup_event", "followup_events"} {
		if rapid.Bool().Draw(r, "has "+name) {
			t := m.drawTable(r, name, []string{"conversation_id id", "followup_number whole"}, []string{"status text", "sent_at time"})
			m.drawRows(r, t, few.Draw(r, name), set{"conversation_id": m.refer(r, m.conversations)})
			m.followups = append(m.followups, t)
		}
	}
	if rapid.Bool().Draw(r, "has audit") {
		m.audit = m.drawTable(r, "consent_audit_log", []string{"action text", "timestamp time"}, []string{"conversation_id id", "lead_id id", "email text", "ip_address text"})
		m.drawRows(r, m.audit, few.Draw(r, "audit"), set{
			"conversation_id": m.refer(r, m.conversations), "lead_id": m.refer(r, m.leads), "email": email,
			"action": pick(r, [2]string{"'unsubscribe'", "unsubscribe"}, [2]string{"'revoke_consent'", "revoke_consent"},
				[2]string{"'subscribe'", "subscribe"}, [2]string{"'rodo_consent_given'", "rodo_consent_given"}, [2]string{"'export'", "export"}),
		})
	}
	if rapid.Bool().Draw(r, "has alerts") {
		m.alerts = m.drawTable(r, "dead_letter_queue", []string{"event_type text", "target text", "payload json"},
			[]string{"status text", "retry_count whole", "error_message text", "created_at time", "last_retry_at time", "last_attempt_at time", "delivered_at time"})
		m.drawRows(r, m.alerts, few.Draw(r, "alerts"), set{
			"event_type": pick(r, [2]string{"'slack_alert'", "slack_alert"}, [2]string{"'email'", "email"}, [2]string{"'sms'", "sms"}),
			"target":     pick(r, [2]string{"'" + secretURL + "'", secretURL}, [2]string{"'jan@x.pl'", "jan@x.pl"}, [2]string{"'+48600'", "+48600"}),
			"payload":    m.drawPayload(r),
			"status": pick(r, [2]string{"'pending'", "pending"}, [2]string{"'FAILED'", "failed"}, [2]string{"'delivered'", "delivered"},
				[2]string{"'sent'", "delivered"}, [2]string{"'strange'", "?"}, [2]string{"null", ""}),
			"error_message": pick(r, [2]string{"null", ""}, [2]string{"'POST " + secretURL + " timed out'", "POST https://hooks.slack.com/[redacted] timed out"}),
		})
	}
	if rapid.Bool().Draw(r, "has consents") {
		m.consents = &drawnTable{name: "rodo_consents", columns: []drawnColumn{{"session_id", "text", "text"}, {"consent_given", "flag", "boolean"}}}
		m.drawRows(r, m.consents, few.Draw(r, "consents"), set{"session_id": pick(r, [2]string{"'s1'", "s1"}, [2]string{"'s2'", "s2"}, [2]string{"'s 3'", "s 3"})})
	}
}

const secretURL = "https://hooks.slack.com/services/T00/B00/TopSecretPart"

// drawContext draws context_data; the meaning is what is left of it, the e-mail
// and what it says of consent: "json|email|m0r1".
func (m *mixture) drawContext(r *rapid.T) func(drawnColumn) (string, string, bool) {
	return func(c drawnColumn) (string, string, bool) {
		choices := [][2]string{
			{"null", "||"}, {`'{}'`, "{}||"}, {`'{"email": "c@x.pl", "square_meters": 75}'`, `{"email": "c@x.pl", "square_meters": 75}|c@x.pl|`},
			{`'{"square_meters": "75 m2", "budget": "150 000"}'`, `!{"budget":150000,"square_meters":75}||`},
			{`'{"marketing_consent": false, "name": "Jan"}'`, `!{"marketing_consent": false, "name": "Jan"}||m0`},
			{`'{"phone": 600700800, "city": ["x"]}'`, `!{"phone":"600700800"}||`},
			{`'[1, 2]'`, "!||"},
		}
		if c.word == "text" || m.dialect == migrations.SQLite {
			choices = append(choices, [2]string{`'{"rodo_consent": true'`, "!||r1"}, [2]string{"'not json'", "!||"}, [2]string{"''", "||"})
		}
		one := rapid.SampledFrom(choices).Draw(r, "context")
		return one[0], one[1], false
	}
}

// drawPayload draws a payload; the meaning is what a sender gets, with ! where
// that differs.
func (m *mixture) drawPayload(r *rapid.T) func(drawnColumn) (string, string, bool) {
	return func(c drawnColumn) (string, string, bool) {
		choices := [][2]string{
			{`'{"text": "hi", "subject": "s"}'`, `{"text": "hi", "subject": "s"}`},
			{`'["hi"]'`, `!{"raw": ["hi"]}`},
			{`'"{\"text\": \"hi\", \"subject\": \"s\"}"'`, `!{"text": "hi", "subject": "s"}`},
			{`'{"text": "` + secretURL + `", "subject": "s"}'`, `{"text": "https://hooks.slack.com/[redacted]", "subject": "s"}`},
		}
		if c.word == "text" || m.dialect == migrations.SQLite {
			choices = append(choices, [2]string{"'{broken'", `!{"raw": "{broken"}`})
		}
		one := rapid.SampledFrom(choices).Draw(r, "payload")
		return one[0], one[1], false
	}
}

// statements are what makes the database.
func (m *mixture) statements() []string {
	var list []string
	for _, t := range m.tables() {
		var columns []string
		for _, c := range t.columns {
			column := `"` + c.name + `" ` + c.word
			if c.name == "id" && t.keyed {
				column += " not null primary key"
			}
			columns = append(columns, column)
		}
		list = append(list, "create table "+t.name+" ("+strings.Join(columns, ", ")+")")
		for _, row := range t.rows {
			var names, values []string
			for _, c := range t.columns {
				names, values = append(names, `"`+c.name+`"`), append(values, row.sql[c.name])
			}
			list = append(list, "insert into "+t.name+" ("+strings.Join(names, ", ")+") values ("+strings.Join(values, ", ")+")")
		}
	}
	return list
}
