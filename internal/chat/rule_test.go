package chat

import (
	"strings"
	"testing"
)

// read cuts a text into tokens as a message is.
func read(text string) []token { return tokenise(normalise(text), nil) }

func TestAsks_QuestionsAndRequestsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ile to kosztuje": true, "a ile kosztuje": true, "60 m2, jak długo to trwa": true, "Comfort?": true, "policz mi 60 m2": true, "show me the packages": true,
		"mam 60 m2": false, "wiem już ile": true, "nie wiem, mam 60 m2": false, "tak": false, "to dom, jaki chcieliśmy": true, "mieszkanie jest jak z katalogu": false, "": false,
	} {
		if got := asks(read(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestCorrects_DenialsAndSecondThoughts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"nie, 70 m2": true, "No, Gdynia": true, "jednak Premium": true, "przepraszam, 70": true, "actually Comfort": true, "wolę Comfort": true,
		"70 m2": false, "poproszę Comfort": false, "to nie dom": false, "": false,
	} {
		if got := corrects(read(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestStanceBefore_EndsWithTheClause(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]stance{
		"nie X": stanceRejected, "nie chcę tego X": stanceRejected, "bez X": stanceRejected, "wolę X": stancePreferred, "nie poproszę X": stanceRejected,
		"tylko X": stancePreferred, "nie, X": stanceNeutral, "nie wiem czy X": stanceNeutral, "nie mam, ale X": stanceNeutral, "X": stanceNeutral,
		"nie raz dwa trzy cztery pięć X": stanceNeutral, "instead of X": stanceRejected, "I would rather take X": stancePreferred,
	} {
		toks := read(text)
		if got := stanceBefore(toks, len(toks)-1); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestRejectedAfter_LooksAtTheSameClauseOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"X odpada": true, "X jest za drogi": true, "X mnie nie interesuje": true, "X is too expensive": true,
		"X, nie": false, "X a nie": false, "X": false, "X jest super": false, "X is expensive": false,
	} {
		if got := rejectedAfter(read(text), 1); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestSentenceEnd_AFullStopNeedsACapitalAfterIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"ile? jak": 2, "tel. nie": 3, "ok. Jak": 2, "a\nb": 2, "a! b": 2, "a, b": 3, "": 0} {
		if got := sentenceEnd(read(text), 0); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestPricePerUnit_IsNoSum(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"/ m2": true, "za metr": true, "per square metre": true, "na m2": true, "/ m": true, "za wszystko": false, "za": false, "i m2": false, "a metr": false, "": false,
	} {
		if got := pricePerUnit(read(text), 0); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestForeignMoney_BesideTheAmount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"x 5 euro": true, "€ 5 x": true, "$ 5": true, "x 5 £": true, "usd 5": true, "x 5 zł": false, "x 5": false} {
		if got := foreignMoney(read(text), 1, 2); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestIsRange_OnlyWordsOfARange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"80 do 100": true, "80 - 100": true, "80 to 100": true, "80 , 100": false, "80 i 100": false, "80 a może 100": false} {
		toks := read(text)
		if got := isRange(toks, 1, len(toks)-1); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if isRange(read("80"), -1, 0) {
		t.Error("a range without a lower end")
	}
}

func TestAreaUnitAt_KnowsEverySpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"m2": 1, "m^2": 3, "m kw": 2, "m . kw": 3, "sq m": 2, "sq. m": 3, "square metres": 2, "kw m": 2, "metrów": 1, "-metrowe": 2, "m": 1, "m, Radom": 1,
		"m in.": 0, "m.in.": 0, "m wysokości": 0, "m x 3": 0, "metrów bieżących": 0, "metro": 0, "pokoje": 0, "square": 0, "": 0,
	} {
		if got := areaUnitAt(read(text), 0); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestCities_WordsThatAreAlsoNamesNeedTheirCase(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{{"jestem z Piły", "Piła"}, {"narzędzia z Piła", ""}, {"w Kole", "Koło"}, {"ze Koło", ""}} {
		if got := x.Extract(c.message, AskedNothing).Facts.City; got != c.want {
			t.Errorf("%q: city %q, want %q", c.message, got, c.want)
		}
	}
}

func TestParsePhrase_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "1 to 8 terms", "a b c d e f g h i": "1 to 8 terms", "abc ^0": "weight", "abc ^11": "weight", "abc ^": "weight", "a|": "empty alternative", "*": "empty alternative",
		"@garden": "not a fact", "ab*": "too short",
	} {
		if _, err := parsePhrase(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	p, err := parsePhrase("Ile koszt*|cena @m2 ^1.5")
	if err != nil || p.weight != 1.5 || len(p.terms) != 3 || strings.Join(p.terms[1], " ") != "koszt* cena" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestSkipTitles_StopsAtTheName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"Jan": 0, "pan Jan": 1, "dr Jan": 1, "mgr inż. Jan": 3, "dr. hab. Jan": 4, "pan": 1, "": 0} {
		if got, titled := skipTitles(read(text), 0); got != want || titled != (want > 0) {
			t.Errorf("%q: %d %v, want %d", text, got, titled, want)
		}
	}
}
