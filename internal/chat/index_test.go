package chat

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
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

func TestSearch_ReadsSlipsInShortWords(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{
		"cnea za m2": TopicPrice, "how lonng does it take": TopicDuration, "whhat is the prrice": TopicPrice, "kedy mozecie zaczac": TopicStartDate,
		"mble sa w pakiecie": TopicFurniture,
	} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
}

func TestSearch_TakesWordsOfOneGroupForEachOther(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, word := range []string{"fotele", "materac", "couch"} { // no example has them
		for _, lang := range languages {
			for _, ex := range k.Entry(lang, TopicFurniture).Examples {
				if strings.Contains(fold(ex), word) {
					t.Fatalf("%s is in an example", word)
				}
			}
		}
		if got := firstTopic(t, "czy w pakiecie jest "+word); got != TopicFurniture {
			t.Errorf("%s: %s", word, got)
		}
	}
}

func TestSearch_AsksNothingInStatements(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"Mam 60 m2 w Krakowie", "Jan Kowalski", "tak, zgadza się", "my phone is 600 700 800", "wybieram Premium", "asdf qwer", "???"} {
		if got := firstTopic(t, message); got != TopicOffTopic {
			t.Errorf("%q: %s", message, got)
		}
	}
}

func TestSearch_OffTopicMaySoundAlike(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"ile kosztuje samochód", "jak długo trwa lot do Londynu", "kiedy zaczyna się mecz", "gdzie kupię buty", "how much is a new laptop",
		"szukam pracy jako malarz", "gwarancja na telewizor", "do you repair bikes", "jaka pogoda w Krakowie",
	} {
		if got := firstTopic(t, message); got != TopicOffTopic {
			t.Errorf("%q: %s", message, got)
		}
	}
}

func TestSearch_GivesTheSameAgain(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	again, err := LoadKnowledge(Embedded())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range readAll[questionCase](t, "questions") {
		a := k.Index().Search(k.Extractor().Extract(c.Question, AskedNothing))
		b := again.Index().Search(again.Extractor().Extract(c.Question, AskedNothing))
		if !slices.Equal(a, b) {
			t.Errorf("%q: %v, then %v", c.Question, a, b)
		}
	}
}

func TestSearch_ScoresAreOrderedAndBounded(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, c := range readAll[questionCase](t, "questions") {
		last := float64(fullScore)
		for _, h := range k.Index().Search(k.Extractor().Extract(c.Question, AskedNothing)) {
			if h.Score > last || h.Score <= 0 {
				t.Errorf("%q: %s scores %v after %v", c.Question, h.Topic, h.Score, last)
			}
			last = h.Score
		}
	}
}

func TestKnowledge_WithoutExamplesLearnsFromTheEmbeddedOnes(t *testing.T) {
	t.Parallel()
	f := copyKnowledge(t)
	delete(f, wordsFile)
	for _, lang := range languages {
		delete(f, string(lang)+"/"+statementsFile)
		for _, topic := range Topics() {
			name := string(lang) + "/" + string(topic) + ".toml"
			head, rest, _ := strings.Cut(string(f[name].Data), "examples = [")
			_, rest, _ = strings.Cut(rest, "\n]\n")
			f[name] = &fstest.MapFile{Data: []byte(head + rest)}
		}
	}
	k, err := LoadKnowledge(f)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(k.Entry(Polish, TopicPrice).Examples); n != 0 {
		t.Fatalf("%d examples are left", n)
	}
	for message, want := range map[string]Topic{"na jaki wydatek mam się przygotować": TopicPrice, "Mam 60 m2 w Krakowie": "", "could you finish it while I'm away": TopicRemote} {
		hits := k.Index().Search(k.Extractor().Extract(message, AskedNothing))
		if want == "" && len(hits) == 0 || len(hits) > 0 && hits[0].Topic == want {
			continue
		}
		t.Errorf("%q: %v, want %q", message, hits, want)
	}
}
