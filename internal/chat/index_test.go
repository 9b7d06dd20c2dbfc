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

func firstTopic(tb testing.TB, message string) Topic {
	tb.Helper()
	k := testKnowledge(tb)
	hits := k.Index().Search(k.Extractor().Extract(message, AskedNothing))
	if len(hits) == 0 {
		return TopicOffTopic
	}
	return hits[0].Topic
}

func TestSearch_ShortBeginningDoesNotHideATypingError(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{"cenik": TopicPrice, "poproszę o cenik": TopicPrice, "gwaracja": TopicWarranty, "cenzura": TopicOffTopic} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

func TestSearch_WhatTheCompanyDoesIsNoQuestionAboutTheScope(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{
		"cena wykonczenia pod klucz": TopicPrice, "turnkey price": TopicPrice, "ile kosztuje robocizna": TopicPrice, "stawki za metr z robocizną": TopicPrice,
		"wykończenie pod klucz": TopicWhatsIncluded, "czy robocizna jest w cenie": TopicWhatsIncluded, "czy malowanie jest w cenie": TopicWhatsIncluded,
		"czy materiały są w cenie": TopicMaterials, "w jakiej cenie jest Comfort": TopicPrice,
	} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

func TestSearch_AnAdviserIsAConsultationAndAPersonIsAContact(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{
		"i want to talk to an advisor": TopicBooking, "can I speak with an adviser": TopicBooking, "chcę porozmawiać z doradcą": TopicBooking,
		"prosze o rozmowe ze specjalista": TopicBooking, "ile kosztuje konsultacja": TopicBooking,
		"i want to talk to a human": TopicContact, "chcę pogadać z człowiekiem": TopicContact, "numer telefonu doradcy": TopicContact,
	} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}
