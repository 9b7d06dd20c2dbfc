package storetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

func textCases() []testCase {
	return []testCase{
		{"FreeText_ComesBackAsItWas", textRoundTrip},
		{"FreeText_NULAndInvalidUTF8_BecomeReplacementCharacters", textReplaced},
		{"Payload_KeepsItsMeaning", payloadRoundTrip},
		{"Text_OverItsLimit_IsInvalidAndNeverCut", textLimits},
	}
}

// hostile holds texts that must survive unchanged.
var hostile = []string{
	"Zażółć gęślą jaźń ŁÓDŹ łódź",
	`'; DROP TABLE leads; -- "quoted" \ \\ \n %s %d $1 ?1 :name`,
	"100% _rabatu_ \\% \\_",
	"wiersz 1\nwiersz 2\r\n\ttab",
	"🏠👨‍👩‍👧‍👦 e\u0301 \u200b\u202e \ufeff",
	"\x1b[31mred\x1b[0m \x07",
	`{"a": null} [1,2]`,
	" spaces around ",
	"NULL",
	strings.Repeat("ł", 4000),
}

// textTurn puts one text into every free-text field of a turn.
func textTurn(session, text string) *chatops.Turn {
	t := leadTurn(session)
	t.UserMessage, t.BotMessage = text, text
	t.Lead.Message, t.Lead.Notes = text, text
	short := []rune(text)
	if len(short) > 40 {
		short = short[:40]
	}
	t.Conversation.Facts.Name, t.Conversation.Facts.City = string(short), string(short)
	t.Lead.Name, t.Lead.Location = string(short), string(short)
	return t
}

// wantText ends the test unless every field holds the text.
func (e *env) wantText(t *chatops.Turn, full, short string) {
	e.t.Helper()
	_, c := e.save(t)
	session := t.Conversation.SessionID
	if c.Facts.Name != short || c.Facts.City != short {
		e.t.Errorf("facts hold %q and %q, want %q", c.Facts.Name, c.Facts.City, short)
	}
	l, err := e.store.LeadBySession(e.ctx, session)
	e.must(err)
	if l.Message != full || l.Notes != full || l.Name != short || l.Location != short {
		e.t.Errorf("lead holds %q, %q, %q, %q; want %q and %q", l.Message, l.Notes, l.Name, l.Location, full, short)
	}
	messages, err := e.store.Messages(e.ctx, session, 10)
	e.must(err)
	for _, m := range messages {
		if m.Text != full {
			e.t.Errorf("message holds %q, want %q", m.Text, full)
		}
	}
}

func textRoundTrip(e *env) {
	for i, text := range hostile {
		t := textTurn("text-"+string(rune('a'+i)), text)
		e.wantText(t, text, t.Lead.Name)
	}
}

func textReplaced(e *env) {
	for session, text := range map[string]string{
		"nul": "a\x00b", "byte": "a\xffb", "cut": "a\xc5",
	} {
		want := chatops.CleanText(text)
		if want == text {
			e.t.Fatalf("%q is clean", text)
		}
		e.wantText(textTurn(session, text), want, want)
	}

	b := e.claim(request(slackLane, true, 1))
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{{
		AlertID: b.Alerts[0].ID, Kind: chatops.OutcomeRetry, Error: "bad\x00byte\xff", Fingerprint: "f\x00",
		Attempt: attempt(b.Alerts[0].ID, "transient", 0, "bad\x00byte\xff"),
	}}})
	a, attempts, err := e.store.Alert(e.ctx, b.Alerts[0].ID)
	e.must(err)
	if want := "bad\uFFFDbyte\uFFFD"; a.ErrorMessage != want || len(attempts) != 1 || attempts[0].Error != want {
		e.t.Errorf("error %q and attempts %+v, want %q", a.ErrorMessage, attempts, want)
	}
}

