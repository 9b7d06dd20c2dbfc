package chat

import (
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// The values of next_best_action.
const (
	ActionAskDetails       = "ask_details" // square metres and city
	ActionAskName          = "ask_name"
	ActionAskContact       = "ask_contact" // phone or e-mail
	ActionConfirmData      = "confirm_data"
	ActionBookConsultation = "book_consultation"
	ActionDone             = "done"
)

// ready reports that enough is known to propose a lead.
func ready(f *chatops.Facts) bool {
	return f.Name != "" && (f.Email != "" || f.Phone != "") && hasDetails(f)
}

func hasDetails(f *chatops.Facts) bool { return f.Package != "" || f.City != "" || f.SquareMeters > 0 }

// nextAction is what the bot aims for in a conversation's state.
func nextAction(c *chatops.Conversation) string {
	f := &c.Facts
	switch {
	case c.AwaitingConfirmation:
		return ActionConfirmData
	case c.LeadID != 0 && f.BookingIntent:
		return ActionDone
	case c.LeadID != 0:
		return ActionBookConsultation
	case !hasDetails(f):
		return ActionAskDetails
	case f.Name == "":
		return ActionAskName
	case f.Email == "" && f.Phone == "":
		return ActionAskContact
	}
	return ActionConfirmData
}

// asked is what the bot's last line asked for.
func asked(c *chatops.Conversation) Asked {
	if c.Version == 0 {
		return AskedNothing
	}
	switch nextAction(c) {
	case ActionAskName:
		return AskedName
	case ActionAskDetails:
		return AskedDetails
	}
	return AskedNothing
}

// exchange is one message being answered.
type exchange struct {
	s       *Service
	conv    chatops.Conversation // the state, changed as the exchange goes
	text    string
	e       *Extraction
	act     act
	lang    Lang
	asks    bool
	known   chatops.Facts // before the message
	topics  []Topic
	changed bool
	stored  bool   // this exchange stores the lead
	worded  string // the answer to the topics in other words than the entries'
}

// converse answers a message in a conversation's state. It changes nothing
// outside: the result is the turn to be stored, without alerts, and the reply.
func (s *Service) converse(conv chatops.Conversation, text string) *exchange {
	x := &exchange{s: s, conv: conv, text: text, known: conv.Facts}
	x.e = s.extractor.Extract(text, asked(&conv))
	x.act = classify(x.e.toks)
	x.asks = asks(x.e.toks)
	x.lang = detectLanguage(text, x.e.toks, Lang(conv.Facts.Language))
	x.conv.Facts.Language = string(x.lang)
	x.learn()
	x.topics = x.choose()
	if slices.Contains(x.topics, TopicBooking) {
		x.conv.Facts.BookingIntent = true
	}
	return x
}

// learn takes over what the message tells. A question about another city, area
// or package does not change what the visitor has said of their own.
func (x *exchange) learn() {
	f, m := &x.conv.Facts, &x.e.Facts
	over := !x.asks || corrects(x.e.toks)
	take := func(dst *string, src string, over bool) {
		if src != "" && (*dst == "" || over) && *dst != src {
			*dst, x.changed = src, true
		}
	}
	takeInt := func(dst *int, src int) {
		if src != 0 && (*dst == 0 || over) && *dst != src {
			*dst, x.changed = src, true
		}
	}
	take(&f.Name, m.Name, true)
	take(&f.Email, m.Email, true)
	take(&f.Phone, m.Phone, true)
	take(&f.City, m.City, over)
	takeInt(&f.SquareMeters, m.SquareMeters)
	takeInt(&f.Budget, m.Budget)
	if f.Package != "" && m.Package == "" && slices.Contains(x.e.Rejected, f.Package) {
		f.Package, x.changed = "", true
	}
	take(&f.Package, m.Package, over)
	x.conv.Email = f.Email
}

// told reports whether the message told any fact.
func (x *exchange) told() bool { return x.e.Facts != chatops.Facts{} }

// reply writes the answer and moves the state on.
func (x *exchange) reply() (response string, sources []string) {
	r := x.renderer()
	var parts []string
	sources = []string{}
	for _, t := range x.topics {
		if x.worded == "" {
			parts = append(parts, r.answer(t))
		}
		sources = append(sources, string(t))
	}
	if x.worded != "" {
		parts = append(parts, x.worded)
	}
	if follow := x.follow(); follow != "" {
		parts = append(parts, follow)
	}
	if len(parts) == 0 {
		parts = append(parts, x.say(phraseThanks))
	}
	return strings.Join(parts, "\n\n"), sources
}

// renderer shows what the message speaks of, and else what is known.
func (x *exchange) renderer() *renderer {
	f := x.conv.Facts
	m := &x.e.Facts
	if m.City != "" {
		f.City = m.City
	} else if x.asks {
		f.City = ""
	}
	if m.SquareMeters != 0 {
		f.SquareMeters = m.SquareMeters
	}
	if m.Package != "" {
		f.Package = m.Package
	}
	return &renderer{k: x.s.knowledge, lang: x.lang, facts: f, packages: x.e.Packages}
}

func (x *exchange) say(key string) string {
	r := renderer{k: x.s.knowledge, lang: x.lang, facts: x.conv.Facts}
	return r.render(x.s.knowledge.phrase(x.lang, key))
}

// follow is what the bot says after the answer. It is the state machine:
// collecting -> awaiting confirmation -> stored, and from there again to
// awaiting when facts change.
func (x *exchange) follow() string {
	c := &x.conv
	confirmed := x.act == actConfirm && !x.changed
	switch {
	case x.act == actThanks:
		return x.say(phraseThanks)
	case c.AwaitingConfirmation && confirmed && ready(&c.Facts):
		return x.store()
	case ready(&c.Facts) && x.changed:
		return x.propose()
	case c.AwaitingConfirmation && x.act == actDeny:
		c.AwaitingConfirmation = false
		return x.say(phraseDenied)
	case c.AwaitingConfirmation && ready(&c.Facts):
		return x.say(phrasePending)
	case c.LeadID != 0 && confirmed:
		return x.say(phraseAlreadySaved)
	case c.LeadID != 0:
		return ""
	case ready(&c.Facts) && (confirmed || slices.Contains(x.topics, TopicBooking)):
		return x.propose()
	}
	c.AwaitingConfirmation = false // a package was taken back, say
	return x.ask()
}

// store makes this exchange store the lead.
func (x *exchange) store() string {
	x.conv.AwaitingConfirmation = false
	x.stored = true
	if x.conv.LeadID != 0 {
		return x.say(phraseUpdated)
	}
	if x.conv.Facts.BookingIntent {
		return x.say(phraseConfirmed) + " " + x.say(phraseBook)
	}
	return x.say(phraseConfirmed)
}

// propose shows the facts and asks whether they are right.
func (x *exchange) propose() string {
	x.conv.AwaitingConfirmation = true
	if x.conv.LeadID != 0 {
		return x.say(phraseSummaryUpdate)
	}
	return x.say(phraseSummary)
}

// ask asks for what is missing next.
func (x *exchange) ask() string {
	if slices.Contains(x.topics, TopicOffTopic) || slices.Contains(x.topics, TopicPrivacy) {
		return ""
	}
	question := ""
	switch nextAction(&x.conv) {
	case ActionAskDetails:
		question = x.say(phraseAskDetails)
	case ActionAskName:
		question = x.say(phraseAskName)
	case ActionAskContact:
		question = x.say(phraseAskContact)
	}
	if x.changed && len(x.topics) == 0 && question != "" {
		return x.say(phraseNoted) + " " + question
	}
	return question
}

// lead is the confirmed lead that this exchange stores.
func (x *exchange) lead() *chatops.Lead {
	f := &x.conv.Facts
	l := &chatops.Lead{
		SessionID: x.conv.SessionID, Name: f.Name, Email: f.Email, Phone: f.Phone,
		InterestedPackage: f.Package, Location: f.City, Source: "chatbot", Status: chatops.LeadNew,
		LeadScore: Score(f), DataConfirmed: true,
		MarketingConsent: x.conv.MarketingConsent, RODOConsent: x.conv.RODOConsent,
	}
	if f.SquareMeters > 0 {
		l.PropertySize = strconv.Itoa(f.SquareMeters)
	}
	if f.Budget > 0 {
		l.Message = "budget: " + strconv.Itoa(f.Budget) + " PLN"
	}
	return l
}
