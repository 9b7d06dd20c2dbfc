package chat

var (
	// opening words stand before a name in an answer: "tak, Marek".
	opening = words("tak no ok okej jasne dobrze pewnie oczywiscie to ja moje po prostu jestem hej czesc witam prosze sure yes well hi hello just")
	// bareNotNames are answers to "what is your name" that are no name.
	bareNotNames = words("pozniej potem zaraz chwila chwile moment moze nigdy cennik ceny cena koszt koszty anonim anonimowo anonimowy sekret tajemnica niewazne nieistotne obojetnie " +
		"zgoda super spoko rozumiem aha hmm czemu twoje bot robot test gosc user admin stop koniec pomoc help start menu later anonymous guest why skip pass fine okay maybe " +
		"never nothing prices price list quote offer odmawiam podam wolalbym wolalabym musze mozna trzeba najpierw pytam szybko halo sluchaj sluchaj czekaj czekam poczekaj " +
		"mieszkania domu lokal kawalerka apartament budowa podloga kuchnia lazienka gwarancja termin terminy umowa platnosc rabat promocja zdjecia realizacje materialy")
)

// bareName reads the answer to "what is your name": a known first name that
// opens it, whatever follows, or else a message that is nothing but a name.
func (x *Extractor) bareName(toks []token) nameSpan {
	i := answerStart(toks)
	if i >= len(toks) || !nameWord(toks, i) || x.placeWord(toks, i) {
		return nameSpan{}
	}
	end := x.surnames(toks, i+1, !toks[i].capital)
	if x.names[toks[i].fold] {
		if doesSomething(toks, end) || end < len(toks) && (toks[end].fold == "i" || toks[end].fold == "and") {
			return nameSpan{} // "Ala ma kota", "Ola i Tomek"
		}
		if wordNames[toks[i].fold] && !restIsContact(toks, end) {
			return nameSpan{} // "max 60 m2"
		}
		return nameSpan{i, end}
	}
	if !toks[i].capital && !x.surname(toks[i].fold) || bareNotNames[toks[i].fold] || opening[toks[i].fold] || !restIsContact(toks, end) {
		return nameSpan{}
	}
	return nameSpan{i, end}
}

// answerStart returns the first token that may be a name.
func answerStart(toks []token) int {
	i := 0
	for i < len(toks) && (toks[i].kind == kindPunct || toks[i].kind == kindFact || toks[i].is(titles) || toks[i].is(opening) && i+1 < len(toks)) {
		i++
	}
	return i
}

// restIsContact reports that nothing but marks, addresses and numbers stands from
// token i on.
func restIsContact(toks []token, i int) bool {
	for ; i < len(toks); i++ {
		if toks[i].kind != kindPunct && toks[i].kind != kindFact || toks[i].fold == "?" {
			return false
		}
	}
	return true
}
