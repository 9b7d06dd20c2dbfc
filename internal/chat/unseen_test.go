package chat

import (
	"slices"
	"testing"
)

// Messages that nobody wrote the rules for; the rules were mended where one of
// them failed for a reason that holds for others too.
func TestReply_AnswersUnseenQuestions(t *testing.T) {
	t.Parallel()
	cases := append(readCases[questionCase](t, "questions_more.jsonl"), readCases[questionCase](t, "questions_second.jsonl")...)
	s, _ := testService(t)
	for _, c := range cases {
		v := visitor{t: t, s: s}
		r := v.say(c.Question)
		if !slices.Contains(r.Sources, string(c.Topic)) {
			t.Errorf("%q: sources %v, want %s", c.Question, r.Sources, c.Topic)
		}
		if c.Lang != "" && r.Language != string(c.Lang) {
			t.Errorf("%q: language %s, want %s", c.Question, r.Language, c.Lang)
		}
	}
}

func TestExtract_ReadsUnseenMessages(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range append(readCases[extractionCase](t, "extraction_more.jsonl"), readCases[extractionCase](t, "extraction_second.jsonl")...) {
		checkExtraction(t, x, c)
		if c.Confirms != nil {
			e := x.Extract(c.Message, AskedNothing)
			if got := classify(e.toks) == actConfirm; got != *c.Confirms {
				t.Errorf("%q: confirms %v, want %v", c.Message, got, *c.Confirms)
			}
		}
	}
}
