package chat

import (
	"path/filepath"
	"testing"
)

// Messages that nobody wrote the rules for; the rules were mended where one of
// them failed for a reason that holds for others too.
func TestReply_AnswersUnseenQuestions(t *testing.T) {
	t.Parallel()
	s, _ := testService(t)
	for _, c := range readAll[questionCase](t, "questions") {
		v := visitor{t: t, s: s}
		r := v.say(c.Question)
		if len(r.Sources) == 0 || r.Sources[0] != string(c.Topic) {
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
	for _, c := range readAll[extractionCase](t, "extraction") {
		checkExtraction(t, x, c)
		if c.Confirms != nil {
			e := x.Extract(c.Message, AskedNothing)
			if got := classify(e.toks) == actConfirm; got != *c.Confirms {
				t.Errorf("%q: confirms %v, want %v", c.Message, got, *c.Confirms)
			}
		}
	}
}

// readAll reads the rounds of unseen messages of one kind.
func readAll[T any](tb testing.TB, kind string) []T {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind+"_*.jsonl"))
	if err != nil || len(files) < 4 {
		tb.Fatalf("%d rounds of %s: %v", len(files), kind, err)
	}
	var out []T
	for _, f := range files {
		out = append(out, readCases[T](tb, filepath.Base(f))...)
	}
	return out
}
