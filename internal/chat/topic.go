package chat

import (
	"slices"

	"chatops/internal/chatops"
)

// answeredUnasked are the topics that are answered although the message only
// tells facts: it wants something all the same.
var answeredUnasked = []Topic{TopicBooking, TopicPrivacy, TopicEstimate, TopicCheapest}

// maxTopics is how many questions of one message are answered, and maxSentences
// how many of its sentences are judged one by one.
const (
	maxTopics    = 2
	maxSentences = 40
)

// The scores that decide what is answered.
const (
	// strongHit is the score from which a wish counts in a message that mainly
	// tells facts.
	strongHit = 3
	// sureHit is the score from which it counts whatever it is.
	sureHit = 5
	// halfHit is the score that both halves of a sentence need to be answered
	// one by one.
	halfHit = 5
)

// akin are topics that one question often touches together: "szafki i blaty do
// kuchni" asks once.
var akin = [][]Topic{
	{TopicKitchen, TopicFurniture, TopicMaterials, TopicWhatsIncluded},
	{TopicPrice, TopicEstimate, TopicCheapest, TopicMostExpensive, TopicComparePackages},
	{TopicContact, TopicBooking},
	{TopicDuration, TopicStartDate},
}

func areAkin(a, b Topic) bool {
	return slices.ContainsFunc(akin, func(group []Topic) bool { return slices.Contains(group, a) && slices.Contains(group, b) })
}

// choose picks the topics to answer, in the order in which they are asked.
func (x *exchange) choose() []Topic {
	if x.act == actThanks || x.act == actConfirm && !x.asks {
		return nil
	}
	var out []Topic
	greeting, elsewhere, asked := false, false, false
	for start, n := 0, 1; start < len(x.e.toks) && len(out) < maxTopics; n++ {
		end := sentenceEnd(x.e.toks, start)
		if n == maxSentences {
			end = len(x.e.toks)
		}
		for _, t := range x.sentence(start, end) {
			switch {
			case t == TopicGreeting:
				greeting = true
			case t == TopicOffTopic:
				elsewhere = true
			case len(out) < maxTopics && !slices.Contains(out, t):
				out = append(out, t)
				asked = asked || asks(x.e.toks[start:end])
			}
		}
		start = end
	}
	switch {
	case len(out) > 0 && (asked || !elsewhere):
		return out
	case elsewhere: // "szukacie ludzi? jestem malarzem": the rest only explains
		return []Topic{TopicOffTopic}
	case greeting && (x.known == chatops.Facts{} || !x.told()):
		return []Topic{TopicGreeting}
	case !x.told() && x.act == actNone && !x.changed:
		return []Topic{TopicOffTopic}
	}
	return nil
}

// sentence returns the topics of one sentence that want an answer: the best one,
// those of its halves where it asks twice, and a greeting.
func (x *exchange) sentence(start, end int) []Topic {
	hits := x.s.knowledge.Index().search(x.e, start, end)
	if two := x.halves(start, end, hits); two != nil {
		return two
	}
	var out []Topic
	for _, h := range hits {
		switch {
		case h.Topic == TopicGreeting:
			out = append(out, h.Topic)
		case len(out) == 0 && x.wanted(h):
			out = append(out, h.Topic)
		}
	}
	return out
}

// wanted reports whether a hit wants an answer: always where the message asks,
// and otherwise when it is plain enough that it does not just tell facts.
func (x *exchange) wanted(h Hit) bool {
	return !x.told() || x.asks || h.Score >= sureHit || h.Score >= strongHit && slices.Contains(answeredUnasked, h.Topic)
}

// maxHalves bounds the places at which a sentence is tried to be halved.
const maxHalves = 4

// halves returns both topics of a sentence that asks twice ("ile to kosztuje i
// jak długo trwa"), the one that counts of "nie pytam o cenę, tylko o termin",
// or nil.
func (x *exchange) halves(start, end int, whole []Hit) []Topic {
	tries := 0
	for i := start + 1; i+1 < end && tries < maxHalves; i++ {
		t := &x.e.toks[i]
		if !parts(t, &x.e.toks[i+1]) {
			continue
		}
		leftAsks, rightAsks := asksIn(x.e.toks[start:i]), asksIn(x.e.toks[i+1:end])
		if !leftAsks && rightAsks && !waved(x.e.toks[start:i]) || len(whole) == 0 {
			continue // "mam klucze od marca, kiedy ..." tells before it asks
		}
		tries++
		right, ok := x.half(i+1, end)
		if !ok {
			continue
		}
		left, ok := x.half(start, i)
		switch {
		case waved(x.e.toks[start:i]):
			return []Topic{right}
		case !rightAsks && areAkin(left, right):
		case ok && left != right:
			return []Topic{left, right}
		}
	}
	return nil
}

// parts reports whether a token, followed by the next, may stand between two
// questions.
func parts(t, next *token) bool {
	switch {
	case next.is(relative):
		return false
	case t.fold == "a":
		return next.is(questionWords) // an English article otherwise
	}
	return t.is(joining) || t.is(excepting) || t.fold == "," || t.fold == ";"
}

// half returns the topic of a part of a sentence that is plain by itself.
func (x *exchange) half(start, end int) (Topic, bool) {
	for _, h := range x.s.knowledge.Index().search(x.e, start, end) {
		return h.Topic, h.Score >= halfHit && h.Topic != TopicGreeting && h.Topic != TopicOffTopic && x.wanted(h)
	}
	return "", false
}

// asksIn reports a word of a question or a wish.
func asksIn(toks []token) bool {
	for i := range toks {
		if t := &toks[i]; t.is(questionWords) || t.is(requestWords) || t.is(wishing) {
			return true
		}
	}
	return false
}

var (
	wishing = words("prosze poprosze chce chcemy chcialbym chcialabym potrzebuje interesuje please want need like wondering")
	// relative words go on with what stands before the comma: "co ma Premium,
	// czego nie ma Comfort".
	relative  = words("czego ktory ktora ktore ktorego ktorych ktorym which that")
	joining   = words("i oraz a and plus also tez takze or")
	excepting = words("tylko ale lecz but just only")
	// waving words turn a topic down together with a "not" before them.
	waving = words("pytam pytamy chodzi interesuje interesują obchodzi o asking about care interested")
)

// waved reports words that turn a topic down: "nie pytam o cenę".
func waved(toks []token) bool {
	for i := 0; i+1 < len(toks); i++ {
		if t := &toks[i]; (t.fold == "nie" || t.fold == "not" || t.fold == "dont") && toks[i+1].is(waving) {
			return true
		}
	}
	return false
}
