package chat

import "testing"

func TestExtract_PhonesInWords(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"sześćset siedemset osiemset", "+48600700800"},
		{"sześćset jeden, sto dwa, trzysta trzy", "+48601102303"},
		{"sześć zero zero siedem zero zero osiem zero zero", "+48600700800"},
		{"pięćdziesiąt dwadzieścia trzydzieści czterdzieści pięć", ""},
		{"600 siedemset 800", "+48600700800"},
		{"sześćset jeden 222 333", "+48601222333"},
		{"plus czterdzieści osiem sześćset siedemset osiemset", "+48600700800"},
		{"sześć, dwa zera, siedem, dwa zera, osiem, dwa zera", "+48600700800"},
		{"six double zero seven double zero eight double zero", "+48600700800"},
		{"six oh oh seven oh oh eight oh oh", "+48600700800"},
		{"five triple one two three four five six", "+48511123456"},
		{"dwanaście trzynaście czternaście piętnaście szesnaście", ""},
		{"sześćset siedemset osiemset tysięcy", ""},
		{"sto dwadzieścia metrów", ""},
		{"mam sześć okien i siedem drzwi", ""},
		{"double", ""},
		{"zero zero zero zero zero zero zero zero zero", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Phone; got != c.want {
			t.Errorf("%q: phone %q, want %q", c.message, got, c.want)
		}
	}
}

func TestFindPhones_AfterTelAnyGroupingWillDo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"tel. 6007 00800": "+48600700800", "numer 50 51 52 53 4": "+48505152534", "tel 600,700,800": "+48600700800", "dzwoń na mój numer: 6 00700800": "+48600700800",
		"6007 00800": "", "600,700,800": "", "nr umowy 600700800": "", "umowa nr 600 700 800": "", "nr zamówienia: 600-700-800": "",
		"tel 600 700 800,50 m2": "+48600700800", "tel 600 700 800,600 100 200": "+48600700800",
	} {
		got := ""
		if _, numbers := findPhones(in); len(numbers) > 0 {
			got = numbers[0]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFindPhones_LettersForZerosAndAnyDash(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"6OO 7OO 8OO": "+48600700800", "6oo-7oo-8oo": "+48600700800", "600–700–800": "+48600700800", "600 — 700 — 800": "+48600700800", "600_700_800": "+48600700800",
		"60 osób, 700 800": "", "O600700800": "", "6O": "",
	} {
		got := ""
		if _, numbers := findPhones(in); len(numbers) > 0 {
			got = numbers[0]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestZeroed_KeepsTheLength(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"6OO": "600", "6o o": "60 o", "60osób": "60osób", "Oo": "Oo", "1O 2": "10 2", "": "", "plain": "plain"} {
		if got := zeroed(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestChooseFact_PassesOverOutdatedContacts(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for message, want := range map[string][2]string{
		"a@b.pl to mój stary mail, nowy: c@d.pl":        {"c@d.pl", ""},
		"600 700 800 to stary numer, mam 501 502 503":   {"", "+48501502503"},
		"było 600 700 800, jest 501 502 503":            {"", "+48501502503"},
		"600 700 800, przepraszam, 501 502 503":         {"", "+48501502503"},
		"600 700 800, a nie 501 502 503":                {"", "+48600700800"},
		"mój mail a@b.pl jest nowy, c@d.pl też działa":  {"a@b.pl", ""},
		"telefon 600 700 800 nieaktualny":               {"", ""},
		"jan@firma.pl albo ten sam numer 501 502 503":   {"jan@firma.pl", "+48501502503"},
		"poprzedni adres a@b.pl już nie działa: c@d.pl": {"c@d.pl", ""}, //nolint:misspell // Polish
	} {
		if f := x.Extract(message, AskedNothing).Facts; f.Email != want[0] || f.Phone != want[1] {
			t.Errorf("%q: %q %q, want %v", message, f.Email, f.Phone, want)
		}
	}
}
