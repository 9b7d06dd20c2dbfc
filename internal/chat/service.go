package chat

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// Consent modes: what holds for a visitor who has said nothing.
const (
	ConsentExplicit = "explicit" // no consent until it is given (GDPR, article 4(11))
	ConsentImplied  = "implied"  // consent until it is withdrawn
)

// Options are the settings of a Service.
type Options struct {
	Store chatops.ConversationStore
	// Once keeps the replies of requests that carry a key; nil: keys are refused.
	Once chatops.OnceStore
	// Replies spares the database the question for replies that Once keeps; nil:
	// it is asked each time. What is stored there is encrypted.
	Replies Cache
	// Leads keeps the leads that come without a conversation; nil: CreateLead
	// fails.
	Leads chatops.LeadStore
	// Texts are the wordings that people agree to; nil: what was agreed to is not
	// put on record.
	Texts ConsentTexts
	// Knowledge is what the bot knows, from LoadKnowledge; nil means the embedded
	// knowledge base.
	Knowledge *Knowledge
	// Answerer words the answers to questions; nil: visitors read the entries of
	// the knowledge base, as they do when it has no answer.
	Answerer Answerer
	// ConsentMode is ConsentExplicit (also when empty) or ConsentImplied.
	ConsentMode string
	// SlackLeadScore is the least score of a lead that Slack hears of; 0 means
	// DefaultSlackLeadScore, a negative one that every lead counts.
	SlackLeadScore int
	AdminEmail     string   // gets a mail for each lead; empty: nobody
	Webhooks       []string // names of the webhooks that each lead is posted to
	// WakeFunc is called after a turn has queued alerts.
	WakeFunc func()
	// NowFunc is the clock; nil means time.Now.
	NowFunc func() time.Time
}

// DefaultSlackLeadScore is the least score of a lead that Slack hears of.
const DefaultSlackLeadScore = 70

// historyLimit is how many messages of a conversation are shown.
const historyLimit = 1000

// Service answers visitors. It is safe for concurrent use.
type Service struct {
	opts      Options
	knowledge *Knowledge
	extractor *Extractor
	flights   flights
}

// New builds a service, or gives CodeInvalid for a setting that cannot work.
func New(opts Options) (*Service, error) {
	if opts.Store == nil {
		return nil, chatops.Errorf(chatops.CodeInternal, "chat needs a store")
	}
	if opts.Knowledge == nil {
		k, err := LoadKnowledge(Embedded())
		if err != nil {
			return nil, err
		}
		opts.Knowledge = k
	}
	switch opts.ConsentMode {
	case "":
		opts.ConsentMode = ConsentExplicit
	case ConsentExplicit, ConsentImplied:
	default:
		return nil, chatops.Errorf(chatops.CodeInvalid, "consent mode %q: must be %s or %s", opts.ConsentMode, ConsentExplicit, ConsentImplied)
	}
	if opts.SlackLeadScore == 0 {
		opts.SlackLeadScore = DefaultSlackLeadScore
	}
	if a := opts.AdminEmail; a != "" {
		if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address != a || len(a) > maxEmail-len(mailtoPrefix) {
			return nil, chatops.Errorf(chatops.CodeInvalid, "admin e-mail: must be one plain address")
		}
	}
	for _, w := range opts.Webhooks {
		if !webhookName().MatchString(w) {
			return nil, chatops.Errorf(chatops.CodeInvalid, "webhook name %q: must have 1 to 50 letters, digits, - or _", w)
		}
	}
	if opts.WakeFunc == nil {
		opts.WakeFunc = func() {}
	}
	if opts.NowFunc == nil {
		opts.NowFunc = time.Now
	}
	return &Service{
		opts: opts, knowledge: opts.Knowledge, extractor: opts.Knowledge.Extractor(),
	}, nil
}

var webhookName = chatops.Pattern(`^[A-Za-z0-9_-]{1,50}$`)

// A turn that lost a race is repeated so often, after a pause that grows.
const (
	maxAttempts = 12
	firstPause  = time.Millisecond
	maxPause    = 50 * time.Millisecond
)

// Reply answers one message and stores the turn: one load, one save, and one
// claim when the request has a key. The same message of the same session, sent
// again while it is being answered, gets the same answer and is stored once.
// Errors: CodeInvalid and CodeTooLarge for the request, CodeUnavailable when the
// turn could not be stored, CodeConflict when others kept changing the
// conversation or a request with the same key is running, CodeMismatch when the
// key was used for another request.
func (s *Service) Reply(ctx context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
	text, err := checkMessage(req.Message)
	if err != nil {
		return nil, err
	}
	if req.SessionID != "" {
		if err := checkSessionID(req.SessionID); err != nil {
			return nil, err
		}
	}
	req.Message = text
	switch {
	case req.Once != nil:
		return s.replyOnce(ctx, req)
	case req.SessionID == "":
		return s.answer(ctx, req)
	}
	return s.flights.do(ctx, flightKey{req.SessionID, text}, time.Now(), func() (*chatops.ChatReply, error) {
		return s.answer(ctx, req)
	})
}

