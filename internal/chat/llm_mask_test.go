package chat

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestMask_HidesPersonalDataAndLeavesTheQuestion(t *testing.T) {
	t.Parallel()
	known := chatops.Facts{Name: "Łucja Wójcik-Żak", Email: "lucja@firma.pl", Phone: "+48600700800"}
	for text, want := range map[string]string{
		"Ile kosztuje Premium dla 60 m² w Krakowie?":                                "Ile kosztuje Premium dla 60 m2 w Krakowie?",
		"Mam 60 m2 i budżet 120 000 zł, pakiet Comfort":                             "Mam 60 m2 i budżet 120 000 zł, pakiet Comfort",
		"Jestem Jan Kowalski, jan.k@wp.pl, 600 700 800":                             "Jestem [name], [email], [phone]",
		"Piszę do JAN@WP.PL i jan(at)wp.pl":                                         "Piszę do [email] i [email]",
		"mój mail to jan małpa wp kropka pl":                                        "mój mail to [email]",
		"write to tom at firm dot com please":                                       "write to [email] please",
		"mail: jan @ wp.pl, albo @jan_k, albo jan%40wp.pl":                          "mail: [email], [email], albo [email]",
		"ｊａｎ＠ｗｐ．ｐｌ to mój mail":                                                     "[email] to mój mail",
		"j\u200ban@w\u00adp.pl":                                                     "[email]",
		"tel. +48 (600) 700-800 albo 0048600700800":                                 "tel. [phone] albo [phone]",
		"numer 6 0 0 7 0 0 8 0 0 i 600,700,800":                                     "numer [phone] i [number]",
		"mój telefon: sześćset siedemset osiemset":                                  "mój telefon: [phone]",
		"dzwoń: ٦٠٠٧٠٠٨٠٠":                                                          "dzwoń: [number]",
		"PESEL 80010112345, konto PL61 1090 1014 0000 0712 1981 2874":               "PESEL [number], konto PL[number]",
		"karta 4111-1111-1111-1111":                                                 "karta [number]",
		"dowód ABC 123456":                                                          "dowód [number]",
		"mieszkam przy ul. Krakowskiej 5/12, 00-950 Warszawa":                       "mieszkam przy [address] Warszawa",
		"mieszkanie na osiedlu Zielonym 7 m. 3":                                     "mieszkanie na [address]",
		"mój kod to 00-950":                                                         "mój kod to [address]",
		"metraż 60-120 m2, remont":                                                  "metraż 60-120 m2, remont",
		"profil: https://fb.com/jan.kowalski i www.jan.pl":                          "profil: [link] i [link]",
		"Proszę zadzwonić do żony, Anny Nowak, albo do Tomaszem":                    "Proszę zadzwonić do żony, [name], albo do [name]",
		"To mieszkanie mojej córki Kasi, ona woli Comfort":                          "To mieszkanie mojej córki [name], ona woli Comfort",
		"Polecił mnie Kowalskiemu":                                                  "Polecił mnie [name]",
		"Polecił mnie pan Wiśniewski z Gdańska":                                     "Polecił mnie pan [name] z Gdańska",
		"łucja pisała wczoraj, ta od Wójcika":                                       "[name] pisała wczoraj, ta od [name]",
		"LUCJI i Żakowi się podoba":                                                 "[name] i [name] się podoba",
		"Deska czy panele? Marek używacie dobrych? Sam nie wiem":                    "Deska czy panele? Marek używacie dobrych? Sam nie wiem",
		"Will it take long? What does Express Plus include?":                        "Will it take long? What does Express Plus include?",
		"Kiedy możecie zacząć i ile trwa remont? Czy dajecie gwarancję na 36 m-cy?": "Kiedy możecie zacząć i ile trwa remont? Czy dajecie gwarancję na 36 m-cy?",
		"": "", "\x1b[31mTak": "\uFFFD[31mTak",
	} {
		m := masker{x: testKnowledge(t).Extractor(), facts: &known}
		if got := m.mask(text, false); got != want {
			t.Errorf("%q:\n%q, want\n%q", text, got, want)
		}
	}
}

