package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/ratelimit"

	"github.com/danielgtaylor/huma/v2"
)

// The texts that clients of the older API know.
const (
	errNobodyNamed  = "Must provide email, conversation_id, or lead_id"
	errNoEmail      = "Email is required"
	errBadEmail     = "Invalid email"
	saidUnsubscribe = "Successfully unsubscribed from marketing emails"
	saidRevoked     = "All consents revoked. Your data will not be processed."
)

// Bounds of what the audit log keeps, in characters.
const (
	maxUserAgent = 500
	maxReason    = 1000
)

// unsubscribeBody documents what POST /api/unsubscribe takes.
type unsubscribeBody struct {
	Email          string   `json:"email,omitempty" maxLength:"255"`
	Token          string   `json:"token,omitempty" doc:"Of a link in a mail: it names the address, whatever number is beside it"`
	ConversationID int64    `json:"conversation_id,omitempty"`
	LeadID         int64    `json:"lead_id,omitempty"`
	Reason         *string  `json:"reason,omitempty" doc:"Never required"`
	_              struct{} `json:"-" additionalProperties:"true"`
}

// revokeBody documents what POST /api/revoke-consent takes.
type revokeBody struct {
	Email  string   `json:"email,omitempty" maxLength:"255"`
	Token  string   `json:"token,omitempty" doc:"Of a link in a mail: it names the address"`
	Reason *string  `json:"reason,omitempty" doc:"Never required"`
	_      struct{} `json:"-" additionalProperties:"true"`
}

type withdrawnOutput struct{ Body withdrawn }

type withdrawn struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
	Email   string `json:"email" doc:"As sent, without the spaces around; empty where a token or a number named the person"`
}

type statusInput struct {
	Email  string `path:"email" doc:"The address, percent-encoded"`
	Token  string `query:"token" doc:"Of a link in a mail to this address"`
	Header string `header:"X-Consent-Token" doc:"The same token: headers are kept in fewer places than addresses"`
}

type consentStatusOutput struct{ Body consentStatus }

// consentStatus says nothing but the address to whoever has not proved a right
// to know: the other members are null then.
type consentStatus struct {
	Email            string     `json:"email" doc:"As sent"`
	Verified         bool       `json:"verified" doc:"false: without the admin key or a token of the address nothing is told"`
	IsUnsubscribed   *bool      `json:"is_unsubscribed"`
	MarketingConsent *bool      `json:"marketing_consent"`
	RODOConsent      *bool      `json:"rodo_consent"`
	LastAction       *string    `json:"last_action"`
	LastActionAt     *time.Time `json:"last_action_at" doc:"UTC"`
}

func (s *Server) addConsent() {
	addJSON[unsubscribeBody](s, huma.Operation{
		OperationID: "unsubscribe", Method: http.MethodPost, Path: "/api/unsubscribe", Summary: "Withdraw consent to marketing",
		Description: "Name the person by email, by the token of a link, or by conversation_id or lead_id. It holds at once, " +
			"and the answer is the same whether the person is known or not.",
		Tags: []string{"Consent"}, Metadata: underLimits(limitConsent),
	}, s.unsubscribe)
	addJSON[revokeBody](s, huma.Operation{
		OperationID: "revoke-consent", Method: http.MethodPost, Path: "/api/revoke-consent", Summary: "Withdraw all consent",
		Description: "Consent to the processing of personal data and to marketing, of the email or the token of a link. " +
			"It holds at once, and the answer is the same whether the address is known or not.",
		Tags: []string{"Consent"}, Metadata: underLimits(limitConsent),
	}, s.revoke)
	addOperation(s, huma.Operation{
		OperationID: "unsubscribe-status", Method: http.MethodGet, Path: "/api/unsubscribe/status/{email}",
		Summary:     "What is known of an address's consent",
		Description: "With the admin key or a token of the address; without them every answer is the same.",
		Tags:        []string{"Consent"}, Errors: []int{400, 404},
	}, s.consentStatus)
	addJSON[rodoBody](s, huma.Operation{
		OperationID: "rodo-consent", Method: http.MethodPost, Path: "/api/chatbot/rodo-consent",
		Summary: "Give or withdraw consent to the processing of personal data in a conversation",
		Tags:    []string{"Consent"},
	}, s.rodoConsent)
}

func (s *Server) unsubscribe(ctx context.Context, in *jsonBody) (*withdrawnOutput, error) {
	o, err := decodeObject(in.RawBody, errNobodyNamed)
	if err != nil {
		return nil, err
	}
	w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe}
	if w.ConversationID, err = o.id("conversation_id"); err != nil {
		return nil, err
	}
	if w.LeadID, err = o.id("lead_id"); err != nil {
		return nil, err
	}
	address, err := s.person(o)
	if err != nil {
		return nil, err
	}
	if address == nil && w.ConversationID == 0 && w.LeadID == 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, errNobodyNamed)
	}
	return s.withdraw(ctx, o, w, address, saidUnsubscribe)
}

