package chat

import (
	"sync"
	"testing"
)

type questionCase struct {
	Question string `json:"question"`
	Topic    Topic  `json:"topic"`
	Lang     Lang   `json:"lang"`
	Contains string `json:"contains"`
}

// loadOnce: a knowledge base does not change, so the tests share one.
var loadOnce = sync.OnceValues(func() (*Knowledge, error) { return LoadKnowledge(Embedded()) })

func testKnowledge(tb testing.TB) *Knowledge {
	tb.Helper()
	k, err := loadOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestSearch_FindsTheTopicOfTheExamples(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	x, idx := k.Extractor(), k.Index()
	for _, c := range readCases[questionCase](t, "questions.jsonl") {
		hits := idx.Search(x.Extract(c.Question, AskedNothing))
		if len(hits) == 0 || hits[0].Topic != c.Topic {
			t.Errorf("%q: %v, want %s", c.Question, hits, c.Topic)
		}
	}
}
