package chat

import (
	"strings"
	"unicode/utf8"
)

// Small words that tell the languages of a reply apart, folded.
var (
	replyPolish = words("i w z na do od po za o u ze sie nie tak jest sa byc bedzie beda ten ta te tego tej tym tych lub oraz albo ale ktory ktora ktore ktorych czy jak jaki jaka jakie " +
		"ile co kiedy gdzie przez przy pod nad dla bez okolo ponad przed miedzy mozna moze mozemy trzeba nalezy mamy macie pan pani panstwo panstwa nasz nasza nasze naszych nasi naszym nam nas " +
		"wam was prosze dziekuje dziekujemy chetnie takze rowniez tylko zwykle zazwyczaj wszystko wszystkie kazdy kazdym kazdej jednak jesli jezeli aby zeby gdy wiec bo tez juz jeszcze bardzo " +
		"pakiet pakiety pakietu pakiecie pakietow pakietach pakietem cena ceny cene cen koszt kosztuje kosztuja mieszkanie mieszkania doradca doradcy doradca odpowie gwarancja gwarancji prace prac " +
		"umowa umowy umowie odpowiedzi pytanie pytania oferta oferty dzien dobry termin metr metra metrze zl zlotych tygodni miesiecy dni roboczych")
	replyEnglish = words("the is are was were will be been being it its this that these those and or but of for with from in on at by to as an we you your our they their there what which who how when where " +
		"can could would should may might must not no if then than also only usually about between per each every all any some have has had do does please thank thanks yes hello glad happy help " +
		"package packages price prices cost costs flat flats adviser advisor answer question warranty months weeks days work works materials included includes include starts start more most less offer square")
	// replyOther are small words of the neighbours' and the great languages.
	replyOther = words("der die das und ist nicht ein eine einen sie wir ihr fur mit auf von zu den dem des auch oder aber kann wird werden haben unsere preis kostet " +
		"le la les des est une et vous nous pour avec dans sur pas que qui votre notre sont plus ce cette prix " +
		"el los las es una y por para con su sus nuestro nuestra precio como pero muy usted esta este del al " +
		"il gli che di per non sono della nostro prezzo anche questo " +
		"je se jsou protoze kdyz jako vsechny vse ale nebo pro jsme vas nas cena ktery ktera take muze bude byt vase nase aj alebo ktory sme " +
		"ta chy dlya tse yak shcho vy my vash nash i de het een van voor niet zijn og det er ikke som for och att inte ar um uma os as nao voce")
)

// The columns of replyWords.
const (
	columnPolish = iota
	columnEnglish
	columnOther
)

// replyWords says which language a small word speaks for. One that both of ours
// have tells nothing; one that another language has too is ours all the same.
var replyWords = makeReplyWords()

func makeReplyWords() map[string]int {
	out := map[string]int{}
	for w := range replyOther {
		out[w] = columnOther
	}
	for w := range replyEnglish {
		out[w] = columnEnglish
	}
	for w := range replyPolish {
		out[w] = columnPolish
		if replyEnglish[w] {
			delete(out, w)
		}
	}
	return out
}

const (
	// minSentence is how many words are judged on their own: "m.in." is none.
	minSentence = 3
	// minSpeech is how many words make a sentence whose language must show.
	minSpeech = 6
	// leastShare is the least share of small words of the language, in percent.
	// Polish and English prose has 30 and more.
	leastShare = 12
	// minSigns is how many words of Polish hold a letter with a sign.
	minSigns = 18
)

// inLanguage reports whether every sentence of a reply is in the language asked
// for. Words of the entries, such as names, tell nothing against it.
func (p *prompt) inLanguage(s string) bool {
	total, ours := 0, 0
	toks := tokenise(s, contactSpans(s))
	for start := 0; start < len(toks); {
		end := start
		for end < len(toks) && !endsSentence(&toks[end]) {
			end++
		}
		n, known, right, wrong := p.speech(s, toks[start:end])
		if n >= minSentence && wrong > right || wrong > 0 && wrong == right && n >= minSpeech || right == 0 && n >= minSpeech && known*2 < n {
			return false
		}
		total, ours = total+n, ours+right
		start = end + 1
	}
	switch {
	case total == 0:
		return true // a bare price
	case total < minSpeech:
		return ours > 0 || p.allKnown(toks)
	}
	if p.lang == Polish && total >= minSigns && !strings.ContainsAny(s, polishLetters+"óÓ") {
		return false // Czech or Slovak, typed plainly
	}
	return ours*100 >= total*leastShare
}

// speech counts the words of a sentence, those of the entries, and those that
// speak for and against the language.
func (p *prompt) speech(s string, toks []token) (n, known, right, wrong int) {
	mine, theirs := columnPolish, columnEnglish
	if p.lang == English {
		mine, theirs = columnEnglish, columnPolish
	}
	for i := range toks {
		t := &toks[i]
		if t.kind != kindWord || t.taken != fieldNone {
			continue
		}
		n++
		inEntries := p.grounds.words[t.fold] || p.inFacts(t.fold)
		if inEntries {
			known++
		}
		column, ok := replyWords[t.fold]
		polish := strings.ContainsAny(s[t.start:t.end], polishLetters)
		switch {
		case ok && column == mine, p.lang == Polish && polish:
			right++
		case inEntries:
		case ok && (column == theirs || column == columnOther), p.lang == English && polish, foreignLetters(s[t.start:t.end]):
			wrong++
		}
	}
	return n, known, right, wrong
}

// foreignLetters reports letters that neither language writes.
func foreignLetters(w string) bool {
	return strings.ContainsFunc(w, func(r rune) bool {
		return r >= utf8.RuneSelf && !strings.ContainsRune(polishLetters+"óÓ", r)
	})
}

func (p *prompt) inFacts(w string) bool {
	return p.facts.City != "" && strings.Contains(fold(p.facts.City), w) || p.facts.Package != "" && strings.Contains(fold(p.facts.Package), w)
}

// allKnown reports that a short reply consists of words of the entries.
func (p *prompt) allKnown(toks []token) bool {
	for i := range toks {
		if t := &toks[i]; t.kind == kindWord && t.taken == fieldNone && !p.grounds.words[t.fold] && !p.inFacts(t.fold) {
			return false
		}
	}
	return true
}