// answer answers a checked request, again and again while others change the
// conversation.
func (s *Service) answer(ctx context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
	fresh := req.SessionID == ""
	if fresh {
		req.SessionID = newSessionID()
	}
	var first chatops.Conversation // as it was when the request came
	var worded wording
	for attempt := 1; ; attempt++ {
		conv := s.newConversation(req.SessionID)
		if !fresh || attempt > 1 {
			loaded, err := s.opts.Store.Conversation(ctx, req.SessionID)
			switch {
			case err == nil:
				conv = *loaded
			case chatops.ErrorCode(err) != chatops.CodeNotFound:
				return nil, err
			}
		}
		if attempt == 1 {
			first = conv
		} else if req.Once == nil {
			if same, err := s.reposted(ctx, &first, &conv, req.Message); same != nil || err != nil {
				return same, err
			}
		}
		reply, err := s.turn(ctx, conv, &req, &worded)
		if err == nil || chatops.ErrorCode(err) != chatops.CodeConflict || attempt == maxAttempts {
			return reply, err
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// turn answers a message in a loaded conversation and stores the result.
func (s *Service) turn(ctx context.Context, conv chatops.Conversation, req *chatops.ChatRequest, w *wording) (*chatops.ChatReply, error) {
	conv.LastUserMessageAt = s.opts.NowFunc().UTC()
	before := conv
	if req.Consent.Marketing != nil {
		conv.MarketingConsent = *req.Consent.Marketing
	}
	if req.Consent.RODO != nil {
		conv.RODOConsent = *req.Consent.RODO
	}
	x := s.converse(conv, req.Message)
	x.worded = s.word(ctx, x, w)
	response, sources := x.reply()
	turn := &chatops.Turn{Conversation: x.conv, UserMessage: req.Message, BotMessage: response}
	if err := s.addLead(ctx, turn, x, &conv, req.Consent); err != nil {
		return nil, err
	}
	var err error
	if turn.Said, err = s.said(ctx, req.Consent, &before, string(x.lang), channelChat); err != nil {
		return nil, err
	}
	after := x.conv
	if turn.Lead != nil && after.LeadID == 0 {
		after.LeadID = -1 // not known yet: there will be one
	}
	reply := s.replyOf(&after, x.lang, response, sources)
	if turn.Once, err = keep(req.Once, reply); err != nil {
		return nil, err
	}
	res, err := s.opts.Store.SaveTurn(ctx, turn)
	if err != nil {
		return nil, err
	}
	if res.AlertsQueued > 0 {
		s.opts.WakeFunc()
	}
	reply.ConversationID = res.ConversationID
	return reply, nil
}

// addLead puts the lead into a turn that confirms or changes it, with its alerts.
func (s *Service) addLead(ctx context.Context, turn *chatops.Turn, x *exchange, conv *chatops.Conversation, consent chatops.ChatConsent) (err error) {
	if x.stored {
		turn.Lead = x.lead()
		if conv.LeadID == 0 {
			turn.Alerts, err = s.leadAlerts(turn.Lead, &x.conv.Facts, conv.LastUserMessageAt)
		}
		return err
	}
	if conv.LeadID != 0 && (consent.Marketing != nil || consent.RODO != nil) {
		turn.Lead, err = s.leadWithConsent(ctx, conv)
	}
	return err
}

// replyOf is the reply about a conversation's state.
func (s *Service) replyOf(conv *chatops.Conversation, lang Lang, response string, sources []string) *chatops.ChatReply {
	shown := conv.Facts
	shown.Language, shown.BookingIntent = "", false
	return &chatops.ChatReply{
		Response: response, SessionID: conv.SessionID, ConversationID: conv.ID, Context: shown,
		LeadScore: Score(&conv.Facts), NextBestAction: nextAction(conv),
		Sources: sources, Language: string(lang), Alerts: []string{},
	}
}

// leadWithConsent returns the stored lead with the conversation's consent: what
// the visitor says about consent holds for the lead too, at once.
func (s *Service) leadWithConsent(ctx context.Context, conv *chatops.Conversation) (*chatops.Lead, error) {
	lead, err := s.opts.Store.LeadBySession(ctx, conv.SessionID)
	if err != nil {
		return nil, err
	}
	lead.MarketingConsent, lead.RODOConsent = conv.MarketingConsent, conv.RODOConsent
	return lead, nil
}

func (s *Service) newConversation(id string) chatops.Conversation {
	implied := s.opts.ConsentMode == ConsentImplied
	return chatops.Conversation{SessionID: id, MarketingConsent: implied, RODOConsent: implied}
}

// History returns a session's messages, oldest first; none for a session that
// does not exist.
func (s *Service) History(ctx context.Context, sessionID string) ([]chatops.Message, error) {
	if err := checkSessionID(sessionID); err != nil {
		return nil, err
	}
	list, err := s.opts.Store.Messages(ctx, sessionID, historyLimit)
	if list == nil {
		list = []chatops.Message{}
	}
	return list, err
}

// checkMessage trims a message and makes it safe to keep.
func checkMessage(text string) (string, error) {
	text = strings.TrimSpace(cleanText(text))
	switch {
	case text == "":
		return "", chatops.Errorf(chatops.CodeInvalid, "Message must be a non-empty string")
	case utf8.RuneCountInString(text) > chatops.MaxMessageLength:
		return "", chatops.Errorf(chatops.CodeTooLarge, "message too long")
	}
	return text, nil
}

func checkSessionID(id string) error {
	ok := id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= chatops.MaxSessionIDLength
	for _, r := range id {
		ok = ok && unicode.IsPrint(r) && !unicode.IsSpace(r) && r != '/'
	}
	if !ok {
		return chatops.Errorf(chatops.CodeInvalid, "session_id must have 1 to %d printable characters without spaces or slashes", chatops.MaxSessionIDLength)
	}
	return nil
}

// newSessionID makes an id that cannot be guessed, in the form of a version 4
// UUID (RFC 9562, section 5.4): it is the only key to the conversation.
func newSessionID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// pause waits a random while before a lost race is run again.
func pause(ctx context.Context, attempt int) error {
	limit := min(firstPause<<attempt, maxPause)
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "chat: pause")
	}
	t := time.NewTimer(time.Duration(n.Int64()))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return chatops.WrapError(chatops.CodeUnavailable, ctx.Err(), "the conversation is busy; send the message again")
	case <-t.C:
		return nil
	}
}
