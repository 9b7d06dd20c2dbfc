package chat

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
)

// placeCase is a place with its genitive, locative and instrumental, written by
// hand.
type placeCase struct{ name, genitive, locative, instrumental string }

func readPlaces(t *testing.T) []placeCase {
	t.Helper()
	f, err := os.Open("testdata/places.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []placeCase
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if p := strings.Split(sc.Text(), "|"); len(p) == 4 {
			out = append(out, placeCase{p[0], p[1], p[2], p[3]})
		}
	}
	if len(out) < 200 {
		t.Fatalf("only %d places", len(out))
	}
	return out
}

// in returns "w" or "we", "z" or "ze", as a Pole would write it; the reader does
// not care.
func in(place string) string {
	if strings.HasPrefix(place, "W") && len(place) > 1 && !strings.ContainsRune("aeiouyąęó", []rune(place)[1]) {
		return "we"
	}
	return "w"
}

func TestCities_AreFoundInEveryCase(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, p := range readPlaces(t) {
		for _, text := range []string{
			p.name + ", 60 m2", "miasto: " + p.name, "jestem z " + p.genitive, "okolice " + p.genitive, "mieszkanie " + in(p.locative) + " " + p.locative,
			"budowa pod " + p.instrumental + ", dom", "MIESZKANIE W " + strings.ToUpper(p.locative), "mieszkanie w " + strings.ReplaceAll(p.locative, "-", " "),
			"Mieszkanie w " + plainCase(p.locative) + ", 60 m2",
		} {
			if got := x.Extract(text, AskedNothing).Facts.City; got != p.name {
				t.Errorf("%q: city %q, want %q", text, got, p.name)
			}
		}
	}
}

// plainCase takes the diacritics away and keeps the capitals.
func plainCase(s string) string {
	return strings.NewReplacer("ą", "a", "ć", "c", "ę", "e", "ł", "l", "ń", "n", "ó", "o", "ś", "s", "ź", "z", "ż", "z", "Ł", "L", "Ś", "S", "Ż", "Z", "Ó", "O").Replace(s)
}

func TestCities_TypedWithoutCapitals(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, p := range readPlaces(t) {
		for _, text := range []string{"mieszkanie w " + strings.ToLower(p.locative), "mieszkam w " + fold(p.locative) + ", 60m2"} {
			if got := x.Extract(text, AskedNothing).Facts.City; got != p.name {
				t.Errorf("%q: city %q, want %q", text, got, p.name)
			}
		}
	}
}

func testCities(t *testing.T, cases []factCase) {
	t.Helper()
	x := testKnowledge(t).Extractor()
	for _, c := range cases {
		if got := x.Extract(c.message, AskedNothing).Facts.City; got != c.want {
			t.Errorf("%q: city %q, want %q", c.message, got, c.want)
		}
	}
}

func TestCities_AreSpelledWithTheirDiacriticsOrNone(t *testing.T) {
	t.Parallel()
	testCities(t, []factCase{
		{"pracuję dla przemysłu", ""},
		{"mieszkanie w Przemyślu", "Przemyśl"},
		{"w przemyslu", "Przemyśl"},
		{"Główna 5", ""},
		{"z Głowna", "Głowno"},
		{"bez żywic i proszków", ""},
		{"w Krakówie", "Kraków"},
		{"Lódź", "Łódź"},
		{"farby z żywicy", ""},
		{"z tych mieszkań", ""},
	})
}

func TestCities_ShortAndForeignNames(t *testing.T) {
	t.Parallel()
	testCities(t, []factCase{
		{"w-wa 55m2", "Warszawa"},
		{"wwa", "Warszawa"},
		{"w Gorzowie", "Gorzów Wielkopolski"},
		{"Kędzierzyn", "Kędzierzyn-Koźle"},
		{"w Jastrzębiu", "Jastrzębie-Zdrój"},
		{"w Polanicy", "Polanica-Zdrój"},
		{"na Helu", "Hel"},
		{"na hel wpłynęło", ""},
		{"near Cracow", "Kraków"},
		{"w Pruszczu Gdańskim", "Pruszcz Gdański"},
	})
}

func TestCities_WhereTheVisitorNeitherLivesNorBuilds(t *testing.T) {
	t.Parallel()
	testCities(t, []factCase{
		{"macie siedzibę w Warszawie?", ""},
		{"Skąd jesteście, z Krakowa?", ""},
		{"Gdzie macie biuro? W Gdyni?", ""},
		{"czy jesteście z Radomia?", ""},
		{"pracuję w Krakowie", ""},
		{"I work in Gdynia", ""},
		{"Do you work in Gdynia?", "Gdynia"},
		{"działacie w Nowym Sączu?", "Nowy Sącz"},
		{"a w Rzeszowie robicie?", "Rzeszów"},
		{"mieszkanie przy Warszawskiej 40 w Białymstoku", "Białystok"},
		{"wakacje w Łebie, mieszkanie w Słupsku", "Słupsk"},
	})
}

func TestCities_TheNearerPlaceGoesFirst(t *testing.T) {
	t.Parallel()
	testCities(t, []factCase{
		{"dom pod Wrocławiem, w Smolcu", "Smolec"},
		{"jestem z Józefowa pod Warszawą", "Józefów"},
		{"koło Poznania, dokładnie Komorniki", "Komorniki"},
		{"Warszawa, a dokładniej Ząbki", "Ząbki"},
		{"dom pod Rzeszowem", "Rzeszów"},
		{"w Olsztynku pod Olsztynem", "Olsztynek"},
	})
}

func TestCities_CommonWordsInLowerCase(t *testing.T) {
	t.Parallel()
	testCities(t, []factCase{
		{"mieszkam w pile", "Piła"},
		{"mieszkanie w markach, 60m", "Marki"},
		{"w dobrej cenie", ""},
		{"mieszkanie w dobrej okolicy", ""},
		{"nowe miasto, nowe życie", ""}, //nolint:misspell // Polish
		{"to jest dobre miasto do życia", ""},
		{"mieszkanie w nowym bloku", ""},
		{"w piątek", ""},
		{"blaszki i łapy", ""},
		{"w górze bloku", ""},
	})
}

func TestPlaceForms_TakesFormsInAndOut(t *testing.T) {
	t.Parallel()
	forms := placeForms("Tychy", "!tych, tyskie miasto, Nowe Tychy") //nolint:misspell // Polish
	for f, want := range map[string]bool{"tychy": true, "tychach": true, "tych": false, "tyskie miasto": true, "nowych tychach": true} {
		if slices.Contains(forms, f) != want {
			t.Errorf("%q: want %v among %v", f, want, forms)
		}
	}
}
