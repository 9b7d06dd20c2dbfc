package chat

import "strings"

// Words that only one of the languages has, folded. Words of both ("do", "to",
// "on", "no", "a") tell nothing.
var (
	polishWords = words("sie nie jest czy ile jak jaki jaka jakie mam w z na dla za od po przy oraz lub ale tylko ze co kiedy gdzie ktory ktora ktore " +
		"tak prosze dziekuje dzien dobry czesc hej witam siema chce chcialbym chcialabym szukam moj moja moje mieszkanie mieszkania dom " +
		"pakiet pakietu cena ceny kosztuje metrow metr metry tys zl budzet interesuje potwierdzam zgadza jestem nazywam imie telefon mnie mi " +
		"mozecie macie robicie dzialacie remont wykonczenie gwarancja gwarancji policz umowic wasz wasza wy nas was sa byc bedzie potrzebuje " +
		"moge mozna dlugo trwa materialy meble kuchnia dane usuncie tu ja mamy mieszkam poprosze okolo wiecej taniej porownaj porownajcie jutro dzisiaj ok. juz tez")
	englishWords = words("the is are was you your yours my me we our how what when where which who why can could would should will much many long " +
		"does did have has had and or of for with from in at hello hi hey please thanks thank yes flat apartment house price cost " +
		"package looking like want need book meeting correct im id thats its name email phone call budget square meter meters metre metres " +
		"it this that there any about tell compare between cheapest expensive include included warranty work start not dont best an be good morning afternoon evening they us our if so very have im ive id but as am by up out now two one take offer")
)

// polishLetters betray Polish at once.
const polishLetters = "ąćęłńśźżĄĆĘŁŃŚŹŻ"

// detectLanguage tells the language of a message. Where it cannot tell, or only
// faintly, the conversation stays in the language it was in; the first message
// is Polish then.
func detectLanguage(s string, toks []token, before Lang) Lang {
	pl, en := 0, 0
	if strings.ContainsAny(s, polishLetters) {
		pl += 2
	}
	for i := range toks {
		t := &toks[i]
		if t.taken != fieldNone && t.taken != fieldArea && t.taken != fieldBudget {
			continue
		}
		if t.is(polishWords) {
			pl++
		}
		if t.is(englishWords) {
			en++
		}
	}
	switch {
	case pl > en:
		return Polish
	case en > pl:
		return English
	case before == English:
		return English
	}
	return Polish
}
