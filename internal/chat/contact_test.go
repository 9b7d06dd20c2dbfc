package chat

import (
	"strings"
	"testing"
)

func TestFindEmails_TakesWellFormedAddressesOnly(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"jan@x.pl": "jan@x.pl", "<jan@x.pl>": "jan@x.pl", "mailto:jan@x.pl": "jan@x.pl", "jan@x.pl.": "jan@x.pl", "(jan@x.pl)": "jan@x.pl",
		"jan@x.pl.Dzwońcie": "jan@x.pl", "JAN@X.PL": "JAN@X.PL", "jan+a@x.co.uk": "jan+a@x.co.uk", "a@żółw.pl": "a@żółw.pl", ".jan@x.pl": "jan@x.pl",
		long + "@x.pl": long + "@x.pl",
		"a@@b.pl":      "", "@x.pl": "", "jan@": "", "jan@x": "", "jan@.pl": "", "jan@-x.pl": "", "jan@x-.pl": "", "jan.@x.pl": "", "j..n@x.pl": "", "jan@x.p": "",
		"jan@x.p1": "", long + "a@x.pl": "", "łjan@x.pl": "", "a@b@c.pl": "", "jan@x..pl": "",
	} {
		got := ""
		if spans := findEmails(in); len(spans) > 0 {
			got = in[spans[0].start:spans[0].end]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFindPhones_ReadsWhatPeopleType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"600700800": "+48600700800", "600 700 800": "+48600700800", "600-700-800": "+48600700800", "600.700.800": "+48600700800", "tel600700800": "+48600700800",
		"+48600700800": "+48600700800", "+48 600 700 800": "+48600700800", "(+48) 600-700-800": "+48600700800", "0048600700800": "+48600700800",
		"48 600 700 800": "+48600700800", "+48 (22) 123 45 67": "+48221234567", "22 123 45 67": "+48221234567", "(22) 123-45-67": "+48221234567",
		"0 22 123 45 67": "+48221234567", "+44 20 7946 0958": "+442079460958", "0049 151 23456789": "+4915123456789", "mam 60 m2, 600 700 800": "+48600700800",
		"60 600 700 800": "+48600700800", "600 700 800 60 m2": "+48600700800", "dzwoń: 600 700 800!": "+48600700800",
		"12345678": "", "1234567890": "", "300 000 000 zł": "", "pesel 85010112345": "", "nip 123-456-32-18": "", "konto 12 3456 7890 1234 5678 9012 3456": "",
		"2026-03-01": "", "12.05.2026": "", "+48 123": "", "000 000 000": "", "faktura nr 123456789": "", "A123456789": "", "64,512345678": "", "100 000 - 200 000 zł": "",
		"+1": "", "++": "", "": "",
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

func TestFindArea_TellsAreasFromOtherNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"60m2": 60, "60 m 2": 60, "60m^2": 60, "60 m.kw.": 60, "60 metrów": 60, "60,4 m2": 60, "60,5 m2": 61, "1 200 m2": 1200, "60 sq m": 60, "60 square metres": 60,
		"60-70 m2": 70, "metraż: 60": 60, "powierzchnia ok. 60": 60, "60 m": 60, "nie 60 m2 tylko 70 m2": 70, "stu metrów": 100,
		"1 m2": 0, "999 zł/m2": 0, "1499 za m2": 0, "2,7 m wysokości": 0, "60 m wysokości": 0, "balkon 8 m2": 0, "3 metry bieżące": 0, "20000 m2": 0, "60": 0,
		"60 pokoi": 0, "metraż 2 pokoje": 0, "30 metrów bieżących": 0,
	} {
		if got := findArea(tokenise(normalise(in), nil), AskedNothing); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindArea_BareNumberOnlyAnswersTheQuestion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"60": 60, "ok. 60": 60, "3": 0, "60 tys": 0, "60 czy 70": 0, "55-60": 60, "sześćdziesiąt": 60, "od 55 do 60": 60, "60-pokojowe": 0, "2026": 0, "mam 3 pokoje": 0, "60/70": 0} {
		if got := findArea(tokenise(normalise(in), nil), AskedDetails); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindBudget_TellsBudgetsFromPrices(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"budżet 100000": 100000, "100 tys": 100000, "100 tys. zł": 100000, "100k": 100000, "100 000 zł": 100000, "100.000 zł": 100000, "PLN 100,000": 100000,
		"0,1 mln": 100000, "pół miliona": 500000, "około miliona złotych": 1000000, "półtora miliona": 1500000, "od 80 do 100 tys": 100000, "80 tys - 100 tys": 100000,
		"budżet 80 000 - 100 000 zł": 100000, "nie więcej niż 90 tys": 90000, "dwieście tysięcy złotych": 200000, "budżet: 90 tysięcy": 90000,
		"999 zł": 0, "1499 zł/m2": 0, "6000 zł za m2": 0, "100 000 euro": 0, "$100000": 0, "€ 100 000": 0, "rata 5000 zł": 0, "5000 zł zaliczki": 0, "100000": 0,
		"zarabiam 10 000 zł": 0, "999 mld zł": 0, "mieszkanie kosztowało 500 tys": 0, "500 000 000 000 zł": 0, "60 m2": 0,
	} {
		if got := findBudget(tokenise(normalise(in), nil)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindBudget_KnowsMoneySetAside(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"mamy odłożone 130 000": 130000, "130 000 mamy odlozone": 130000, "zaoszczędziliśmy 85000": 85000, "oszczędności: 70 tys": 70000,
		"przeznaczamy na to 60000": 60000, "we put aside 90 000": 90000, "can afford 120000": 120000,
		"czy 90 000 wystarczy": 90000, "is 90000 enough?": 90000, "starczy 3 000?": 0, "wystarczy 60 m2": 0, "odłożone na 2027": 0,
	} {
		if got := findBudget(tokenise(normalise(in), nil)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindBudget_TakesASumThatSomebodyHas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"mamy 130 000": 130000, "mam około 90.000 na całość": 90000, "we have about 95 000, flat in Gdynia": 95000,
		"mamy 12 000 obserwujących": 0, "mamy 130000": 0, "mam 3 000": 0, "działka 12 000": 0,
	} {
		if got := findBudget(tokenise(normalise(in), nil)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindBudget_TellsYearsFromSums(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"budżet na 2027": 0, "budżet na 2027 to 90 000": 90000, "budżet 2000 zł": 2000, "budżet 2500": 2500, "budżet 2 000": 2000,
	} {
		if got := findBudget(tokenise(normalise(in), nil)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindPhones_RefusesGroupingsThatNobodyUses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"6 0 0 7 0 0 8 0 0": "+48600700800", "60 07 00 800": "+48600700800", "60 070 0800": "+48600700800", "22 6543210": "+48226543210",
		"600 7 00800": "", "6007 00 800": "", "6 00 70 08 0 0": "",
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