func TestMask_TakesABareAnswerForAName(t *testing.T) {
	t.Parallel()
	m := masker{x: testKnowledge(t).Extractor(), facts: &chatops.Facts{}}
	for text, want := range map[string]string{"Ziuta Pędziwiatr": "[name]", "Comfort": "Comfort", "Kraków": "Kraków", "60": "60"} {
		if got := m.mask(text, true); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := m.mask("Gwarancja?", false); got != "Gwarancja?" {
		t.Errorf("a question: %q", got)
	}
}

// personal draws a piece of personal data as people write it.
func personal() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z0-9]{1,8}([._%+-][a-z0-9]{1,8})?@[a-zA-Z0-9]{1,10}(-[a-z]{2,4})?\.(pl|com|com\.pl|łódź\.pl|example)`),
		rapid.StringMatching(`(\+48 ?|0048 ?|)[4-8][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}`),
		rapid.StringMatching(`\+[1-9][0-9]{7,13}`),
		rapid.StringMatching(`[0-9]{11}`),
		rapid.StringMatching(`(PL)?[0-9]{2}( [0-9]{4}){6}`),
	)
}

// contacted reports what is left of contact data in a text that was sent.
var leftover = regexp.MustCompile(`\S@|@\S|\d{7}|\d(?:[ .-]?\d){8}`)

func TestMask_LeavesNothingThatTheExtractorFinds(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		text := message().Draw(t, "before") + " " + personal().Draw(t, "data") + rapid.SampledFrom([]string{" ", ", ", "\n", ". ", ""}).Draw(t, "gap") + message().Draw(t, "after")
		m := masker{x: x, facts: &chatops.Facts{}}
		bare := rapid.Bool().Draw(t, "bare")
		got := m.mask(text, bare)
		e := x.Extract(got, AskedNothing)
		if e.Facts.Email != "" || e.Facts.Phone != "" || leftover.MatchString(got) {
			t.Fatalf("%q became %q: %+v", text, got, e.Facts)
		}
		was := x.Extract(text, AskedNothing).Facts.Name
		if bare && was == "" {
			was = x.Extract(text, AskedName).Facts.Name
		}
		checkNameHidden(t, got, was)
		if !utf8.ValidString(got) {
			t.Fatalf("%q became %q: not UTF-8", text, got)
		}
	})
}

// checkNameHidden fails if a text holds a name, however it is written.
func checkNameHidden(t interface {
	Fatalf(format string, args ...any)
}, text, name string) {
	if name == "" {
		return
	}
	words := foldedWords(text)
	parts := foldedWords(name)
	for i := 0; i+len(parts) <= len(words); i++ {
		if slices.Equal(words[i:i+len(parts)], parts) {
			t.Fatalf("name %q in %q", name, text)
		}
	}
}

func TestMask_HidesTheKnownNameInEveryForm(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-ZŁŻ][a-ząęłóżź]{3,9} [A-ZŁŻ][a-ząęłóżź]{3,9}`).Draw(t, "name")
		shown := rapid.SampledFrom([]string{name, strings.ToLower(name), strings.ToUpper(name), fold(name), strings.ReplaceAll(name, " ", "\n")}).Draw(t, "shown")
		m := masker{x: x, facts: &chatops.Facts{Name: name}}
		checkNameHidden(t, m.mask("ile kosztuje "+shown+" "+message().Draw(t, "after"), false), name)
	})
}

func TestMask_TheHardestMessagesTakeUnder150ms(t *testing.T) { //nolint:paralleltest // it measures time
	m := masker{x: testKnowledge(t).Extractor(), facts: &chatops.Facts{Name: "Jan Kowalski"}}
	for name, text := range hardMessages() {
		best := fastest(5, func() { m.mask(text, true) }) // the machine is shared
		t.Logf("%s: %v", name, best)
		if best > 150*time.Millisecond && !raceEnabled {
			t.Errorf("%s: %v", name, best)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"jan@wp.pl", "600 700 800", "ul. Długa 5", "Jan", "\xff@\xff", "a\u0301@b.pl", "1\u00a02\u20073 4 5 6 7", "@@", "%40", "[email]@x"} {
		f.Add(s)
	}
	x := testKnowledge(f).Extractor()
	f.Fuzz(func(t *testing.T, text string) {
		m := masker{x: x, facts: &chatops.Facts{Name: "Jan Kowalski"}}
		got := m.mask(text, true)
		if e := x.Extract(got, AskedNothing); e.Facts.Email != "" || e.Facts.Phone != "" || leftover.MatchString(got) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
