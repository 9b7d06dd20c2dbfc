package chat

import (
	"slices"
	"strings"
	"testing"
)

func TestDeclineWord_GivesTheFormsOfEachSortOfNoun(t *testing.T) {
	t.Parallel()
	for word, want := range map[string][3]string{ // genitive, instrumental, locative
		"gdańsk":     {"gdańska", "gdańskiem", "gdańsku"},
		"elbląg":     {"elbląga", "elblągiem", "elblągu"},
		"kraków":     {"krakowa", "krakowem", "krakowie"},
		"sopot":      {"sopotu", "sopotem", "sopocie"},
		"stargard":   {"stargardu", "stargardem", "stargardzie"},
		"hel":        {"helu", "helem", "helu"},
		"kalisz":     {"kalisza", "kaliszem", "kaliszu"},
		"poznań":     {"poznania", "poznaniem", "poznaniu"},
		"wrocław":    {"wrocławia", "wrocławiem", "wrocławiu"},
		"radom":      {"radomia", "radomiem", "radomiu"},
		"mielec":     {"mielca", "mielcem", "mielcu"},
		"sosnowiec":  {"sosnowca", "sosnowcem", "sosnowcu"},
		"lubliniec":  {"lublińca", "lublińcem", "lublińcu"},
		"włocławek":  {"włocławka", "włocławkiem", "włocławku"},
		"śmigiel":    {"śmigla", "śmiglem", "śmiglu"},
		"jastrząb":   {"jastrzębia", "jastrzębiem", "jastrzębiu"},
		"łódź":       {"łodzi", "łodzią", "łodzi"},
		"bydgoszcz":  {"bydgoszczy", "bydgoszczą", "bydgoszczy"},
		"warszawa":   {"warszawy", "warszawą", "warszawie"},
		"łomża":      {"łomży", "łomżą", "łomży"},
		"gdynia":     {"gdyni", "gdynią", "gdyni"},
		"kalwaria":   {"kalwarii", "kalwarią", "kalwarii"},
		"złotoryja":  {"złotoryi", "złotoryją", "złotoryi"},
		"legnica":    {"legnicy", "legnicą", "legnicy"},
		"wola":       {"woli", "wolą", "woli"},
		"ostrołęka":  {"ostrołęki", "ostrołęką", "ostrołęce"},
		"limanowa":   {"limanowej", "limanową", "limanowej"},
		"gniezno":    {"gniezna", "gnieznem", "gnieźnie"},
		"kłodzko":    {"kłodzka", "kłodzkiem", "kłodzku"},
		"opole":      {"opola", "opolem", "opolu"},
		"zakopane":   {"zakopanego", "zakopanem", "zakopanem"},
		"katowice":   {"katowic", "katowicami", "katowicach"},
		"siedlce":    {"siedlec", "siedlcami", "siedlcach"},
		"tychy":      {"tychów", "tychami", "tychach"},
		"suwałki":    {"suwałk", "suwałkami", "suwałkach"},
		"mońki":      {"moniek", "mońkami", "mońkach"},
		"kozy":       {"kóz", "kozami", "kozach"},
		"białystok":  {"białegostoku", "białymstokiem", "białymstoku"},
		"krasnystaw": {"krasnegostawu", "krasnymstawem", "krasnymstawie"},
	} {
		c := declineWord(word, false, false)
		for i, kase := range []int{caseGenitive, caseInstrumental, caseLocative} {
			if !slices.Contains(c[kase], want[i]) {
				t.Errorf("%s: %v, want %s among them", word, c[kase], want[i])
			}
		}
		if !slices.Contains(c[caseNominative], word) {
			t.Errorf("%s: the nominative is %v", word, c[caseNominative])
		}
	}
}

func TestDeclinePlace_MakesNoFormsOfAnotherSort(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]string{
		"Gdańsk": "gdańskie|gdańskem", "Warszawa": "warszawi|warszawu", "Sosnowiec": "sosnowieca|sosnowiecu", "Mielec": "mieleca", "Włocławek": "włocławeka",
		"Katowice": "katowicy|katowicą", "Gniezno": "gnieznie|gniezną", "Kłodzko": "kłodzkem", "Legnica": "legnici", "Gdynia": "gdyniy",
		"Nowy Sącz": "nowego sączem|nowym sącza|nowy sączu", "Zielona Góra": "zielonej góra|zielona górze", "Nakło nad Notecią": "nakło nad noteci|nakle nad notecie",
	} {
		forms := declinePlace(name)
		for w := range strings.SplitSeq(wrong, "|") {
			if slices.Contains(forms, w) {
				t.Errorf("%s: %q is no form of it", name, w)
			}
		}
	}
}

// The forms of all cities of the list: each in small letters, once, the name
// itself first, and of as many words as the name.
func TestDeclinePlace_OfEveryCityIsSound(t *testing.T) {
	t.Parallel()
	for _, name := range newCityIndex(citiesFile).names {
		forms := declinePlace(name)
		plain := strings.ToLower(strings.ReplaceAll(name, "-", " "))
		if len(forms) < 2 || forms[0] != plain {
			t.Errorf("%s: %v", name, forms)
		}
		seen := map[string]bool{}
		for _, f := range forms {
			if seen[f] || f != strings.ToLower(f) || len(strings.Fields(f)) != len(strings.Fields(plain)) || strings.Contains(f, "  ") {
				t.Errorf("%s: form %q among %v", name, f, forms)
			}
			seen[f] = true
		}
	}
}

func TestLocative_SoftensTheLastConsonant(t *testing.T) {
	t.Parallel()
	for stem, want := range map[string]string{ // the vowel changes in irregular words only
		"miast": "miaście", "gwiazd": "gwiaździe", "gniezn": "gnieźnie", "krosn": "krośnie", "dział": "dziale", "sopot": "sopocie", "gród": "gródzie", "chełm": "chełmie",
		"gór": "górze", "ostrołęk": "ostrołęce", "prag": "pradze", "much": "musze", "krakow": "krakowie", "lip": "lipie", "łask": "łasce",
	} {
		if got := locative(stem); got != want {
			t.Errorf("%s: %s, want %s", stem, got, want)
		}
	}
}

func TestWithoutE_TheVowelGoesAndLeavesItsTrace(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"sosnowi": "sosnow", "lublini": "lubliń", "nowogrodzi": "nowogrodź", "miel": "miel", "kosi": "koś", "": "", "i": "",
	} {
		if got := withoutE(head); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestHardened_TellsConsonantsThatWereSoftOnce(t *testing.T) {
	t.Parallel()
	for stem, want := range map[string]bool{
		"legnic": true, "kalisz": true, "łomż": true, "wol": true, "złotoryj": true, "bydgoszcz": true, "much": false, "warszaw": false, "gór": false, "": false,
	} {
		if got := hardened(stem); got != want {
			t.Errorf("%q: %v, want %v", stem, got, want)
		}
	}
}
