package chat

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// claimed lists the claims of a text, as short as a table needs them.
func claimed(tb testing.TB, text string) string {
	tb.Helper()
	claims, loose := claimsIn(testKnowledge(tb).Extractor(), normalise(text))
	var out []string
	for _, c := range claims {
		s := fmt.Sprintf("%g%s", c.value, map[claimKind]string{
			claimPlain: "", claimMoney: " zł", claimForeign: " foreign", claimPercent: " %", claimArea: " m2", claimDay: " d", claimWeek: " w",
			claimMonth: " mo", claimYear: " y", claimHour: " h", claimMinute: " min", claimDistance: " km", claimClock: " clock",
		}[c.kind])
		for _, is := range []struct {
			yes  bool
			name string
		}{{c.perM2, "/m2"}, {c.priced, " priced"}, {c.budget, " budget"}, {c.small, " small"}, {c.carried, " carried"}} {
			if is.yes {
				s += is.name
			}
		}
		if c.pkg != "" {
			s += " " + c.pkg
		}
		out = append(out, s)
	}
	if loose {
		out = append(out, "loose")
	}
	return strings.Join(out, ", ")
}

func TestClaimsIn_TellsWhatANumberCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"To 999 zł.":                      "999 zł",
		"To 999 złotych i 50 groszy.":     "999 zł, 50 foreign",
		"It is PLN 1,499.":                "1499 zł",
		"To 100 EUR albo € 100.":          "100 foreign, 100 foreign",
		"It is $ 100.":                    "100 foreign",
		"Zaliczka 20%, potem 30 procent.": "20 %, 30 %",
		"We take 20 percent.":             "20 %",
		"Flat of 60 m², 60 sqm.":          "60 m2, 60 m2",
		"Trwa 8 dni roboczych.":           "8 d",
		"Trwa 6 tygodni.":                 "6 w",
		"36-month warranty":               "36 mo",
		"Dajemy 3 lata.":                  "3 y",
		"Odpowiadamy w 24 godziny.":       "24 h",
		"Rozmowa trwa 30 minut.":          "30 min",
		"Dojeżdżamy 50 km.":               "50 km",
		"Dojazd do 30 kilometrów":         "30 km",
		"Od 8:00 do 18:30.":               "8 clock, 0 clock, 18 clock, 30 clock",
		"Mamy 12 ekip.":                   "12",
		"Two of them, ten more":           "2 small, 10",
		"Trzy pokoje":                     "3 small",
		"":                                "",
		"Bez liczb, proszę Państwa.":      "",
	} {
		if got := claimed(t, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestClaimsIn_TheUnitOfARangeIsOfBothEnds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"6–8 tygodni":              "6 w, 8 w",
		"6 - 8 weeks":              "6 w, 8 w",
		"od 6 do 8 tygodni":        "6 w, 8 w",
		"between 6 and 8 weeks":    "6 w, 8 w",
		"999–1 999 zł/m²":          "999 zł/m2, 1999 zł/m2",
		"6, 8 tygodni":             "6, 8 w",
		"6 tygodni – 8 ekip":       "6 w, 8",
		"20 albo 30% zaliczki":     "20, 30 %",
		"between 6 and eight days": "6, 8 d",
	} {
		if got := claimed(t, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestClaimsIn_APriceForAMetreIsOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"999 zł/m²":                "999 zł/m2",
		"999 zł za metr":           "999 zł/m2",
		"999 zł (za m2)":           "999 zł/m2",
		"PLN 999 per square metre": "999 zł/m2",
		"60 m² × 999 zł":           "60 m2, 999 zł/m2",
		"60 m² x PLN 999":          "60 m2, 999 zł/m2",
		"999 zł za wszystko":       "999 zł",
		"999 zł":                   "999 zł",
	} {
		if got := claimed(t, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestClaimsIn_GivesAmountsToThePackageTheyAreOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Comfort: 1499 zł":                             "1499 zł Comfort",
		"Za 999 zł jest Express.":                      "999 zł Express",
		"999 zł (Express), 1999 zł (Premium)":          "999 zł Express, 1999 zł Premium",
		"Express 999 zł, Premium 1999 zł":              "999 zł Express, 1999 zł Premium",
		"Polecam Comfort. Kosztuje 1499 zł.":           "1499 zł carried Comfort",
		"Od 999 zł w Express do 1999 zł w Premium":     "999 zł Express, 1999 zł Premium",
		"Express Plus to 1199 zł":                      "1199 zł Express Plus",
		"Kosztuje 1499.":                               "1499 priced",
		"Cena wynosi 36 miesięcy.":                     "36 mo",
		"W budżecie 120 000 zł":                        "120000 zł budget",
		"W budżecie Express kosztuje 120 000 zł":       "120000 zł Express",
		"Comfort trwa 8 tygodni":                       "8 w",
		"Nie ma pakietu za 500 zł":                     "500 zł",
		"Premium, nasz najlepszy pakiet, to 1 999 zł.": "1999 zł Premium",
	} {
		if got := claimed(t, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestClaimsIn_MoneyWithoutANumberIsLoose(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"kilka tysięcy złotych": true, "symboliczna złotówka": true, "a few dollars": true, "parę €": true, "millions": true, "kilka tys. zł": true,
		"999 zł": false, "2 tys. zł": false, "PLN 999": false, "a million reasons": true, "bez opłat": false, "€ 5": false,
	} {
		if _, loose := claimsIn(testKnowledge(t).Extractor(), normalise(text)); loose != want {
			t.Errorf("%q: loose %v, want %v", text, loose, want)
		}
	}
}

func TestClaimsIn_LeavesContactsAndCountersAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Telefon +48 22 555 01 23, biuro2@x.pl":   "",
		"Zob. https://x.example/2026/30?zl=5":     "",
		"1) umowa, 2) prace, 3) odbiór":           "",
		"Etapy:\n1) umowa\n2) prace":              "",
		"21) to nie punkt":                        "21",
		"Krok 1: umowa":                           "1",
		"Umowa, 5) odbiór po 8 tygodniach (razem": "8 w",
	} {
		if got := claimed(t, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestInheritUnits_ADroppedUnitIsThatOfThePeriodBefore(t *testing.T) {
	t.Parallel()
	claims, _ := claimsIn(testKnowledge(t).Extractor(), "Do 50 m2 w 6–8 tygodni, do 80 m2 w 8–10. Mamy 12 ekip. Gwarancja 36 miesięcy, na sprzęt 24.")
	inheritUnits(claims)
	want := []claimKind{claimArea, claimWeek, claimWeek, claimArea, claimWeek, claimWeek, claimPlain, claimMonth, claimMonth}
	if len(claims) != len(want) {
		t.Fatalf("%d claims, want %d: %+v", len(claims), len(want), claims)
	}
	for i, c := range claims {
		if c.kind != want[i] {
			t.Errorf("%g counts %d, want %d", c.value, c.kind, want[i])
		}
	}
}

func TestCovers_AReplyMaySayLessAndNeverMore(t *testing.T) {
	t.Parallel()
	of := claim{value: 999, kind: claimMoney, pkg: "Express", perM2: true}
	general := claim{value: 999, kind: claimMoney}
	for name, c := range map[string]struct {
		entry, reply claim
		want         bool
	}{
		"the same":                  {of, of, true},
		"without package":           {of, claim{value: 999, kind: claimMoney, perM2: true}, true},
		"without metre":             {of, claim{value: 999, kind: claimMoney, pkg: "Express"}, true},
		"without unit":              {of, claim{value: 999, priced: true}, true},
		"another package":           {of, claim{value: 999, kind: claimMoney, pkg: "Premium"}, false},
		"another sum":               {of, claim{value: 998, kind: claimMoney, pkg: "Express"}, false},
		"another currency":          {of, claim{value: 999, kind: claimForeign}, false},
		"a metre made up":           {general, claim{value: 999, kind: claimMoney, perM2: true}, false},
		"a package made up":         {general, claim{value: 999, kind: claimMoney, pkg: "Express"}, false},
		"a package of the sentence": {general, claim{value: 999, kind: claimMoney, pkg: "Express", carried: true}, true},
		"no money":                  {claim{value: 999, kind: claimWeek}, claim{value: 999, kind: claimMoney}, false},
	} {
		if got := c.entry.covers(c.reply); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A claim is read from the text and from nothing else: its value stands there,
// and what stands around it does not change how often it is counted.
func TestClaimsIn_CountsEveryAmountOnce(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		var want []float64
		for range rapid.IntRange(1, 6).Draw(t, "amounts") {
			v := rapid.IntRange(4, 99_999).Draw(t, "value")
			unit := rapid.SampledFrom([]string{"zł", "zł/m2", "tygodni", "procent", "m2", "EUR", "km"}).Draw(t, "unit")
			name := rapid.SampledFrom([]string{"cena", "Comfort", "termin", "Express Plus", "razem"}).Draw(t, "name")
			parts = append(parts, name+" "+formatNumber(Polish, v)+" "+unit)
			want = append(want, float64(v))
		}
		text := strings.Join(parts, "; ")
		claims, loose := claimsIn(x, text)
		if len(claims) != len(want) || loose {
			t.Fatalf("%q: %+v, loose %v", text, claims, loose)
		}
		for i, c := range claims {
			if c.value != want[i] || c.kind == claimPlain || c.small || math.IsNaN(c.value) {
				t.Fatalf("%q: %+v, want %g", text, c, want[i])
			}
		}
	})
}
