package chat

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// learning makes a vocabulary that learns.
func learning(tb testing.TB, groups map[string]string) *vocabulary {
	tb.Helper()
	lex, err := parseLexicon(groups)
	if err != nil {
		tb.Fatal(err)
	}
	return &vocabulary{lex: lex, ids: map[uint64]int32{}, words: map[string]*wordFeatures{}, learning: true}
}

// sentenceOf returns the features of a text, in order.
func sentenceOf(v *vocabulary, text string, marks ...string) []int32 {
	var x vector
	x.reset()
	for _, t := range read(text) {
		if t.kind == kindWord {
			x.word(v, v.word(t.fold))
		}
	}
	x.close(v, marks)
	var ids []int32
	for _, f := range x.features {
		ids = append(ids, f.id)
	}
	slices.Sort(ids)
	return ids
}

// shared counts what two sentences have in common.
func shared(a, b []int32) int {
	n := 0
	for _, id := range a {
		if slices.Contains(b, id) {
			n++
		}
	}
	return n
}

func TestFeatures_OfAnInflectedWordAreMostlyTheSame(t *testing.T) {
	t.Parallel()
	v := learning(t, nil)
	a, b, c := sentenceOf(v, "gwarancja"), sentenceOf(v, "gwarancji"), sentenceOf(v, "kuchnia")
	if n := shared(a, b); n < len(a)/2 {
		t.Errorf("%d of %d features are shared", n, len(a))
	}
	if n := shared(a, c); n > len(a)/4 {
		t.Errorf("other words share %d of %d features", n, len(a))
	}
}

func TestFeatures_OfOneGroupAreShared(t *testing.T) {
	t.Parallel()
	plain, grouped := learning(t, nil), learning(t, map[string]string{"seats": "sofa fotel"})
	before := shared(sentenceOf(plain, "sofa"), sentenceOf(plain, "fotel"))
	after := shared(sentenceOf(grouped, "sofa"), sentenceOf(grouped, "fotel"))
	if after != before+1 {
		t.Errorf("sofa and fotel share %d features, in one group %d", before, after)
	}
}

func TestFeatures_TellTheOrderOfWords(t *testing.T) {
	t.Parallel()
	v := learning(t, nil)
	if slices.Equal(sentenceOf(v, "umowa bez ceny"), sentenceOf(v, "cena bez umowy")) {
		t.Error("the order makes no difference")
	}
	if !slices.Equal(sentenceOf(v, "ile kosztuje"), sentenceOf(v, "Ile, kosztuje?")) {
		t.Error("punctuation makes a difference")
	}
}

func TestFeatures_TellFacts(t *testing.T) {
	t.Parallel()
	v := learning(t, nil)
	without, with := sentenceOf(v, "ile"), sentenceOf(v, "ile", markArea)
	if len(with) != len(without)+1 {
		t.Errorf("%d features without the fact, %d with it", len(without), len(with))
	}
}

func TestVocabulary_DoesNotGrowOnceLearned(t *testing.T) {
	t.Parallel()
	v := learning(t, map[string]string{"seats": "sofa fotel"})
	sentenceOf(v, "ile kosztuje sofa")
	v.learning = false
	ids, words := len(v.ids), len(v.words)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, id := range sentenceOf(v, text, markCity) {
			if id < 0 || int(id) >= ids {
				t.Fatalf("%q has feature %d of %d", text, id, ids)
			}
		}
		if len(v.ids) != ids || len(v.words) != words {
			t.Fatalf("%q taught it something", text)
		}
	})
}

func TestVector_AStrangeWordMakesTheOthersQuieter(t *testing.T) {
	t.Parallel()
	v := learning(t, nil)
	sentenceOf(v, "ile kosztuje metr")
	v.learning = false
	length := func(text string) float32 {
		var x vector
		x.reset()
		for _, t := range read(text) {
			x.word(v, v.word(t.fold))
		}
		x.close(v, nil)
		return x.squares
	}
	if length("ile kosztuje qqqqqq") <= length("ile kosztuje") {
		t.Error("a strange word counts nothing")
	}
	if inverseLength(0) != 0 || inverseLength(4) != 0.5 {
		t.Errorf("inverse lengths %v and %v", inverseLength(0), inverseLength(4))
	}
}
