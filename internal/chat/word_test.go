package chat

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFold_TakesDiacriticsAway(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Łódź": "lodz", "ZAŻÓŁĆ GĘŚLĄ JAŹŃ": "zazolc gesla jazn", "plain": "plain", "That's": "thats", "o`brien": "obrien", "O`Brien": "obrien", "that’s": "thats",
		"Müller": "muller", "Đorđe": "dorde", "naïve": "naive", "Ž": "z", "o\u0301": "o", "ß": "s", "日本": "日本", "": "",
	} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFold_IsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := fold(s)
		if again := fold(once); again != once {
			t.Fatalf("%q folds to %q, then to %q", s, once, again)
		}
	})
}

func TestNormalise_MakesLookalikesPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"85 m²": "85 m2", "ｊａｎ＠ｘ．ｐｌ": "jan@x.pl", "a\u200bb\u00adc\ufeff": "abc", "1\u00a0200": "1 200", "o\u0301": "ó", "\xff": "\ufffd", "\u202eabc": "abc",
	} {
		if got := normalise(in); got != want {
			t.Errorf("normalise(%q) = %q, want %q", in, got, want)
		}
	}
	if got := len(normalise(strings.Repeat("ﷺ", 4000))); got > maxNormalised {
		t.Errorf("%d bytes, want at most %d", got, maxNormalised)
	}
}

func TestReadNumber_KnowsGroupsAndDecimals(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{
		"5": 5, "64,5": 64.5, "64.5": 64.5, "300 000": 300000, "300.000": 300000, "300,000": 300000, "1 200 500": 1200500, "0,2": 0.2, "0.250": 0.25,
		"1.234,56": 1234.56, "1,234.56": 1234.56, "12 34": 12, "1234 567": 1234, "1'000": 1000, "12,": 12, "12.": 12, "1 2345": 1, "007": 7,
	} {
		end, got := readNumber(in, 0)
		if got != want || end < 1 || end > len(in) {
			t.Errorf("readNumber(%q) = %v up to %d, want %v", in, got, end, want)
		}
	}
}

func TestNumberAt_ReadsNumbersInWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{
		"pięćdziesiąt": 50, "sto dwadzieścia pięć": 125, "dwieście": 200, "pół": 0.5, "osiemdziesiąt jeden": 81, "seventy five": 75,
		"two hundred fifty": 250, "stu": 100, "czterdziestu ośmiu": 48, "dziewięćset dziewięćdziesiąt dziewięć": 999,
	} {
		toks := tokenise(in, nil)
		if got, end, ok := numberAt(toks, 0); !ok || got != want || end != len(toks) {
			t.Errorf("%q = %v %v up to %d of %d, want %v", in, got, ok, end, len(toks), want)
		}
	}
	if _, _, ok := numberAt(tokenise("kot", nil), 0); ok {
		t.Error("a cat is a number")
	}
}

func TestTokenise_CoversTheTextInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := normalise(message().Draw(t, "message"))
		last := 0
		for _, tok := range tokenise(s, nil) {
			if tok.start < last || tok.end <= tok.start || tok.end > len(s) {
				t.Fatalf("%q: token %+v after %d", s, tok, last)
			}
			if gap := s[last:tok.start]; strings.TrimSpace(gap) != "" {
				t.Fatalf("%q: %q was skipped", s, gap)
			}
			last = tok.end
		}
	})
}

// distance1 is the definition of within1, slowly.
func distance1(a, b string) bool {
	if a == b {
		return true
	}
	for i := range len(a) + 1 {
		for c := byte('a'); c <= 'c'; c++ {
			if a[:i]+string(c)+a[i:] == b || i < len(a) && a[:i]+string(c)+a[i+1:] == b {
				return true
			}
		}
		if i < len(a) && a[:i]+a[i+1:] == b || i+1 < len(a) && a[:i]+a[i+1:i+2]+a[i:i+1]+a[i+2:] == b {
			return true
		}
	}
	return false
}

func TestWithin1_AgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[abc]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := within1(a, b), distance1(a, b); got != want {
			t.Fatalf("within1(%q, %q) = %v", a, b, got)
		}
	})
}

