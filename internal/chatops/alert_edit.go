package chatops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
)

// AlertEdit puts an alert with another payload in place of a failed one.
type AlertEdit struct {
	AlertID int64
	Payload json.RawMessage
	Actor   string
	Reason  string
}

// Lineage is what an alert was replaced by, and what it replaces.
type Lineage struct {
	ReplacedBy, Replaces int64 // 0: nothing
	Actor, Reason        string
	At                   time.Time // of the newer of the two
}

// Add takes in that an alert replaces another one; it concerns the alert with the
// id.
func (l *Lineage) Add(id, alert, replaces int64, at time.Time) {
	if alert == id {
		l.Replaces = replaces
	} else {
		l.ReplacedBy = alert
	}
	l.At = at
}

// EditStore replaces alerts.
type EditStore interface {
	// ReplaceAlert discards a failed alert and stores another one with the new
	// payload, due now, in one transaction, and returns its id. CodeNotFound
	// without such an alert, CodeConflict when it is not failed.
	ReplaceAlert(ctx context.Context, e AlertEdit) (int64, error)
	// AlertLineage returns what an alert was replaced by and what it replaces.
	AlertLineage(ctx context.Context, id int64) (*Lineage, error)
}

// ReplacementKey is the idempotency key of what replaces an alert: another one,
// so that receivers take it for another message, but still that of the lead's
// receiver.
func (a *Alert) ReplacementKey() string {
	suffix := "~" + strconv.FormatInt(a.ID, 10)
	if a.IdempotencyKey == "" || len(a.IdempotencyKey)+len(suffix) > maxIdempotencyID {
		return "edit" + suffix
	}
	return a.IdempotencyKey + suffix
}

// editable makes the payload of each type that may be edited, and says whether it
// has what no sender can do without.
var editable = map[string]func() (payload any, complete func() bool){
	EventSlackAlert: func() (any, func() bool) {
		p := &SlackPayload{}
		return p, func() bool { return p.Text != "" }
	},
	EventMondayItem: func() (any, func() bool) {
		p := &MondayPayload{}
		return p, func() bool { return p.ItemName != "" && p.ExternalID != "" }
	},
	EventEmailAlert: func() (any, func() bool) {
		p := &EmailPayload{}
		return p, func() bool { return p.Subject != "" && p.Text != "" }
	},
	EventWebhook: func() (any, func() bool) {
		p := &WebhookPayload{}
		return p, func() bool { return p.Type != "" && p.Timestamp != "" && p.Data != nil }
	},
}

// CheckEdit reports why a payload cannot take the place of an alert's, as
// CodeInvalid. An alert whose payload has the form of its type must keep it. What
// an older writer stored need only stay a JSON object. Mails that this program
// accounts for by themselves, such as follow-ups, are not edited.
func (a *Alert) CheckEdit(payload json.RawMessage) error {
	makeFunc, ok := editable[a.EventType]
	if !ok {
		switch a.EventType {
		case EventFollowup, EventConsentMail, EventEscalation, EventMondayDelete:
			return Errorf(CodeInvalid, "alerts of the type %s are not edited: what was sent is on record elsewhere", a.EventType)
		}
		return checkObject(payload)
	}
	if was, complete := makeFunc(); decodeStrictly(a.Payload, was) != nil || !complete() {
		return checkObject(payload)
	}
	now, complete := makeFunc()
	if err := decodeStrictly(payload, now); err != nil {
		return Errorf(CodeInvalid, "the payload has not the form of %s: %s", a.EventType, wordDecoding(err))
	}
	if !complete() {
		return Errorf(CodeInvalid, "the payload of %s lacks what has to be in it", a.EventType)
	}
	return nil
}

func checkObject(payload json.RawMessage) error {
	var object map[string]any
	if err := json.Unmarshal(payload, &object); err != nil || object == nil {
		return Errorf(CodeInvalid, "the payload is no JSON object")
	}
	return nil
}

// decodeStrictly takes no unknown field and nothing behind the value.
func decodeStrictly(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Errorf(CodeInvalid, "more than one value")
	}
	return nil
}

// wordDecoding names a field, never a value.
func wordDecoding(err error) string {
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if typed.Field == "" {
			return "it is no JSON object"
		}
		return "the field " + typed.Field + " has a value of the wrong kind"
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "it is no JSON after " + strconv.FormatInt(syntax.Offset, 10) + " bytes"
	}
	return "a field is not known, or something is missing"
}
