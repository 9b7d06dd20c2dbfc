package chat

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestFindBudget_WhatOthersAskOrPayIsNoBudget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"90k PLN is too much":                       0,
		"90k PLN too expensive":                     0,
		"90k PLN too":                               90_000,
		"90 tys. zł za drogo":                       0,
		"90 tys. zł za pokój":                       0,
		"90 tys. zł za całość":                      90_000,
		"9000 zł miesięcznie":                       0,
		"9000 PLN monthly":                          0,
		"95k PLN from another company":              0,
		"95 tys. zł od dewelopera":                  0,
		"95 tys. zł od jutra":                       95_000,
		"zaliczka 10 000 zł":                        0,
		"rata 9 000 zł":                             0,
		"120 tys. zł za m2":                         0,
		"9 500 zł per square metre":                 0,
		"za metr liczą 9500 zł":                     0,
		"120 000 EUR":                               0,
		"$120 000":                                  0,
		"sprzedaliśmy auto za 40 tys. zł":           0,
		"nie 90 tys. zł":                            0,
		"nie więcej niż 90 tys. zł":                 90_000,
		"no more than 90k PLN":                      90_000,
		"nie przekroczyć 90 tys. zł":                90_000,
		"zarabiam 9 tys. zł, na remont 120 tys. zł": 120_000,
	} {
		if got := findBudget(read(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestFindBudget_BelievesLessWhereNothingNamesIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"3000 zł":                        0,
		"maks. 3000 zł":                  3_000,
		"budżet 999 zł":                  0,
		"budżet 1000 zł":                 1_000,
		"5000 zł":                        5_000,
		"4999 zł":                        0,
		"budżet 50 mln":                  50_000_000,
		"budżet 51 mln zł":               0,
		"120000":                         0,
		"budżet 120000":                  120_000,
		"budżet na 2026":                 0,
		"budżet 2026 zł":                 2_026,
		"budżet na 2026: 120 tys.":       120_000,
		"mam 130 000":                    130_000,
		"mamy około 130 000 na całość":   130_000,
		"mamy 12 000 książek":            0,
		"mamy 130000":                    0,
		"uzbierane 90000":                90_000,
		"czy 90 000 wystarczy":           90_000,
		"is 90 000 enough":               90_000,
		"80-100 tys. zł":                 100_000,
		"od 80 tys. zł do 100 tys. zł":   100_000,
		"80 tys. zł, wolę 70 tys. zł":    70_000,
		"budżet 90 tys.; auto 40 tys.":   90_000,
		"kwota: 85 000,00 zł":            85_000,
		"budżet: 85 tys. 500 zł":         85_500,
		"budżet 0,2 mln":                 200_000,
		"budżet półtora miliona złotych": 1_500_000,
	} {
		if got := findBudget(read(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestFindArea_BelievesWhatCanBeAHome(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"4 m2":                              0,
		"5 m2":                              5,
		"10 000 m2":                         10_000,
		"10 001 m2":                         0,
		"60 m2 za 1000 zł/m2":               60,
		"1000 zł / 60 m2":                   0,
		"balkon 8 m2 i mieszkanie 60 m2":    60,
		"garaż 18 m2":                       0,
		"60 m2 z garażem 18 m2":             60,
		"pokój 20 m2, całość 64 m2":         64,
		"200 m do plaży":                    0,
		"200 m od szkoły, mieszkanie 55 m2": 55,
		"odległość 300 m":                   0,
		"rury 60 m":                         0,
		"wysokość 3 m, 60 m2":               60,
		"pokój 5 x 12 m":                    0,
		"60 mkw.":                           60,
		"60 m kw.":                          60,
		"60 metrów bieżących":               0,
		"60 m.in. z balkonem":               0,
		"60 m":                              60,
		"metraż: 60":                        60,
		"powierzchnia 60, 3 piętro":         60,
		"powierzchnia 3 pokoje":             0,
		"powierzchni 100 tys. zł":           0,
		"59,5 m2":                           60,
		"59,4 m2":                           59,
	} {
		if got := findArea(read(text), AskedNothing); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestFindArea_ABareAnswerIsShortAndCountsNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"60": 60, "ok. 60": 60, "sześćdziesiąt": 60, "60, Kraków": 60, "60-70": 70, "60 do 70": 70, "15": 15, "500": 500,
		"14": 0, "501": 0, "60 zł": 0, "60%": 0, "60 pokoi": 0, "20:30": 0, "20 lutego": 0, "60 i 70": 0, "w 2026": 0,
		"60 bo tyle jest w akcie notarialnym": 0, "": 0, "nie wiem": 0, "60/2": 0,
	} {
		if got := findArea(read(text), AskedDetails); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
		if got := findArea(read(text), AskedNothing); got != 0 {
			t.Errorf("%q, which nobody asked for: %d", text, got)
		}
	}
}

// A sum of money is the same however it is written.
func TestFindBudget_ReadsEverySpellingOfASum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		thousands := rapid.IntRange(10, 999).Draw(t, "thousands")
		n := strconv.Itoa(thousands)
		text := rapid.SampledFrom([]string{
			n + " tys. zł", n + " tys zł", n + "k zł", n + " tysięcy złotych", n + "000 zł", n + " 000 zł", n + ".000 zł", n + " 000,00 zł", "PLN " + n + ",000", n + "-tysięczny budżet",
			"budżet " + n + " 000", n + " 000,- zł",
		}).Draw(t, "text")
		for _, s := range []string{text, "mamy na to " + text, "Dzień dobry, " + text + ", pozdrawiam"} {
			if got := findBudget(read(s)); got != thousands*1000 {
				t.Fatalf("%q: %d, want %d", s, got, thousands*1000)
			}
		}
	})
}

func TestFindArea_ReadsEverySpellingOfAnArea(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.IntRange(20, 400).Draw(t, "area")
		n := strconv.Itoa(area)
		text := rapid.SampledFrom([]string{
			n + " m2", n + "m2", n + " m²", n + "m²", n + " m^2", n + " mkw", n + " m kw.", n + " metrów", n + "-metrowe", n + " metrów kwadratowych", n + " sqm", n + " sq m",
			n + " square metres", "metraż " + n, "powierzchnia: " + n, "m2: " + n, n + ",0 m2",
		}).Draw(t, "text")
		for _, s := range []string{text, "mieszkanie " + text, "Dzień dobry, " + text + ", pozdrawiam"} {
			if got := findArea(read(s), AskedNothing); got != area {
				t.Fatalf("%q: %d, want %d", s, got, area)
			}
		}
	})
}