func TestTypoIndex_FindsEveryWordWithinOneError(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[abc]{5,8}`)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(word, 1, 20).Draw(t, "words")
		q := word.Draw(t, "query")
		x := newTypoIndex(list)
		var got []string
		x.find(q, func(n int) { got = append(got, list[n]) })
		for _, w := range list {
			if want := w[0] == q[0] && within1(w, q); want != slices.Contains(got, w) {
				t.Fatalf("%q: %q found %v, want %v", q, w, !want, want)
			}
		}
	})
}

func foldAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fold(s)
	}
	return out
}

func TestDeclinePlace_MakesTheFormsThatPeopleType(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Warszawa": "warszawa warszawy warszawie warszawe", "Kraków": "krakow krakowa krakowie krakowem", "Łódź": "lodz lodzi", "Gdańsk": "gdanska gdansku gdanskiem",
		"Poznań": "poznania poznaniu poznaniem", "Wrocław": "wroclawia wroclawiu wroclawiem", "Bydgoszcz": "bydgoszczy", "Katowice": "katowic katowicach katowicami",
		"Kielce": "kielc kielcach", "Gdynia": "gdyni gdynie", "Radom": "radomia radomiu", "Opole": "opola opolu opolem", "Tychy": "tychach tychow", "Legnica": "legnicy",
		"Włocławek": "wloclawka wloclawku wloclawkiem", "Mielec": "mielca mielcu", "Kołobrzeg": "kolobrzegu", "Sopot": "sopocie sopotu", "Zamość": "zamosciu zamoscia",
		"Gniezno": "gnieznie gniezna", "Kłodzko": "klodzku klodzka", "Suwałki": "suwalkach suwalk", "Ząbki": "zabek zabkach", "Starogard Gdański": "starogardzie gdanskim",
		"Oświęcim": "oswiecimiu oswiecimia", "Chełm": "chelmie", "Ostrołęka": "ostrolece ostroleki", "Limanowa": "limanowej", "Września": "wrzesni", "Stargard": "stargardzie",
		"Dębno": "debnie", "Łomża": "lomzy", "Kalisz": "kaliszu kalisza", "Elbląg": "elblagu elblaga", "Pruszków": "pruszkowie", "Częstochowa": "czestochowie czestochowy",
		"Marki": "markach marek", "Kartuzy": "kartuzach", "Nysa": "nysie", "Brzesko": "brzesku", "Przemyśl": "przemyslu przemysla", "Racibórz": "raciborzu raciborza",
	} {
		forms := foldAll(declinePlace(name))
		for w := range strings.FieldsSeq(strings.ReplaceAll(want, " gdanskim", "")) {
			if !slices.ContainsFunc(forms, func(f string) bool { return f == w || strings.HasPrefix(f, w+" ") }) {
				t.Errorf("%s: no form %q among %v", name, w, forms)
			}
		}
	}
	for name, want := range map[string]string{
		"Nowy Sącz": "nowym saczu|nowego sacza", "Zielona Góra": "zielonej gorze|zielonej gory", "Bielsko-Biała": "bielsku bialej|bielska bialej",
		"Dąbrowa Górnicza": "dabrowie gorniczej", "Tarnowskie Góry": "tarnowskich gorach", "Ruda Śląska": "rudzie slaskiej", "Jastrzębie-Zdrój": "jastrzebiu zdroju",
		"Piekary Śląskie": "piekarach slaskich", "Ostrów Wielkopolski": "ostrowie wielkopolskim", "Nakło nad Notecią": "nakle nad notecia", "Biała Podlaska": "bialej podlaskiej",
		"Mińsk Mazowiecki": "minsku mazowieckim", "Nowa Sól": "nowej soli", "Stalowa Wola": "stalowej woli", "Kędzierzyn-Koźle": "kedzierzynie kozlu", "Góra Kalwaria": "gorze kalwarii",
	} {
		forms := foldAll(declinePlace(name))
		for w := range strings.SplitSeq(want, "|") {
			if !slices.Contains(forms, w) {
				t.Errorf("%s: no form %q among %v", name, w, forms)
			}
		}
	}
}

func TestCities_EveryOneIsFoundInThePlacesWherePeoplePutIt(t *testing.T) {
	t.Parallel()
	x := newCityIndex(citiesFile)
	if len(x.names) < 700 {
		t.Fatalf("%d cities", len(x.names))
	}
	seen := map[string]bool{}
	for n, name := range x.names {
		if seen[name] {
			t.Errorf("%s stands twice in the list", name)
		}
		seen[name] = true
		if x.careful[n] {
			continue
		}
		for _, text := range []string{"mieszkanie: " + name + ", 60 m2", name} {
			if got := x.find(text, tokenise(text, nil)); got != name {
				t.Errorf("%q: %q, want %s", text, got, name)
			}
		}
	}
}

func TestStem_LeavesEnoughToCompare(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"gwarancjami": "gwarancj", "mieszkaniach": "mieszkani", "kot": "kot", "cena": "cena", "prices": "pric", "pakietow": "pakiet"} {
		if got := stem(in); got != want {
			t.Errorf("stem(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDetectLanguage_GoesByWordsAndLetters(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Lang{
		"ile to kosztuje": Polish, "how much is it": English, "żółw": Polish, "60 m2": Polish, "Łódź flat, how much is it for me": English,
		"I need a quote for my apartment in Kraków": English, "hej": Polish, "hello": English,
	} {
		if got := detectLanguage(in, tokenise(normalise(in), nil), Polish); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := detectLanguage("60 m2", tokenise("60 m2", nil), English); got != English {
		t.Errorf("a message without words changed the language to %s", got)
	}
}
