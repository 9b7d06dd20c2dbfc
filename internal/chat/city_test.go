package chat

import (
	"bufio"
	"os"
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
