package chat

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestRender_FillsEveryPlaceholder(t *testing.T) {
	t.Parallel()
	facts := chatops.Facts{Name: "Jan Kowalski", City: "Łódź", SquareMeters: 1200, Package: "Comfort"}
	for _, c := range []struct {
		lang       Lang
		text, want string
	}{
		{Polish, "{company}, {address}", "Nova Wnętrza, ul. Przykładowa 7, 00-001 Warszawa"},
		{Polish, "{phone} {email}", "+48 22 555 01 23 kontakt@novawnetrza.example"},
		{English, "{booking_url} {privacy_url}", "https://novawnetrza.example/konsultacja https://novawnetrza.example/prywatnosc"},
		{Polish, "{cheapest}", "Express – 999 zł/m²"},
		{English, "{cheapest}", "Express – PLN 999 per m²"},
		{Polish, "{most_expensive}", "Premium – 1 999 zł/m²"},
		{Polish, "{name} z {city}", "Jan Kowalski z Łódź"},
		{Polish, "{square_meters} m²", "1 200 m²"},
		{English, "{square_meters} m²", "1,200 m²"},
		{Polish, "{estimate}", "• Comfort – 1 200 m² × 1 499 zł = 1 798 800 zł"},
		{English, "{estimate}", "• Comfort – 1,200 m² × PLN 1,499 = PLN 1,798,800"},
		{Polish, "  {nothing} ", ""},
		{Polish, "bez zmian", "bez zmian"},
		{Polish, "", ""},
	} {
		r := renderer{k: testKnowledge(t), lang: c.lang, facts: facts}
		if got := r.render(c.text); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.lang, c.text, got, c.want)
		}
	}
}

// What a visitor types is shown as it is, whatever it looks like.
func TestRender_LeavesPlaceholdersInFactsAlone(t *testing.T) {
	t.Parallel()
	r := renderer{k: testKnowledge(t), lang: Polish, facts: chatops.Facts{Name: "{email} {data}", City: "{phone}"}}
	if got := r.render("{name} z {city}"); got != "{email} {data} z {phone}" {
		t.Errorf("%q", got)
	}
}

func TestRender_EveryPlaceholderThatIsAllowedHasAValue(t *testing.T) {
	t.Parallel()
	f := chatops.Facts{Name: "Jan", City: "Łódź", SquareMeters: 60}
	for _, lang := range languages {
		for _, name := range placeholders {
			r := renderer{k: testKnowledge(t), lang: lang, facts: f}
			if r.value(name) == "" {
				t.Errorf("%s: {%s} has no value", lang, name)
			}
		}
	}
}

