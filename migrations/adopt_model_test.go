package migrations_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The model says, row by row and with nothing clever, what must become of a
// mixture. It shares no code with the adoption.

// outcome is what becomes of a row.
type outcome struct {
	row     *drawnRow
	id      int
	lost    bool
	changed bool
	values  map[string]string // by column of the new table; "?now": the time of the adoption
}

// model is the expected database: outcomes by table and tag.
type model map[string]map[int]*outcome

// opinion is what is known of a consent: nothing, no or yes.
type opinion struct{ no, yes bool }

func (o *opinion) hear(means string) {
	o.no, o.yes = o.no || means == "0", o.yes || means == "1"
}

func (o *opinion) decide(otherwise bool) string {
	switch {
	case o.no:
		return "0"
	case o.yes, otherwise:
		return "1"
	}
	return "0"
}

type consents struct{ marketing, rodo opinion }

func (m *mixture) model() model {
	out := model{}
	for _, t := range m.tables() {
		if t != m.consents {
			out[t.name] = number(t.rows)
		}
	}
	if len(m.followups) == 2 { // one table is made of the two
		both := number(slices.Concat(m.followups[0].rows, m.followups[1].rows))
		for _, t := range m.followups {
			for _, row := range t.rows {
				out[t.name][row.tag] = both[row.tag]
			}
		}
	}
	people := m.listen()
	moved := m.modelConversations(out, people)
	movedLeads := m.modelLeads(out, people)
	m.modelMessages(out, moved)
	m.modelFollowups(out, moved)
	m.modelAudit(out, moved, movedLeads)
	m.modelAlerts(out)
	return out
}

// number gives ids: the first row with a number keeps it, the others get numbers
// after the highest one.
func number(rows []*drawnRow) map[int]*outcome {
	list := map[int]*outcome{}
	taken, highest := map[string]bool{}, 0
	for _, row := range rows {
		n, _ := strconv.Atoi(row.means["id"])
		highest = max(highest, n)
	}
	for _, row := range rows {
		o := &outcome{row: row, values: map[string]string{}}
		list[row.tag] = o
		if id := row.means["id"]; id != "" && !taken[id] {
			taken[id] = true
			o.id, _ = strconv.Atoi(id)
			continue
		}
		highest++
		o.id = highest
		o.changed = row.sql["id"] != "null"
	}
	for _, row := range rows {
		for _, bad := range row.bad {
			list[row.tag].changed = list[row.tag].changed || bad
		}
	}
	return list
}

// sessionOf is the id under which a session is kept.
func sessionOf(row *drawnRow) string {
	if row.means["session_id"] != "long" {
		return row.means["session_id"]
	}
	long := strings.Repeat("ż", 300)
	sum := sha256.Sum256([]byte(long))
	return strings.Repeat("ż", 222) + "~" + hex.EncodeToString(sum[:])[:32]
}

// listen collects what is said of consent, by session, and by tag of rows that
// have none.
func (m *mixture) listen() map[string]*consents {
	people := map[string]*consents{}
	of := func(row *drawnRow) *consents {
		key := sessionOf(row)
		if key == "" {
			key = fmt.Sprint("tag ", row.tag)
		}
		if people[key] == nil {
			people[key] = &consents{}
		}
		return people[key]
	}
	for _, t := range []*drawnTable{m.conversations, m.leads} {
		if t == nil {
			continue
		}
		for _, row := range t.rows {
			p := of(row)
			p.marketing.hear(row.means["marketing_consent"])
			p.rodo.hear(row.means["rodo_consent"])
			said := row.means["notes"]
			if t == m.conversations {
				_, said = contextOf(row)
			}
			for what, o := range map[string]*opinion{"m": &p.marketing, "r": &p.rodo} {
				for _, yes := range []string{"0", "1"} {
					if strings.Contains(said, what+yes) {
						o.hear(yes)
					}
				}
			}
		}
	}
	if m.consents != nil {
		for _, row := range m.consents.rows {
			of(row).rodo.hear(row.means["consent_given"])
		}
	}
	return people
}

