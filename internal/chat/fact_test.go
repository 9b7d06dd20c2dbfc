package chat

import (
	"slices"
	"testing"
)

// factCase is a message and the one fact that it should give; "" means none.
type factCase struct{ message, want string }

func TestExtract_Names(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		// Introductions.
		{"Nazywam się Jan Kowalski.", "Jan Kowalski"},
		{"nazywam sie kowalski", "Kowalski"},
		{"Mam na imię Łucja", "Łucja"},
		{"Moje imię: Hubert", "Hubert"},
		{"na imię mi Zbyszek", "Zbyszek"},
		{"Imię i nazwisko - Ola Maj", "Ola Maj"},
		{"z tej strony Grażyna", "Grażyna"},
		{"Jestem Oleksandr Shevchenko", "Oleksandr Shevchenko"},
		{"I am Peter", "Peter"},
		{"My name's Kate Bush", "Kate Bush"},
		{"you can call me Tom", "Tom"},
		{"Nazywam się Anna-Maria Nowak", "Anna-Maria Nowak"},
		{"Nazywam się O'Brien", "O'Brien"},
		{"To ja, Zofia", "Zofia"},
		{"Pozdrawiam\nEwa Zając", "Ewa Zając"},
		// Letter case.
		{"JESTEM JAN KOWALSKI", "Jan Kowalski"},
		{"mam na imię ŻANETA", "Żaneta"},
		{"my name is anna smith", "Anna Smith"},
		{"nazywam się jan nowak-kowalski", "Jan Nowak-Kowalski"},
		// Lists.
		{"Anna Nowak, 60m2", "Anna Nowak"},
		{"Dzień dobry! Anna Nowak, Gdynia", "Anna Nowak"},
		{"60m2, Gdynia, Anna Nowak", "Anna Nowak"},
		{"Jan Maria Rokita, Kraków", "Jan Maria Rokita"},
		// No names.
		{"Jestem z Warszawy", ""},
		{"Jestem zainteresowany", ""},
		{"Jestem Klientem", ""},
		{"Dzień Dobry", ""},
		{"Pakiet Premium", ""},
		{"Nie jestem Jan", ""},
		{"Nazywam się", ""},
		{"mam na imię", ""},
		{"nazywam się 123", ""},
		{"my name is not important", ""},
		{"Zielona Góra", ""},
		{"Proszę o kontakt", ""},
		{"Jan", ""},
		{"I am looking for a flat", ""},
		{"Im interested", ""},
		{"tu Warszawa", ""},
		{"Jestem Nowy Sącz", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Name; got != c.want {
			t.Errorf("%q: name %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_TitlesAreNoPartOfAName(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"Pan Tomasz Lis, email tomasz@przyklad.pl", "Tomasz Lis"},
		{"pani Ewa Malinowska", "Ewa Malinowska"},
		{"Dzień dobry, mgr inż. Adam Wrona, Radom", "Adam Wrona"},
		{"Nazywam się dr Marek Sobczak", "Marek Sobczak"},
		{"Mr. Peter Novak, 60 sqm", "Peter Novak"},
		{"tu pani Ewa Malinowska", "Ewa Malinowska"},
		// Somebody else.
		{"Pan Tomasz Lis do mnie dzwonił", ""},
		{"Pan Tomasz", ""},
		{"Pan Nowak, 60 m2", ""},
		{"pisze Pan Marek", ""},
		{"Czy Pan Tomasz Lis u was pracuje?", ""},
		{"Mr, 60 m2", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Name; got != c.want {
			t.Errorf("%q: name %q, want %q", c.message, got, c.want)
		}
	}
	for _, c := range []factCase{{"Pani Ewa", "Ewa"}, {"pan tomasz lis", "Tomasz Lis"}, {"inż. Oksana Petrenko", "Oksana Petrenko"}, {"Pani", ""}} {
		if got := x.Extract(c.message, AskedName).Facts.Name; got != c.want {
			t.Errorf("%q as an answer: name %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_NameBeforeItsIntroduction(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"hej, Krzysiek z tej strony", "Krzysiek"},
		{"dzien dobry kasia z tej strony", "Kasia"},
		{"Marek Sobczak z tej strony", "Marek Sobczak"},
		{"hi, Tom here", "Tom"},
		{"Is Tom here?", ""},
		{"dostęp jest z tej strony", ""},
		{"here", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Name; got != c.want {
			t.Errorf("%q: name %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_NameAsAnAnswer(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"Jan", "Jan"},
		{"jan", "Jan"},
		{"Jan Kowalski", "Jan Kowalski"},
		{"jan kowalski", "Jan Kowalski"},
		{"Oksana Petrenko", "Oksana Petrenko"},
		{"Anna Nowak, 600 700 800", "Anna Nowak"},
		{"Kasia.", "Kasia"},
		{"gwarancja", ""},
		{"tak", ""},
		{"nie podam", ""},
		{"po co wam to?", ""},
		{"Warszawa", ""},
		{"Comfort", ""},
		{"60", ""},
		{"👍", ""},
	} {
		if got := x.Extract(c.message, AskedName).Facts.Name; got != c.want {
			t.Errorf("%q: name %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_Cities(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		// Inflection, with and without diacritics and capitals.
		{"mieszkanie w Łodzi", "Łódź"},
		{"mieszkanie w lodzi", "Łódź"},
		{"jestem z Poznania", "Poznań"},
		{"do Rzeszowa", "Rzeszów"},
		{"w Olsztynie", "Olsztyn"},
		{"WARSZAWA", "Warszawa"},
		{"w nowym targu", "Nowy Targ"},
		{"w Wodzisławiu Śląskim", "Wodzisław Śląski"},
		{"bielsko-biała", "Bielsko-Biała"},
		{"Bielsko Biala", "Bielsko-Biała"},
		{"w Bielsku", "Bielsko-Biała"},
		{"w Krynicy", "Krynica-Zdrój"},
		{"miasto: Konin", "Konin"},
		{"in Warsaw", "Warszawa"},
		{"near Cracow", "Kraków"},
		{"Gdansk, Poland", "Gdańsk"},
		// Names that are also words.
		{"w Pile", "Piła"},
		{"Anna, Piła, 60m2", "Piła"},
		{"mieszkanie w Kole", "Koło"},
		{"w Brzegu", "Brzeg"},
		{"w Policach", "Police"},
		{"piła mechaniczna", ""},
		{"około 60 m2", ""},
		{"na brzegu rzeki", ""},
		{"pisz na maila", ""},
		{"marki premium", ""},
		{"dobra cena", ""},
		{"wysoka jakość", ""},
		{"we wrześniu", ""},
		{"z góry dziękuję", ""},
		{"nisko oprocentowany", ""},
		// Streets.
		{"ul. Krakowska 12", ""},
		{"ulica Warszawa 3", ""},
		{"ul. Lublin 3, Toruń", "Toruń"},
		// Choice.
		{"nie Warszawa, tylko Kraków", "Kraków"},
		{"nie w Warszawie tylko w Krakowie", "Kraków"},
		{"Gdynia, nie Gdańsk", "Gdynia"},
		{"mieszkam w Krakowie, mieszkanie kupiłem w Katowicach", "Katowice"},
		// Typing errors.
		{"w Krakwoie", "Kraków"},
		{"w Poznniu", "Poznań"},
		{"Wrocałw", "Wrocław"},
		{"mieszkanie w Katowiach", "Katowice"},
		// Elsewhere.
		{"w Berlinie", ""},
		{"w Polsce", ""},
		{"w mieszkaniu", ""},
		{"anna@krakow.pl", ""},
		{"www.warszawa.pl", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.City; got != c.want {
			t.Errorf("%q: city %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_Packages(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"Express", "Express"},
		{"w pakiecie EXPRESS", "Express"},
		{"Expressem", "Express"},
		{"express plus", "Express Plus"},
		{"Express+", "Express Plus"},
		{"express-plus", "Express Plus"},
		{"Ekspres Plus", "Express Plus"},
		{"w comforcie", "Comfort"},
		{"komfort", "Comfort"},
		{"Premium.", "Premium"},
		{"pakiet indywidualny", "Individual"},
		{"individual package", "Individual"},
		{"projekt indywidualny", "Individual"},
		// Typing errors.
		{"expess", "Express"},
		{"comfrot", "Comfort"},
		{"premiuum", "Premium"},
		// Negation and choice.
		{"nie premium", ""},
		{"bez premium", ""},
		{"premium mnie nie interesuje", ""},
		{"nie premium, wolę comfort", "Comfort"},
		{"comfort zamiast premium", "Comfort"},
		{"zamiast premium comfort", "Comfort"},
		{"Premium odpada, Comfort", "Comfort"},
		{"premium is too expensive, comfort", "Comfort"},
		{"nie comfort i nie premium", ""},
		{"nie wiem, czy comfort czy premium", ""},
		{"jednak Premium", "Premium"},
		{"zmienić pakiet z Comfort na Premium", "Premium"},
		{"from Comfort to Premium", "Premium"},
		{"Comfort, a nie Premium", "Comfort"},
		{"Express, Comfort i Premium", ""},
		// Other words.
		{"ekspres do kawy", ""},
		{"komfortowe mieszkanie", ""},
		{"comfortable flat", ""},
		{"export", ""},
		{"podchodzicie indywidualnie?", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Package; got != c.want {
			t.Errorf("%q: package %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_WhatFollowsAPackageMayMakeItALongerOne(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"myslimy o expresie +", "Express Plus"},
		{"Expressem Plusem", "Express Plus"},
		{"expess plus", "Express Plus"},
		{"ekspresu-plus", "Express Plus"},
		{"ekspres, plus balkon", "Express"},
		{"express", "Express"},
		{"comfort plus", "Comfort"},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Package; got != c.want {
			t.Errorf("%q: package %q, want %q", c.message, got, c.want)
		}
	}
}

func TestPackageIndex_TakesTheLongestNameThatFits(t *testing.T) {
	t.Parallel()
	x := newPackageIndex([]Package{{Name: "Start", Aliases: []string{"sztart"}}, {Name: "Start Plus"}, {Name: "Start Plus Max"}})
	for message, want := range map[string]string{"sztart": "Start", "sztart plus": "Start Plus", "sztart+ max": "Start Plus Max", "start max": "Start"} {
		if _, _, got := x.find(tokenise(message, nil)); got != want {
			t.Errorf("%q: package %q, want %q", message, got, want)
		}
	}
}

func TestExtract_IndividualDesignIsAPackage(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"indywidualnie zaprojektowane", "Individual"},
		{"zaprojektowane indywidualnie", "Individual"},
		{"wolimy opcję indywidualną", "Individual"},
		{"something custom designed", "Individual"},
		{"czy każdego klienta traktujecie indywidualnie", ""},
		{"zaprojektowane wnętrze", ""},
	} {
		if got := x.Extract(c.message, AskedNothing).Facts.Package; got != c.want {
			t.Errorf("%q: package %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_ListsPackagesNamedAndRejected(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for message, want := range map[string][2][]string{
		"Czym się różni Comfort od Premium?":    {{"Comfort", "Premium"}, nil},
		"nie premium, wolę comfort":             {{"Comfort"}, {"Premium"}},
		"Express Plus czy Express?":             {{"Express Plus", "Express"}, nil},
		"premium premium":                       {{"Premium"}, nil},
		"nie chcę premium. A premium w ratach?": {{"Premium"}, nil},
	} {
		e := x.Extract(message, AskedNothing)
		if !slices.Equal(e.Packages, want[0]) || !slices.Equal(e.Rejected, want[1]) {
			t.Errorf("%q: named %v rejected %v, want %v", message, e.Packages, e.Rejected, want)
		}
	}
}

func TestExtract_ChoosesTheContactThatIsMeant(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for message, want := range map[string][2]string{
		"a@x.pl, b@x.pl":                                   {"a@x.pl", ""},
		"nie a@x.pl, tylko b@x.pl":                         {"b@x.pl", ""},
		"stary numer 600 100 200, nowy 600 300 400":        {"", "+48600300400"},
		"600 100 200, przepraszam, 600 300 400":            {"", "+48600300400"},
		"600 100 200, 600 300 400":                         {"", "+48600100200"},
		"mój mail to a@x.pl a telefon 600 100 200":         {"a@x.pl", "+48600100200"},
		"nie mam maila, telefon 600 100 200":               {"", "+48600100200"},
		"600100200@x.pl":                                   {"600100200@x.pl", ""},
		"https://x.pl/a@b.pl/600700800 i mail: j@firma.pl": {"j@firma.pl", ""},
	} {
		f := x.Extract(message, AskedNothing).Facts
		if f.Email != want[0] || f.Phone != want[1] {
			t.Errorf("%q: %q %q, want %v", message, f.Email, f.Phone, want)
		}
	}
}

func TestClassify_TellsActsApart(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for act, messages := range map[act][]string{
		actConfirm: {
			"tak", "Tak.", "tak!", "TAK", "ok", "okej", "jasne", "zgadza się", "Zgadza się!", "potwierdzam", "tak, potwierdzam", "wszystko się zgadza",
			"yes", "yep", "Yes, correct", "that is correct", "all good", "tak to moje dane", "no tak", "dokładnie tak", "👍 tak", "tak, Jan Kowalski, 600 700 800",
			"potwierdzam, kiedy zaczniecie?", "tak, proszę", "👍", "👍🏻", "✅", "wszystko gra", "dane pasują, ok", "może być", "tak, może być",
			"tak, proszę o kontakt", "Tak, zgadzam się",
		},
		actDeny: {
			"nie", "Nie!", "nie zgadza się", "nie, telefon inny", "no", "nope", "wrong", "that's wrong", "dane się nie zgadzają", "not correct", "błąd",
		},
		actThanks: {"dziękuję", "Dzięki!", "thanks", "thank you very much", "dzięki za pomoc", "do widzenia"},
		actNone: {
			"", "?", "tak?", "taki pakiet", "okno", "oknem", "ile to kosztuje", "ok, a ile?", "tak, a kiedy?", "czy potwierdzacie?", "zgadza się?",
			"potwierdzimy jutro", "yesterday", "czekam", "może", "może być później", "👍 a ile to kosztuje", "kontakt", "600 700 800", "Comfort", "tak, ale Comfort",
		},
	} {
		for _, m := range messages {
			if got := classify(x.Extract(m, AskedNothing).toks); got != act {
				t.Errorf("%q: act %d, want %d", m, got, act)
			}
		}
	}
}

func TestAsks_KnowsQuestionsWithoutAMark(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for message, want := range map[string]bool{
		"ile kosztuje": true, "a ile kosztuje": true, "kuchnia?": true, "policz mi 60 m2": true, "how long": true, "60 m2, jak długo to potrwa": true,
		"60 m2": false, "mieszkanie, które kupiłem, ma 60 m2": true, "Kraków": false, "jestem Jan": false, "mam mieszkanie ile ludzi chciałoby mieć": false,
	} {
		if got := asks(x.Extract(message, AskedNothing).toks); got != want {
			t.Errorf("%q: asks %v, want %v", message, got, want)
		}
	}
}