func TestPlaceholderNames_AreThoseInBraces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil, "a": nil, "{a}": {"a"}, "{a}{b} {a}": {"a", "b", "a"}, "a}b": nil, "{": {" without a closing brace"},
		"{a} {b": {"a", "b without a closing brace"}, "{}": {""},
	} {
		if got := placeholderNames(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNamed_AreThePackagesOfTheMessageThenTheChosenOneThenAll(t *testing.T) {
	t.Parallel()
	all := []string{"Express", "Express Plus", "Comfort", "Premium", "Individual"}
	for _, c := range []struct {
		packages []string
		chosen   string
		least    int
		want     []string
	}{
		{nil, "", 1, all},
		{nil, "Comfort", 1, []string{"Comfort"}},
		{[]string{"Premium"}, "Comfort", 1, []string{"Premium"}},
		{[]string{"Premium"}, "Comfort", 2, all}, // one alone cannot be compared
		{nil, "Comfort", 2, all},
		{[]string{"Premium", "Express"}, "", 2, []string{"Express", "Premium"}},
		{[]string{"Premium", "Express"}, "Comfort", 1, []string{"Express", "Premium"}},
	} {
		k := testKnowledge(t)
		r := renderer{k: k, lang: Polish, facts: chatops.Facts{Package: c.chosen}, packages: c.packages}
		var got []string
		for _, p := range r.named(c.least) {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, chosen %q, at least %d: %v, want %v", c.packages, c.chosen, c.least, got, c.want)
		}
		if len(k.Packages) != len(all) {
			t.Fatalf("the price list was changed to %v", k.Packages)
		}
	}
}

func TestData_ShowsWhatIsKnownAndNothingElse(t *testing.T) {
	t.Parallel()
	full := chatops.Facts{
		Name: "Jan Kowalski", Email: "jan@x.pl", Phone: "+48600700800", City: "Łódź", SquareMeters: 1200, Budget: 120_000, Package: "Comfort",
		BookingIntent: true, Language: "pl",
	}
	r := renderer{k: testKnowledge(t), lang: Polish, facts: full}
	want := "• Imię i nazwisko: Jan Kowalski\n• Telefon: +48600700800\n• E-mail: jan@x.pl\n• Miasto: Łódź\n• Metraż: 1 200 m²\n• Pakiet: Comfort\n• Budżet: 120 000 zł"
	if got := r.data(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for mask := range 1 << 8 {
		r.facts = pickFacts(&full, mask)
		known := 0
		for bit := range 7 { // all but the wish for a consultation
			known += mask >> bit & 1
		}
		got := r.data()
		if lines := len(strings.FieldsFunc(got, func(r rune) bool { return r == '\n' })); lines != known || strings.Contains(got, ": \n") {
			t.Fatalf("%d facts are shown as %q", known, got)
		}
	}
}

func TestAnswer_TakesTheVariantThatFitsWhatIsKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		topic Topic
		facts chatops.Facts
		holds string
	}{
		{TopicArea, chatops.Facts{}, "Działamy w miastach"},
		{TopicArea, chatops.Facts{City: "Kraków"}, "Tak, Kraków i okolice"},
		{TopicArea, chatops.Facts{City: "Opole"}, "Opole poza tym obszarem?"},
		{TopicArea, chatops.Facts{SquareMeters: 60}, "Działamy w miastach"},
		{TopicEstimate, chatops.Facts{}, "Chętnie policzę"},
		{TopicEstimate, chatops.Facts{SquareMeters: 60}, "Orientacyjny koszt dla 60 m²"},
		{TopicEstimate, chatops.Facts{SquareMeters: 60, Package: "Individual"}, "Individual – wycena indywidualna"},
		{TopicEstimate, chatops.Facts{City: "Opole", SquareMeters: 60}, "Orientacyjny koszt dla 60 m²"},
	} {
		r := renderer{k: testKnowledge(t), lang: Polish, facts: c.facts}
		if got := r.answer(c.topic); !strings.Contains(got, c.holds) {
			t.Errorf("%s with %+v: %q lacks %q", c.topic, c.facts, got, c.holds)
		}
	}
}

func TestFAQ_HoldsEveryAnswerThatNeedsNoConversation(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, lang := range languages {
		faq := k.FAQ(lang)
		if len(faq) != len(Topics())-len(unpublished) {
			t.Errorf("%s: %d answers", lang, len(faq))
		}
		for topic, text := range faq {
			if text == "" || strings.ContainsAny(text, "{}") || slices.Contains(unpublished, topic) {
				t.Errorf("%s %s: %q", lang, topic, text)
			}
		}
	}
	if !strings.Contains(k.FAQ(English)[TopicPrice], "PLN 1,499 per m²") || !strings.Contains(k.FAQ(Polish)[TopicPrice], "1 499 zł/m²") {
		t.Error("the price list is not written as each language writes it")
	}
}

func TestPackageText_IsOfTheLanguage(t *testing.T) {
	t.Parallel()
	p := testKnowledge(t).Package("Express")
	if pl, en := p.Text(Polish), p.Text(English); !strings.HasPrefix(pl.Summary, "podstawowy") || !strings.HasPrefix(en.Summary, "basic") || pl.IdealFor == en.IdealFor {
		t.Errorf("%+v, %+v", pl, en)
	}
}

// Grouping the digits changes none of them.
func TestFormatNumber_KeepsTheDigits(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 50_000_000).Draw(t, "n")
		for _, lang := range languages {
			s := formatNumber(lang, n)
			if end, v := readNumber(s, 0); end != len(s) || int(v) != n {
				t.Fatalf("%d is written as %q, which reads as %v", n, s, v)
			}
		}
		if n < minMoney {
			return
		}
		if got := x.Extract("budżet "+formatMoney(Polish, n), AskedNothing).Facts.Budget; got != n {
			t.Fatalf("%q reads as %d", formatMoney(Polish, n), got)
		}
	})
}