// contextOf returns the e-mail of context_data and what it says of consent.
func contextOf(row *drawnRow) (email, said string) {
	if row.means["context_data"] == "" {
		return "", ""
	}
	parts := strings.Split(row.means["context_data"], "|")
	return parts[1], parts[2]
}

// earliest finds for each session the row that is kept.
func earliest(rows []*drawnRow, outcomes map[int]*outcome, column string) map[string]*drawnRow {
	kept := map[string]*drawnRow{}
	for _, row := range rows {
		key := sessionOf(row)
		if key == "" {
			continue
		}
		other := kept[key]
		if other == nil || before(row.means[column], outcomes[row.tag].id, other.means[column], outcomes[other.tag].id) {
			kept[key] = row
		}
	}
	return kept
}

// before compares a time, of which none is last, and then the id.
func before(at string, id int, otherAt string, otherID int) bool {
	if at != otherAt {
		return otherAt == "" || at != "" && at < otherAt
	}
	return id < otherID
}

// address maps what another table may refer to a row by to the row that is kept.
type address map[string]*outcome

func (m *mixture) modelConversations(out model, people map[string]*consents) address {
	moved := address{}
	if m.conversations == nil {
		return moved
	}
	rows, list := m.conversations.rows, out["chat_conversations"]
	kept := earliest(rows, list, "started_at")
	taken := map[string]bool{}
	for _, row := range rows {
		o := list[row.tag]
		keeper := o
		if k := kept[sessionOf(row)]; k != nil {
			keeper = list[k.tag]
		}
		if id := row.means["id"]; id != "" && !taken[id] {
			taken[id] = true
			moved[id] = keeper
		} else if id == "" && row.sql["id"] != "null" {
			moved[strings.Trim(row.sql["id"], "'")] = keeper
		}
		o.lost = keeper != o
		context, rest, _ := strings.Cut(row.means["context_data"], "|")
		email, _ := contextOf(row)
		o.changed = o.changed || strings.HasPrefix(context, "!") || row.means["session_id"] == "long"
		if row.means["email"] != "" {
			email = row.means["email"]
		}
		p := people[sessionOf(row)]
		if sessionOf(row) == "" {
			p = people[fmt.Sprint("tag ", row.tag)]
		}
		_ = rest
		maps.Copy(o.values, map[string]string{
			"session_id": sessionOf(row), "email": email, "started_at": row.means["started_at"], "context_data": strings.TrimPrefix(context, "!"),
			"awaiting_confirmation": orElse(row.means["awaiting_confirmation"], "0"), "needs_human_review": orElse(row.means["needs_human_review"], "0"),
			"followup_count": orElse(row.means["followup_count"], "0"), "last_followup_at": row.means["last_followup_at"],
			"last_user_message_at": "", "marketing_consent": p.marketing.decide(m.implied), "rodo_consent": p.rodo.decide(m.implied),
		})
	}
	return moved
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (m *mixture) modelLeads(out model, people map[string]*consents) address {
	moved := address{}
	if m.leads == nil {
		return moved
	}
	rows, list := m.leads.rows, out["leads"]
	kept := earliest(rows, list, "created_at")
	taken := map[string]bool{}
	for _, row := range rows {
		o := list[row.tag]
		keeper := o
		if k := kept[sessionOf(row)]; k != nil {
			keeper = list[k.tag]
		}
		if id := row.means["id"]; id != "" && !taken[id] {
			taken[id] = true
			moved[id] = keeper
		} else if id == "" && row.sql["id"] != "null" {
			moved[strings.Trim(row.sql["id"], "'")] = keeper
		}
		o.lost = keeper != o
		status := row.means["status"]
		o.changed = o.changed || status == "?" || row.means["session_id"] == "long"
		if status == "?" || status == "" {
			status = "new"
		}
		p := people[sessionOf(row)]
		if sessionOf(row) == "" {
			p = people[fmt.Sprint("tag ", row.tag)]
		}
		created, updated := row.means["created_at"], row.means["updated_at"]
		maps.Copy(o.values, map[string]string{
			"session_id": sessionOf(row), "email": row.means["email"], "name": row.means["name"], "status": status,
			"lead_score": orElse(row.means["lead_score"], "0"), "marketing_consent": p.marketing.decide(m.implied), "rodo_consent": p.rodo.decide(m.implied),
			"created_at": orElse(orElse(created, updated), "?now"), "updated_at": orElse(orElse(updated, created), "?now"),
		})
	}
	return moved
}

func (m *mixture) modelMessages(out model, moved address) {
	firsts := map[*outcome]string{}
	if m.messages != nil {
		for _, row := range m.messages.rows {
			o, conversation := out["chat_messages"][row.tag], moved[row.means["conversation_id"]]
			if conversation == nil {
				o.lost = true
				continue
			}
			sender := row.means["sender"]
			o.changed = o.changed || sender == "?"
			if sender == "?" || sender == "" {
				sender = "bot"
			}
			at := orElse(row.means["timestamp"], conversation.row.means["started_at"])
			if sender == "user" && at > conversation.values["last_user_message_at"] {
				conversation.values["last_user_message_at"] = at
			}
			if first, ok := firsts[conversation]; at != "" && (!ok || at < first) {
				firsts[conversation] = at
			}
			o.values = map[string]string{
				"conversation_id": strconv.Itoa(conversation.id), "message": row.means["message"], "sender": sender,
				"timestamp": orElse(at, "?now"), "is_followup": orElse(row.means["is_followup"], "0"),
			}
		}
	}
	for _, o := range out["chat_conversations"] {
		if !o.lost && o.values["started_at"] == "" {
			o.values["started_at"] = orElse(firsts[o], "?now")
		}
	}
}

func (m *mixture) modelFollowups(out model, moved address) {
	best := map[string]*outcome{}
	var all []*outcome
	for _, t := range m.followups {
		for _, row := range t.rows {
			all = append(all, out[t.name][row.tag])
		}
	}
	key := func(o *outcome) string {
		c := moved[o.row.means["conversation_id"]]
		if c == nil || o.row.means["followup_number"] == "" {
			return ""
		}
		return fmt.Sprint(c.id, " ", o.row.means["followup_number"])
	}
	for _, o := range all {
		k := key(o)
		if other := best[k]; k != "" && (other == nil || before(o.row.means["sent_at"], o.id, other.row.means["sent_at"], other.id)) {
			best[k] = o
		}
	}
	type sent struct {
		n  int
		at string
	}
	counted := map[*outcome]*sent{}
	for _, o := range all {
		k := key(o)
		if o.lost = best[k] != o; o.lost {
			continue
		}
		c := moved[o.row.means["conversation_id"]]
		if counted[c] == nil {
			counted[c] = &sent{}
		}
		counted[c].n++
		counted[c].at = max(counted[c].at, o.row.means["sent_at"])
		status := strings.Trim(o.row.means["status"], " ")
		o.changed = o.changed || len([]rune(status)) > 20
		at := orElse(orElse(o.row.means["sent_at"], c.row.means["last_followup_at"]), orElse(c.row.means["started_at"], "?now"))
		o.values = map[string]string{
			"conversation_id": strconv.Itoa(c.id), "followup_number": o.row.means["followup_number"],
			"status": string([]rune(orElse(status, "sent"))[:min(20, len([]rune(orElse(status, "sent"))))]), "sent_at": at,
		}
	}
	for c, s := range counted {
		n, _ := strconv.Atoi(c.values["followup_count"])
		c.values["followup_count"] = strconv.Itoa(max(n, s.n))
		c.values["last_followup_at"] = orElse(c.values["last_followup_at"], s.at)
	}
}