func payloadRoundTrip(e *env) {
	payloads := []string{
		`{"text":"Łódź \"q\" \\ \u0142 \ud83c\udfe0 <&>"}`,
		`{"text":"a\u0000b"}`, `{"text":"a\\u0000b"}`, `{"text":"\ud800"}`, "{\"text\":\"a\xffb\"}",
		`{"n":12345678901234567890,"f":1.50,"z":[],"o":{},"x":null,"t":true}`,
		`"just text"`, `[1,2,3]`, `null`, `{"deep":[[[[[[{"a":1}]]]]]]}`,
	}
	for i, payload := range payloads {
		a := newAlert(slackLane, "payload-"+string(rune('a'+i)))
		a.Payload = json.RawMessage(payload)
		if _, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{a}); err != nil {
			e.t.Fatalf("payload %s: %v", payload, err)
		}
	}
	b := e.claim(request(slackLane, true, len(payloads)))
	if len(b.Alerts) != len(payloads) {
		e.t.Fatalf("claimed %d of %d", len(b.Alerts), len(payloads))
	}
	for i, a := range b.Alerts {
		want := canonical(e, chatops.CleanJSON(json.RawMessage(payloads[i])))
		if got := canonical(e, a.Payload); got != want {
			e.t.Errorf("claimed payload %s, want %s", got, want)
		}
		if got := canonical(e, e.alert(a.ID).Payload); got != want {
			e.t.Errorf("listed payload %s, want %s", got, want)
		}
	}
}

// canonical renders JSON without insignificant differences (order of keys,
// spaces, spelling of characters) and without changing numbers.
func canonical(e *env, raw json.RawMessage) string {
	e.t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	e.must(dec.Decode(&v))
	out, err := json.Marshal(v)
	e.must(err)
	return string(out)
}

func textLimits(e *env) {
	fields := map[string]func(*chatops.Turn, string){
		"session":  func(t *chatops.Turn, s string) { t.Conversation.SessionID, t.Lead.SessionID = s, s },
		"email":    func(t *chatops.Turn, s string) { t.Conversation.Email, t.Conversation.Facts.Email = s, s },
		"lead":     func(t *chatops.Turn, s string) { t.Lead.Email = s },
		"name":     func(t *chatops.Turn, s string) { t.Lead.Name = s },
		"phone":    func(t *chatops.Turn, s string) { t.Lead.Phone = s },
		"package":  func(t *chatops.Turn, s string) { t.Lead.InterestedPackage = s },
		"size":     func(t *chatops.Turn, s string) { t.Lead.PropertySize = s },
		"location": func(t *chatops.Turn, s string) { t.Lead.Location = s },
		"facts":    func(t *chatops.Turn, s string) { t.Conversation.Facts.City = s },
	}
	for name, set := range fields {
		for _, n := range []int{255, 256, 10_000} {
			t := leadTurn(fmt.Sprintf("limit-%s-%d", name, n))
			t.Alerts = nil
			text := strings.Repeat("ł", n)
			set(t, text)
			e.wantWholeOrInvalid(t, name, n)
		}
	}
	t := leadTurn("email-255")
	t.Alerts = nil
	t.Conversation.Email = strings.Repeat("a", 243) + "@example.com"
	t.Lead.Email, t.Conversation.Facts.Email = t.Conversation.Email, t.Conversation.Email
	if _, c := e.save(t); c.Email != t.Conversation.Email {
		e.t.Errorf("an e-mail address of 255 characters came back with %d", len(c.Email))
	}
	t = leadTurn("email-256")
	t.Alerts = nil
	t.Conversation.Email = strings.Repeat("a", 244) + "@example.com"
	_, err := e.store.SaveTurn(e.ctx, t)
	e.wantCode(err, chatops.CodeInvalid)
}

// wantWholeOrInvalid ends the test when a turn is stored with anything cut off.
func (e *env) wantWholeOrInvalid(t *chatops.Turn, field string, n int) {
	e.t.Helper()
	session := t.Conversation.SessionID
	if _, err := e.store.SaveTurn(e.ctx, t); err != nil {
		if code := chatops.ErrorCode(err); code != chatops.CodeInvalid {
			e.t.Errorf("%s of %d characters: %q (%v), want %q or success", field, n, code, err, chatops.CodeInvalid)
		}
		if _, err := e.store.Conversation(e.ctx, session); chatops.ErrorCode(err) != chatops.CodeNotFound {
			e.t.Errorf("%s of %d characters was refused, but the conversation exists (%v)", field, n, err)
		}
		return
	}
	c, err := e.store.Conversation(e.ctx, session)
	e.must(err)
	l, err := e.store.LeadBySession(e.ctx, session)
	e.must(err)
	want := *t.Lead
	want.ID, want.CreatedAt, want.UpdatedAt = l.ID, l.CreatedAt, l.UpdatedAt
	if c.Email != t.Conversation.Email || c.Facts != t.Conversation.Facts || *l != want {
		e.t.Errorf("%s of %d characters was stored changed", field, n)
	}
}
