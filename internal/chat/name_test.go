package chat

import "testing"

func testNames(t *testing.T, cases []factCase) {
	t.Helper()
	x := testKnowledge(t).Extractor()
	for _, c := range cases {
		if got := x.Extract(c.message, AskedNothing).Facts.Name; got != c.want {
			t.Errorf("%q: name %q, want %q", c.message, got, c.want)
		}
	}
}

func TestExtract_NamesWithParticles(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"Ludwig van Beethoven, 70 m2", "Ludwig van Beethoven"},
		{"nazywam się Maria de la Cruz", "Maria de la Cruz"},
		{"I'm Klaus von Richter from Wrocław", "Klaus von Richter"},
		{"my name is vincent van gogh", "Vincent van Gogh"},
		{"my name is patrick o'brien", "Patrick O'Brien"},
		{"Jestem Le Van Minh", "Le Van Minh"},
		{"My name is Nguyen Thi Lan", "Nguyen Thi Lan"},
		{"nazywam się Jan da", "Jan"},
		{"Jean-Luc McDonald, 60 m2", "Jean-Luc McDonald"},
		{"I am Jean-Luc McDonald", "Jean-Luc McDonald"},
	})
}

func TestExtract_NamesInTwoFields(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"imie: krystian nazwisko: bąk", "Krystian Bąk"},
		{"imię Anna, nazwisko Nowak", "Anna Nowak"},
		{"Mam na imię Ola, nazwisko Maj-Król", "Ola Maj-Król"},
		{"nazwisko: Lis", "Lis"},
		{"imię i nazwisko: Ola Maj", "Ola Maj"},
		{"Imię: Ola\nTelefon: 600 700 800", "Ola"},
		{"nazwisko podam później", ""},
	})
}

func TestExtract_SurnameFirst(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"Kowalski Jan, 60 m2", "Kowalski Jan"},
		{"nazywam się nowak jan", "Nowak Jan"},
		{"Lis Ewa", "Lis Ewa"},
		{"Dzięki Ewa", ""},
		{"Kowalski Jan mi was polecił", ""},
	})
}

func TestExtract_NamesPutRight(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"nie Anna, tylko Hanna Nowak", "Hanna Nowak"},
		{"nie nazywam się Kowalski, tylko Kowalewski", "Kowalewski"},
		{"nie Kowalski tylko Kowalczyk się nazywam", "Kowalczyk"},
		{"popraw imię na Marcin", "Marcin"},
		{"zmieńcie nazwisko na Zięba", "Zięba"},
		{"nie jestem Marek, jestem Darek", "Darek"},
		{"Jestem Jan. Jan Nowak.", "Jan Nowak"},
		{"nie Warszawa, tylko Kraków", ""},
		{"nie Premium, tylko Comfort", ""},
	})
}

func TestExtract_OthersAreNotTheVisitor(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"Mój mąż Jan Kowalski zadzwoni jutro", ""},
		{"moja żona, Ewa Nowak, ma pytanie", ""},
		{"żona ma na imię Ewa", ""},
		{"Jan Kowalski polecił mi waszą firmę", ""},
		{"Anna Nowak mówiła, że robicie tanio", ""},
		{"proszę dzwonić do męża, Piotr Mazur", ""},
		{"oferta dla Anny Nowak", ""},
		{"Hello Mr. Peter Novak called", ""},
		{"ul. Jana Kowalskiego 5", ""},
		{"Jan Paweł II jest patronem", ""},
		{"Jestem Ania, a mój mąż to Tomek", "Ania"},
		{"Mam na imię Filip, moja żona Karolina woli Premium", "Filip"},
	})
}

func TestExtract_NamesThatAreAlsoOtherWords(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"tu max 60 m2", ""},
		{"this is max 200k", ""},
		{"jestem Młodym Inwestorem", ""},
		{"Jestem Architektem", ""},
		{"I'm Polish", ""},
		{"hejka, jestem Oliwka i szukam kogoś", "Oliwka"},
		{"Kazimierz Dolny, 60 m2", ""},
		{"nazywam się Adam Lublin", "Adam Lublin"},
		{"jestem Anna Płocka", "Anna Płocka"},
		{"nazywam się inaczej", ""},
		{"mam na imię xenia", "Xenia"},
		{"jestem tomek dzwonię w sprawie oferty", "Tomek"},
	})
}

func TestExtract_NamesThatSign(t *testing.T) {
	t.Parallel()
	testNames(t, []factCase{
		{"60 m2 w Radomiu.\nZ poważaniem\nDamian Kępka", "Damian Kępka"},
		{"pozdr. Kaśka", "Kaśka"},
		{"Pozdrawiam serdecznie,\nJan", "Jan"},
		{"Best regards,\nThomas Müller-Lüdenscheidt", "Thomas Müller-Lüdenscheidt"},
		{"--\nRobert Mróz\nrobert@mroz.pl", "Robert Mróz"},
		{"Ania Nowak jestem", "Ania Nowak"},
		{"Ola mam na imię", "Ola"},
		{"Tom speaking", "Tom"},
	})
}

func TestCapitalise_LeavesMixedCaseAlone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"jan": "Jan", "JAN": "Jan", "o'brien": "O'Brien", "McDonald": "McDonald", "ŻÓŁĆ": "Żółć", "J": "J", "": ""} {
		if got := capitalise(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestExtract_AnswersToTheQuestionForAName(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range []factCase{
		{"kowalski", "Kowalski"}, {"tak, Marek", "Marek"}, {"no marek", "Marek"}, {"Marek mam 60 m2", "Marek"}, {"Marek z Poznania", "Marek"}, {"Ania 30 lat", "Ania"},
		{"Ola, a wy?", "Ola"}, {"Jan K.", "Jan"}, {"jan van dyke", "Jan van Dyke"}, {"Xiaoming", "Xiaoming"}, {"😀 Kasia", "Kasia"}, {"Max", "Max"},
		{"Ala ma kota", ""}, {"Ola i Tomek", ""}, {"Później", ""}, {"Jasne", ""}, {"Anonim", ""}, {"Cennik", ""}, {"xiaoming", ""}, {"Nowak?", ""}, {"max 60 m2", ""}, {"???", ""},
	} {
		if got := x.Extract(c.message, AskedName).Facts.Name; got != c.want {
			t.Errorf("%q as an answer: name %q, want %q", c.message, got, c.want)
		}
	}
}
