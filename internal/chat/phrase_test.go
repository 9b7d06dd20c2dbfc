package chat

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// phrasesOf indexes the keywords of one topic and returns what a text scores.
func phrasesOf(keywords ...string) func(text string) float64 {
	k := &Knowledge{entries: map[Lang]map[Topic]*Entry{
		Polish: {TopicPrice: {Topic: TopicPrice, Keywords: keywords}}, English: {TopicPrice: {Topic: TopicPrice}},
	}}
	x := newPhraseIndex(k, []Topic{TopicPrice})
	return func(text string) float64 {
		st := x.newState(1)
		for _, t := range read(text) {
			x.word(st, t.fold)
		}
		x.settle(st)
		return st.score(0)
	}
}

func TestPhrases_NeedAllTheirTerms(t *testing.T) {
	t.Parallel()
	score := phrasesOf("ile kosztuje|kosztują", "wycen* ^2", "dom na sprzedaż")
	for text, want := range map[string]float64{
		"ile to kosztuje": 3.5, "KOSZTUJE ILE": 3.5, "ile kosztują": 3.5, "ile kosztowało": 0, "kosztuje": 0, "wycena": 4, "wyceńcie": 4, "wyc": 0,
		"dom na sprzedaz": 5, "sprzedaż dom": 0, "": 0,
	} {
		if got := score(text); got != want {
			t.Errorf("%q scores %v, want %v", text, got, want)
		}
	}
}

func TestPhrases_OthersCountLittle(t *testing.T) {
	t.Parallel()
	score := phrasesOf("cena", "cena metra", "metra", "za metra", "ile metra", "ile", "za", "ile za")
	if got := score("cena"); got != 2 {
		t.Errorf("one phrase scores %v", got)
	}
	if got := score("ile za cena metra"); got <= 3.5 || got > 4.5 {
		t.Errorf("many phrases score %v, want a little over the best one", got)
	}
}

func TestPhrases_KnowInflectionsOfWholeWords(t *testing.T) {
	t.Parallel()
	score := phrasesOf("zaliczka", "płytk*")
	for text, want := range map[string]bool{"zaliczki": true, "zaliczkę": true, "zaliczeniem": false, "płytek": true, "płytkami": true, "płyt": false} {
		if got := score(text) > 0; got != want {
			t.Errorf("%q matches: %v, want %v", text, got, want)
		}
	}
}

func TestParsePhrase_KeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	p, err := parsePhrase("Dział* @city|@m2  ^1.5")
	if err != nil || len(p.terms) != 2 || p.terms[0][0] != "dzial*" || strings.Join(p.terms[1], " ") != "@city @m2" || p.weight != 1.5 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "^1", "a|", "|a", "*", "ab*", "@garden", "x ^0", "x ^11", "x ^a", strings.Repeat("wort ", maxTerms+1)} {
		if p, err := parsePhrase(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
}

func TestStem_TakesOneEndingAndLeavesAWord(t *testing.T) {
	t.Parallel()
	for w, want := range map[string]string{
		"mieszkania": "mieszkan", "mieszkaniach": "mieszkani", "kosztuje": "kosztuj", "ceny": "ceny", "domy": "domy", "packages": "packag", "zaliczki": "zaliczk", "": "",
	} {
		if got := stem(w); got != want {
			t.Errorf("%q has the stem %q, want %q", w, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.StringMatching(`[a-z]{0,20}`).Draw(t, "word")
		if s := stem(w); !strings.HasPrefix(w, s) || len(s) < min(len(w), minStem) {
			t.Fatalf("%q has the stem %q", w, s)
		}
	})
}

func TestPhraseScores_GrowWithTheTerms(t *testing.T) {
	t.Parallel()
	last := math.Inf(-1)
	for n, score := range phraseScores {
		if score <= last {
			t.Errorf("%d terms score %v after %v", n, score, last)
		}
		last = score
	}
}
