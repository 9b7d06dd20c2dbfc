package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// ChatService answers visitors.
type ChatService interface {
	// Reply answers one message and stores the turn. CodeUnavailable when it
	// could not be stored: nothing was answered then.
	Reply(ctx context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error)
	// History returns a session's messages, oldest first; none for a session
	// that does not exist.
	History(ctx context.Context, sessionID string) ([]chatops.Message, error)
}

// chatBody documents what POST /api/chatbot/chat takes; decodeChat reads it.
type chatBody struct {
	Message   string       `json:"message" minLength:"1" maxLength:"4000" doc:"What the visitor says"`
	SessionID string       `json:"session_id,omitempty" maxLength:"100" doc:"From an earlier reply; leave it out to start a conversation"`
	Consent   *consentBody `json:"consent,omitempty" doc:"Leave it out to leave stored consent as it is"`
	_         struct{}     `json:"-" additionalProperties:"true"`
}

type consentBody struct {
	Marketing *bool `json:"marketing,omitempty" doc:"Consent to marketing messages"`
	RODO      *bool `json:"rodo,omitempty" doc:"Consent to the processing of personal data (RODO, GDPR)"`
	// The texts are for clients that show a wording of their choice, and for
	// pages that were open when the wording was changed.
	MarketingText int64    `json:"marketing_text,omitempty" minimum:"1" doc:"Number of the consent text that was shown (chatops consent texts list); left out: the current one in the language of the conversation"`
	RODOText      int64    `json:"rodo_text,omitempty" minimum:"1" doc:"The same for rodo"`
	_             struct{} `json:"-" additionalProperties:"true"`
}

type chatOutput struct{ Body *chatops.ChatReply }

const errMessageText = "Message must be a non-empty string"

func (s *Server) addChat() {
	op := addJSON[chatBody](s, huma.Operation{
		OperationID: "chat", Method: http.MethodPost, Path: "/api/chatbot/chat",
		Summary:     "Say something to the chatbot",
		Description: "Answers a message and stores the turn: whoever gets a 200 can rely on it.",
		Tags:        []string{"Chat"}, Parameters: []*huma.Param{onceParam()},
		Errors:   []int{http.StatusConflict, http.StatusUnprocessableEntity},
		Metadata: underLimits(limitChat),
	}, s.chat)
	documentHeader(op, "200", replayHeader, "true: this is the answer of an earlier request with the same Idempotency-Key")
	s.addHistory()
	addOperation(s, huma.Operation{
		OperationID: "chat-health", Method: http.MethodGet, Path: "/api/chatbot/health",
		Summary: "Says that the chatbot's API answers",
		Tags:    []string{"Health"},
	}, func(context.Context, *struct{}) (*chatHealthOutput, error) {
		return &chatHealthOutput{Body: chatHealth{Status: "healthy", Service: "chatbot"}}, nil
	})
}

func (s *Server) chat(ctx context.Context, in *jsonBody) (*chatOutput, error) {
	req, err := decodeChat(in.RawBody)
	if err != nil {
		return nil, err
	}
	x := exchangeOf(ctx)
	if req.Once, err = s.onceKey(x, "chat", s.chatOwner(x, &req), req.Message, req.SessionID,
		said(req.Consent.Marketing), said(req.Consent.RODO)); err != nil {
		return nil, err
	}
	req.Consent.Origin = s.origin(x.request, "")
	reply, err := s.opts.Chat.Reply(ctx, req)
	if err != nil {
		return nil, err
	}
	if reply.Replayed {
		x.replayed()
	}
	if reply.Sources == nil || reply.Alerts == nil {
		filled := *reply
		filled.Sources = append([]string{}, reply.Sources...)
		filled.Alerts = append([]string{}, reply.Alerts...)
		reply = &filled
	}
	return &chatOutput{Body: reply}, nil
}

// chatOwner returns who a key belongs to: the conversation or, where it is to
// begin, the client.
func (s *Server) chatOwner(x *exchange, req *chatops.ChatRequest) func() string {
	return func() string {
		if req.SessionID == "" {
			return s.clientScope(x)
		}
		return ":" + req.SessionID
	}
}

// said writes what may be left out.
func said(answer *bool) string {
	if answer == nil {
		return ""
	}
	return strconv.FormatBool(*answer)
}

// decodeChat reads the body of a chat request and checks what does not depend
// on the conversation. Unknown members are ignored, as they always were.
func decodeChat(body []byte) (chatops.ChatRequest, error) {
	var req chatops.ChatRequest
	members, err := parseObject(body)
	if err != nil {
		return req, refuseBody(err, errMessageText)
	}
	for _, m := range members {
		ok := true
		switch m.name {
		case "message":
			req.Message, _ = parseString(m.value) // the check below says it
		case "session_id":
			if !isNull(m.value) {
				req.SessionID, ok = parseString(m.value)
			}
		case "consent":
			req.Consent, ok = decodeConsent(m.value)
		}
		if !ok {
			return req, chatops.Errorf(chatops.CodeInvalid, "%s has the wrong type", m.name)
		}
	}
	req.Message = chatops.CleanText(strings.TrimSpace(req.Message))
	switch {
	case req.Message == "":
		return req, chatops.Errorf(chatops.CodeInvalid, errMessageText)
	case utf8.RuneCountInString(req.Message) > chatops.MaxMessageLength:
		return req, chatops.Errorf(chatops.CodeTooLarge, "message too long")
	case req.SessionID != "" && !validSessionID(req.SessionID):
		return req, errSessionID
	}
	return req, nil
}

var errSessionID = chatops.Errorf(chatops.CodeInvalid,
	"session_id must have 1 to %d printable characters without spaces", chatops.MaxSessionIDLength)

// decodeConsent reads {"marketing": bool, "rodo": bool} and the numbers of their
// texts; null and absent members leave consent as it is.
func decodeConsent(raw []byte) (c chatops.ChatConsent, ok bool) {
	ok = true
	if isNull(raw) {
		return c, true
	}
	members, err := parseObject(raw)
	if err != nil {
		return c, false
	}
	for _, m := range members {
		var into **bool
		switch m.name {
		case "marketing":
			into = &c.Marketing
		case "rodo":
			into = &c.RODO
		case "marketing_text":
			c.MarketingText, ok = textNumber(m.value)
		case "rodo_text":
			c.RODOText, ok = textNumber(m.value)
		}
		if into == nil {
			if !ok {
				return c, false
			}
			continue
		}
		switch value := string(m.value); value {
		case "null":
		case "true", "false":
			given := value == "true"
			*into = &given
		default:
			return c, false
		}
	}
	return c, true
}

// textNumber reads the number of a consent text; null is none.
func textNumber(raw []byte) (id int64, ok bool) {
	if isNull(raw) {
		return 0, true
	}
	id, ok = parseID(string(raw))
	return id, ok && id > 0
}

// validSessionID accepts identifiers of any maker: printable, no spaces, no
// U+FFFD (which stands for text that was not Unicode).
func validSessionID(id string) bool {
	n := 0
	for _, r := range id {
		n++
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '/' {
			return false
		}
	}
	return n > 0 && n <= chatops.MaxSessionIDLength
}

type chatHealthOutput struct{ Body chatHealth }

type chatHealth struct {
	Status  string `json:"status" enum:"healthy"`
	Service string `json:"service" enum:"chatbot"`
}
