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
		"it this that there any about tell compare between cheapest expensive include included warranty work start not dont best an be good morning afternoon evening they us our if so very have im ive id but as am by up out now two one take offer " +
		"prices option options finish compared details only over all completion next say let lets pls plz howdy yo greetings units write request versus ignore previous payment inspection privacy policy guarantee")
)

// polishLetters betray Polish at once.
const polishLetters = "ąćęłńśźżĄĆĘŁŃŚŹŻ"

// Letters of folded words that neither list holds: how the words of a language
// are built tells it too, though less surely.
var (
	polishPatterns = []string{
		"cz", "sz", "rz", "dz", "szcz", "prz", "kie ", "nie ", "cie ", "cje ", "cji ", "nia ", "niu ", "owa", "ego ", "emu ", "ych ", "ich ", "ymi ", "ami ",
		"ach ", "esz ", "amy ", "emy ", "imy ", "uje", "ac ", "ec ", "ic ", "wy", "ny ", "na ", "ne ", "ki ", "ka ", "ta ", "lem ", "lam ", "ja ", "je ", "jak", " ws", " wy", " za", " na", " po", "ow ", "om ", "osc",
	}
	englishPatterns = []string{
		"th", "wh", "sh", "ck", "gh", "ph", "qu", "oo", "ee", "ea", "ou", "ow ", "ay ", "ey", "ly ", "ng ", "tion", "able ", "ment ", "ness ", "ful ", "ies ", "ss ", "ts ", "ns ", "rs ", "ds ", "ls ",
		"ke ", "te ", "se ", "ce ", "ge ", "le ", "re ", "ve", "v", "x", "ll", "ff", "tt", "pp", "ct ", "nt ", "st ", "ld ", "rd ", "ty ", "ry ", "cy ", "gy ", "ed ", "er ", "al ", "un", "dis", "est ",
	}
)

// What speaks for a language: its own letters, a word of its list, the build of
// another word.
const (
	letterVotes  = 8
	wordVotes    = 4
	patternVotes = 1
)

// detectLanguage tells the language of a message. Where it cannot tell, or only
// faintly, the conversation stays in the language it was in; the first message
// is Polish then. Names of people, cities and packages tell nothing.
func detectLanguage(s string, toks []token, before Lang) Lang {
	s = normalise(s)
	pl, en, letters := 0, 0, false
	for i := range toks {
		t := &toks[i]
		if t.kind != kindWord || t.taken != fieldNone && t.taken != fieldArea && t.taken != fieldBudget {
			continue
		}
		letters = letters || t.end <= len(s) && strings.ContainsAny(s[t.start:t.end], polishLetters)
		inPolish, inEnglish := polishWords[t.fold], englishWords[t.fold]
		switch {
		case inPolish || inEnglish:
			pl += wordVotes * boolInt(inPolish)
			en += wordVotes * boolInt(inEnglish)
		case len(t.fold) >= minBuild:
			p, e := builds(t.fold)
			pl += patternVotes * boolInt(p > e)
			en += patternVotes * boolInt(e > p)
		}
	}
	pl += letterVotes * boolInt(letters)
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

// minBuild is the shortest word whose build tells anything.
const minBuild = 4

// builds counts the patterns of both languages in a folded word.
func builds(w string) (pl, en int) {
	var buf [maxTypo + 2]byte
	if len(w) > maxTypo {
		w = w[:maxTypo]
	}
	framed := string(append(append(append(buf[:0], ' '), w...), ' '))
	for _, p := range polishPatterns {
		pl += boolInt(strings.Contains(framed, p))
	}
	for _, p := range englishPatterns {
		en += boolInt(strings.Contains(framed, p))
	}
	return pl, en
}
