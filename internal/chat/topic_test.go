package chat

import (
	"slices"
	"testing"
)

// sourcesOf answers one message in a conversation of its own.
func sourcesOf(t *testing.T, message string) []string {
	t.Helper()
	s, _ := testService(t)
	v := visitor{t: t, s: s}
	return v.say(message).Sources
}

func TestSources_NameEveryEntryUsedInTheOrderAsked(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]string{
		"Ile to kosztuje i jak długo trwa?":                                 {"price", "duration"},
		"Jak długo to trwa, ile kosztuje?":                                  {"duration", "price"},
		"How much is it and how long does it take?":                         {"price", "duration"},
		"Gdzie działacie? Jaką dajecie gwarancję?":                          {"area", "warranty"},
		"Poproszę o cennik oraz informacje o gwarancji":                     {"price", "warranty"},
		"Kiedy możecie zacząć i czy trzeba wpłacić zaliczkę":                {"start_date", "payment"},
		"Czym się różni Comfort od Premium i co z gwarancją?":               {"compare_packages", "warranty"},
		"Cześć! Jaka jest gwarancja?":                                       {"warranty"},
		"Opowiedz żart. A ile kosztuje metr?":                               {"price"},
		"Jakie są ceny? Jaka gwarancja? Jak długo to trwa? Gdzie jesteście": {"price", "warranty"},
	} {
		if got := sourcesOf(t, message); !slices.Equal(got, want) {
			t.Errorf("%q: sources %v, want %v", message, got, want)
		}
	}
}

func TestSources_WhatComesBeforeTheQuestionIsNoQuestion(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"Klucze od dewelopera mam w marcu, kiedy ekipa mogłaby zacząć?":     "start_date",
		"Wynajmuję na razie pokój i liczę dni - jak długo to potrwa?":       "duration",
		"Zostawiłem u was numer telefonu, co robicie z tymi danymi?":        "privacy",
		"A szafki, fronty i blaty w kuchni to też wy?":                      "kitchen",
		"szukacie pracowników? jestem malarzem z doświadczeniem":            "off_topic",
		"Mieszkam w Norwegii, a mieszkanie mam w Krakowie, da się zdalnie?": "remote",
	} {
		if got := sourcesOf(t, message); len(got) != 1 || got[0] != want {
			t.Errorf("%q: sources %v, want %s alone", message, got, want)
		}
	}
}

func TestSources_LeaveOutWhatIsWavedAway(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"Nie pytam o cenę, tylko jak długo to potrwa":           "duration",
		"nie chodzi mi o meble ale o gwarancję":                 "warranty",
		"I'm not asking about the price but about the warranty": "warranty",
	} {
		if got := sourcesOf(t, message); len(got) != 1 || got[0] != want {
			t.Errorf("%q: sources %v, want %s alone", message, got, want)
		}
	}
}

func TestSources_AWishAmongFactsIsAnswered(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]string{
		"mieszkanie w Radomiu, przyjedziecie":                {"area"},
		"details of the Express package please":              {"whats_included"},
		"zdjęcia realizacji Comfort poproszę":                {"references"},
		"jestem w Irlandii, mieszkanie w Gdańsku":            {"remote"},
		"Mam 60 m2 w Krakowie":                               {},
		"Anna Nowak, 600 700 800, Łódź, 50 m2, Express Plus": {},
		"interesuje mnie pakiet Comfort":                     {},
	} {
		if got := sourcesOf(t, message); !slices.Equal(got, want) {
			t.Errorf("%q: sources %v, want %v", message, got, want)
		}
	}
}

func TestWaved_NeedsANotBeforeTheWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"nie pytam o cenę": true, "nie chodzi o termin": true, "not asking about money": true, "pytam o cenę": false, "nie wiem": false, "": false,
	} {
		if got := waved(read(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestAsksIn_QuestionsRequestsAndWishes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ile kosztuje": true, "poproszę cennik": true, "podaj ceny": true, "I want prices": true, "mam klucze": false, "": false,
	} {
		if got := asksIn(read(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
