package server

import (
	"context"

	"chatops/internal/chatops"
)

const errNoSession = "Session ID is required"

// rodoBody documents what POST /api/chatbot/rodo-consent takes.
type rodoBody struct {
	SessionID    string   `json:"session_id" minLength:"1" maxLength:"100" doc:"The conversation; it need not have begun"`
	ConsentGiven bool     `json:"consent_given,omitempty" default:"true" doc:"false withdraws the consent"`
	_            struct{} `json:"-" additionalProperties:"true"`
}

type rodoOutput struct{ Body rodoResult }

type rodoResult struct {
	Success bool   `json:"success"`
	Message string `json:"message" doc:"In Polish, as the older clients show it"`
}

// rodoConsent stores what a visitor says about the processing of their data.
// The older API kept the first answer for ever; here the last one holds.
func (s *Server) rodoConsent(ctx context.Context, in *jsonBody) (*rodoOutput, error) {
	o, err := decodeObject(in.RawBody, errNoSession)
	if err != nil {
		return nil, err
	}
	session, err := o.text("session_id")
	switch {
	case err != nil:
		return nil, err
	case session == "":
		return nil, chatops.Errorf(chatops.CodeInvalid, errNoSession)
	case !validSessionID(session):
		return nil, errSessionID
	}
	given, err := o.flag("consent_given", true)
	if err != nil {
		return nil, err
	}
	same, err := s.opts.Consent.SetSessionConsent(ctx, session, given, s.opts.ImpliedConsent, s.origin(exchangeOf(ctx).request, ""))
	if err != nil {
		return nil, err
	}
	said := map[bool]map[bool]string{ // by given, by same
		true:  {false: "Zgoda RODO zapisana pomyślnie", true: "Zgoda RODO już zapisana"},
		false: {false: "Zgoda RODO wycofana", true: "Zgoda RODO już wycofana"},
	}
	return &rodoOutput{Body: rodoResult{Success: true, Message: said[given][same]}}, nil
}
