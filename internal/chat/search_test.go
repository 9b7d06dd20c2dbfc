package chat

import "testing"

func TestAfterGreeting_SomethingHasToFollow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"dzień dobry, proszę o cennik": 3, "Cześć ile kosztuje metr": 1, "Hi there, what about kitchens": 3, "hej": 0, "dzień dobry!": 0,
		"proszę o cennik": 0, "": 0, "hej hej, 60": 0,
	} {
		toks := read(text)
		if got := afterGreeting(toks, 0, len(toks)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestLastQuestion_BeginsAClause(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"wynajmuję pokój, jak długo to potrwa": 3, "liczę dni - kiedy koniec": 3, "mam klucze, a kiedy zaczniecie": 4, "wiem ile kosztuje": 0,
		"ile kosztuje": 0, "mieszkam w Oslo, czy to problem, jak to zrobić": 8, "": 0,
	} {
		toks := read(text)
		if got := lastQuestion(toks, 0, len(toks)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestSearch_HearsAGreetingBesideARequest(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{
		"Dzień dobry, proszę o informację o cenach": TopicPrice, "Hej, macie gwarancję": TopicWarranty, "Cześć, jak leci?": TopicGreeting,
		"hello, anyone there?": TopicGreeting, "dzień dobry": TopicGreeting,
	} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
	k := testKnowledge(t)
	hits := k.Index().Search(k.Extractor().Extract("Dzień dobry, proszę o cennik", AskedNothing))
	if len(hits) != 2 || hits[0].Topic != TopicPrice || hits[1].Topic != TopicGreeting {
		t.Errorf("%v, want the price and the greeting behind it", hits)
	}
}

func TestSearch_TheQuestionCountsMoreThanWhatStandsBeforeIt(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Topic{
		"Wynajmuję na razie pokój i liczę dni - jak długo będziecie to robić?": TopicDuration,
		"mieszkam teraz u rodziców, ile to potrwa":                             TopicDuration,
		"Jestem za granicą, czy to problem?":                                   TopicRemote,
	} {
		if got := firstTopic(t, message); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
}

func TestSearch_ASentenceInManyFindsItsTopic(t *testing.T) {
	t.Parallel()
	message := "Kupiliśmy mieszkanie w Krakowie. Ma 60 metrów i duży balkon. Jaką dajecie gwarancję? Pozdrawiam, Anna"
	if got := firstTopic(t, message); got != TopicWarranty {
		t.Errorf("%q: %s", message, got)
	}
}

func TestSearch_ConcurrentLookUpsAgree(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 50 {
				for _, m := range benchMessages {
					hits := k.Index().Search(k.Extractor().Extract(m, AskedNothing))
					again := k.Index().Search(k.Extractor().Extract(m, AskedNothing))
					if len(hits) != len(again) || len(hits) > 0 && hits[0] != again[0] {
						t.Fatalf("%q: %v, then %v", m, hits, again)
					}
				}
			}
		})
	}
}
