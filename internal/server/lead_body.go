package server

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// The most characters of a lead's fields.
const (
	maxLeadName    = 100
	maxLeadPhone   = 20
	maxLeadMessage = 5000
)

// The texts that clients of the older API know.
const (
	errNotObject  = "Request body must be a JSON object"
	errNoBulk     = "lead_ids and status are required"
	errBadStatus  = "Invalid status. Must be one of: "
	errMissing    = "Missing required field: "
	errNoSuchLead = "Lead not found"
)

// leadBody documents what POST /api/leads/ takes; decodeLead reads it.
type leadBody struct {
	Name    string       `json:"name" minLength:"1" maxLength:"100" doc:"One line"`
	Email   string       `json:"email" minLength:"3" maxLength:"255"`
	Phone   *string      `json:"phone,omitempty" maxLength:"20"`
	Message *string      `json:"message,omitempty" maxLength:"5000"`
	Consent *consentBody `json:"consent,omitempty" doc:"What was ticked in the form; left out: what CONSENT_MODE says"`
	_       struct{}     `json:"-" additionalProperties:"true"`
}

// leadChangeBody documents what PUT /api/leads/{id} takes; decodeLeadChange
// reads it.
type leadChangeBody struct {
	Name    string   `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Email   string   `json:"email,omitempty" minLength:"3" maxLength:"255"`
	Phone   *string  `json:"phone,omitempty" maxLength:"20" doc:"null or an empty text clears it"`
	Message *string  `json:"message,omitempty" maxLength:"5000" doc:"null or an empty text clears it"`
	Status  string   `json:"status,omitempty" enum:"new,contacted,qualified,converted,lost"`
	_       struct{} `json:"-" additionalProperties:"true"`
}

type leadStatusBody struct {
	Status string   `json:"status" enum:"new,contacted,qualified,converted,lost"`
	_      struct{} `json:"-" additionalProperties:"true"`
}

type bulkBody struct {
	LeadIDs []int64  `json:"lead_ids" minItems:"1" maxItems:"1000" nullable:"false"`
	Status  string   `json:"status" enum:"new,contacted,qualified,converted,lost"`
	_       struct{} `json:"-" additionalProperties:"true"`
}

// decodeLead reads a lead that a form sends. The checks are made in the order
// of the older API: what is missing first, then field by field.
func decodeLead(body []byte) (*chatops.Lead, chatops.ChatConsent, error) {
	var c chatops.ChatConsent
	o, err := decodeObject(body, errNotObject)
	if err != nil {
		return nil, c, err
	}
	for _, name := range []string{"name", "email"} {
		if _, given := o.get(name); !given {
			return nil, c, chatops.Errorf(chatops.CodeInvalid, "%s%s", errMissing, name)
		}
	}
	var l chatops.Lead
	for _, f := range []struct {
		name string
		into *string
	}{{"name", &l.Name}, {"email", &l.Email}, {"phone", &l.Phone}, {"message", &l.Message}} {
		if *f.into, err = o.leadField(f.name); err != nil {
			return nil, c, err
		}
	}
	// Forms of older clients send members of their own: one that is no object
	// says nothing that could be relied on.
	if raw, given := o.get("consent"); given && raw[0] == '{' {
		var ok bool
		if c, ok = decodeConsent(raw); !ok {
			return nil, c, chatops.Errorf(chatops.CodeInvalid, "Invalid consent")
		}
	}
	return &l, c, nil
}

// decodeLeadChange reads what a PUT changes, by the same rules.
func decodeLeadChange(body []byte) (chatops.LeadChange, error) {
	var c chatops.LeadChange
	o, err := decodeObject(body, errNotObject)
	if err != nil {
		return c, err
	}
	for _, f := range []struct {
		name string
		into **string
	}{{"name", &c.Name}, {"email", &c.Email}, {"phone", &c.Phone}, {"message", &c.Message}} {
		if !o.has(f.name) {
			continue
		}
		text, err := o.leadField(f.name)
		if err != nil {
			return c, err
		}
		*f.into = &text
	}
	if o.has("status") {
		status, err := o.leadStatus()
		if err != nil {
			return c, err
		}
		c.Status = &status
	}
	return c, nil
}

// leadField reads and checks one field; what may be left out may be null.
func (o object) leadField(name string) (text string, err error) {
	raw, given := o.get(name)
	ok := true
	if given {
		text, ok = parseString(raw)
	}
	if name != "message" {
		text = strings.TrimSpace(text)
	}
	switch name {
	case "name":
		ok = ok && given && isLine(text, 1, maxLeadName)
	case "email":
		var a emailAddress
		if ok = ok && given; ok {
			a, ok = parseEmail(text)
			text = a.mail
		}
	case "phone":
		ok = ok && isLine(text, 0, maxLeadPhone)
	case "message":
		text = chatops.CleanText(text)
		ok = ok && utf8.RuneCountInString(text) <= maxLeadMessage
	}
	if !ok {
		return "", chatops.Errorf(chatops.CodeInvalid, "Invalid %s", name)
	}
	return text, nil
}

// leadStatus reads the member status.
func (o object) leadStatus() (chatops.LeadStatus, error) {
	raw, _ := o.get("status")
	text, _ := parseString(raw)
	if status := chatops.LeadStatus(text); status.Valid() {
		return status, nil
	}
	return "", badStatus()
}

func badStatus() error {
	return chatops.Errorf(chatops.CodeInvalid, "%s%s", errBadStatus, wordList(chatops.LeadStatuses()))
}

func wordList[T ~string](words []T) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return strings.Join(list, ", ")
}

// isLine accepts low to high characters of one line: nothing that could begin
// another line or header, end a text, or turn its direction.
func isLine(s string, low, high int) bool {
	n := 0
	for _, r := range s {
		n++
		if r == utf8.RuneError || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return false
		}
	}
	return n >= low && n <= high
}

// maxBulk is how many leads one request may change.
const maxBulk = 1000

// decodeBulk reads the ids, without repetition, and the status.
func decodeBulk(body []byte) (ids []int64, status chatops.LeadStatus, err error) {
	o, err := decodeObject(body, errNoBulk)
	if err != nil {
		return nil, "", err
	}
	list, given := o.get("lead_ids")
	_, named := o.get("status")
	if ids, err = decodeIDs(list); given && err != nil {
		return nil, "", err
	}
	if len(ids) == 0 || !named {
		return nil, "", chatops.Errorf(chatops.CodeInvalid, errNoBulk)
	}
	status, err = o.leadStatus()
	return ids, status, err
}

var errLeadIDs = chatops.Errorf(chatops.CodeInvalid, "lead_ids must be a list of at most %d whole numbers", maxBulk)

// decodeIDs reads an array of whole numbers that parseObject has seen already.
func decodeIDs(raw []byte) ([]int64, error) {
	text := strings.TrimSpace(string(raw))
	if len(text) < 2 || text[0] != '[' {
		return nil, errLeadIDs
	}
	text = strings.TrimSpace(text[1 : len(text)-1])
	if text == "" {
		return nil, nil
	}
	var ids []int64
	seen := map[int64]bool{}
	for item := range strings.SplitSeq(text, ",") {
		id, ok := parseID(strings.TrimSpace(item))
		if !ok || len(ids) == maxBulk {
			return nil, errLeadIDs
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
