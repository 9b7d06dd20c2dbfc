package chat

import (
	"context"
	"fmt"
	"slices"

	"chatops/internal/chatops"
)

// wordHistory is how many messages before this one the Answerer may see.
const wordHistory = 8

// wording is what the Answerer made of a request. It is kept while the turn is
// run again after a lost race, so that nobody waits twice.
type wording struct {
	question string // what it was asked: the entries as rendered
	text     string // "": it had no answer
}

// unworded are the topics whose entries are shown as they stand: they claim
// nothing that could be worded better.
var unworded = []Topic{TopicGreeting, TopicOffTopic}

// word asks the Answerer, where there is one, for the answer to the message's
// questions. "" leaves the entries as they are.
func (s *Service) word(ctx context.Context, x *exchange, w *wording) string {
	if s.opts.Answerer == nil || len(x.topics) == 0 || slices.ContainsFunc(x.topics, func(t Topic) bool { return slices.Contains(unworded, t) }) {
		return ""
	}
	r := x.renderer()
	q := LLMQuestion{Message: x.text, Language: x.lang, Facts: x.conv.Facts}
	for _, t := range x.topics {
		q.Entries = append(q.Entries, LLMEntry{Name: string(t), Text: r.answer(t)})
	}
	question := fmt.Sprint(x.lang, q.Entries)
	if w.question == question {
		return w.text
	}
	*w = wording{question: question}
	if x.conv.Version > 0 {
		// Without the history the answer is still one: the entries decide.
		if list, err := s.opts.Store.Messages(ctx, x.conv.SessionID, wordHistory); err == nil {
			q.History = slices.DeleteFunc(list, func(m chatops.Message) bool { return m.IsFollowup })
		}
	}
	if text, err := s.opts.Answerer.Answer(ctx, q); err == nil { // it has logged and counted why not
		w.text = text
	}
	return w.text
}