func (s *Server) revoke(ctx context.Context, in *jsonBody) (*withdrawnOutput, error) {
	o, err := decodeObject(in.RawBody, errNoEmail)
	if err != nil {
		return nil, err
	}
	address, err := s.person(o)
	if err != nil {
		return nil, err
	}
	if address == nil {
		return nil, chatops.Errorf(chatops.CodeInvalid, errNoEmail)
	}
	return s.withdraw(ctx, o, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke}, address, saidRevoked)
}

// withdraw completes a withdrawal and stores it. How much it changed is not
// told: it would say whether the person is known.
func (s *Server) withdraw(ctx context.Context, o object, w chatops.ConsentWithdrawal, address *emailAddress, said string) (*withdrawnOutput, error) {
	reason, err := o.text("reason")
	if err != nil {
		return nil, err
	}
	out := &withdrawnOutput{Body: withdrawn{Success: true, Message: said}}
	if address != nil {
		out.Body.Email = address.typed
	}
	if err := s.store(ctx, w, address, reason); err != nil {
		return nil, err
	}
	return out, nil
}

// store stores a withdrawal, whoever asked in whatever way. A token stands for
// the whole person: a number beside it could be anybody's.
func (s *Server) store(ctx context.Context, w chatops.ConsentWithdrawal, address *emailAddress, reason string) error {
	x := exchangeOf(ctx)
	w.Origin = s.origin(x.request, reason)
	if address != nil {
		if p := s.limitAddress(ctx, x, address, string(w.Action)); p != nil {
			return p
		}
		if w.EmailKey = address.key; address.proved {
			w.ConversationID, w.LeadID = 0, 0
		}
	}
	_, err := s.opts.Consent.WithdrawConsent(ctx, w)
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return nil
	}
	return err
}

// person returns the address that the members email and token name; nil when
// there is neither.
func (s *Server) person(o object) (*emailAddress, error) {
	named, err := o.email()
	if err != nil {
		return nil, err
	}
	return s.token(o, named)
}

// limitAddress counts a withdrawal for the address that it names, whoever asks.
// Each kind is counted by itself, so that nobody can keep a person from
// withdrawing more. An answer within the limit does not show what is left of
// it: that would tell what others have asked.
func (s *Server) limitAddress(ctx context.Context, x *exchange, address *emailAddress, action string) *Problem {
	if s.opts.Limits == nil {
		return nil
	}
	d := s.opts.Limits.Allow(ctx, clientKey(x.client),
		ratelimit.Check{Limit: limitConsent, Key: "@" + digest(address.key) + " " + action})
	if d.Off || d.Allowed {
		return nil
	}
	s.describe(x.Header(), d, []string{limitConsent})
	return tooMany(x.id, d, "for one address")
}

// email reads the member email; nil when it is absent, null or blank.
func (o object) email() (*emailAddress, error) {
	text, err := o.text("email")
	if err != nil {
		return nil, err
	}
	a, ok := parseEmail(text)
	switch {
	case a.typed == "":
		return nil, nil //nolint:nilnil // nobody is named
	case !ok:
		return nil, chatops.Errorf(chatops.CodeInvalid, errBadEmail)
	}
	return &a, nil
}

// origin is who asked, for the audit log.
func (s *Server) origin(r *http.Request, reason string) chatops.ConsentOrigin {
	o := chatops.ConsentOrigin{
		UserAgent: shorten(chatops.CleanText(r.UserAgent()), maxUserAgent),
		Reason:    shorten(chatops.CleanText(reason), maxReason),
	}
	if a := s.clientAddr(r); a.IsValid() {
		o.IPAddress = a.String()
	}
	return o
}

func (s *Server) consentStatus(ctx context.Context, in *statusInput) (*consentStatusOutput, error) {
	a, ok := parseEmail(in.Email)
	if !ok {
		return nil, chatops.Errorf(chatops.CodeInvalid, errBadEmail)
	}
	out := &consentStatusOutput{Body: consentStatus{Email: a.typed}}
	admin := s.isAdmin(exchangeOf(ctx).request)
	if !admin && !s.ownAddress(in, a.key) {
		return out, nil
	}
	known, err := s.opts.Consent.ConsentStatus(ctx, a.key)
	switch unknown := chatops.ErrorCode(err) == chatops.CodeNotFound; {
	case unknown && !admin:
		known = &chatops.ConsentStatus{} // they agreed to nothing, and whether we knew them is no matter
	case unknown:
		return nil, chatops.WrapError(chatops.CodeNotFound, err, "Email not found")
	case err != nil:
		return nil, err
	}
	b := &out.Body
	b.Verified = true
	b.IsUnsubscribed, b.MarketingConsent, b.RODOConsent = &known.IsUnsubscribed, &known.MarketingConsent, &known.RODOConsent
	if known.LastAction != "" {
		action, at := string(known.LastAction), known.LastActionAt.UTC()
		b.LastAction, b.LastActionAt = &action, &at
	}
	return out, nil
}

// ownAddress reports whether a request carries a token of the address.
func (s *Server) ownAddress(in *statusInput, key string) bool {
	owner, ok := s.tokenAddress(chatops.PurposeUnsubscribe, cmp.Or(in.Header, in.Token))
	return ok && owner.key == key
}
