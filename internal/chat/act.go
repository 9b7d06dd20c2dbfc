package chat

// act is what a message does in the dialogue, beside telling facts and asking.
type act uint8

const (
	actNone    act = iota
	actConfirm     // "tak, potwierdzam": counts only while a confirmation is awaited
	actDeny        // "nie", "nie zgadza się"
	actThanks      // "dziękuję", "do widzenia"
)

var (
	// plainly confirming words confirm beside anything that is no objection.
	confirmStrong = words("potwierdzam potwierdzamy potwierdzone zgadza zgadzaja zgadzam zgadzamy poprawne poprawnie prawidlowe prawidlowo confirm confirmed correct akceptuje zatwierdzam")
	// affirming words confirm only when the message says nothing else: "ok, a ile
	// to kosztuje?" is no confirmation.
	confirmWeak = words("tak ok okej okay oki yes yep yeah yup jasne dobrze pewnie oczywiscie sure zgoda dokladnie exactly right absolutely super perfect swietnie git aha mhm owszem true da good fine looks gra pasuje pasuja byc")
	confirmFill = words("wszystko dane to jest sa sie moje moj moja mi te tych danych jak najbardziej prosze dziekuje dzieki bardzo ze i o w no all its it is that " +
		"thats this my data details info information everything looks good fine the are and please thank you thanks we do zapisz zapisac zapisujemy " +
		"telefon mail email numer adres imie nazwisko gra pasuje sprawdzilem sprawdzilam with them save go ahead moge ja jestem pewien pewna tym moze kontakt") //nolint:misspell // Polish
	objecting = words("nie not dont doesnt isnt arent wrong incorrect blad bledny bledne bledna zle zly zla niepoprawne niepoprawny nieprawda zmien zmienic zmiana " +
		"popraw poprawic poprawka ale but oprocz poza except change fix nope nah zaraz poczekaj wait jeszcze czekaj pomylka")
	denyFirst   = words("nie no nope nah wrong incorrect blad not zle nieprawda")
	noObjection = words("uwag zastrzezen bledow zmian watpliwosci")
	thanking    = words("dziekuje dzieki thanks thank thx dziekujemy pozdrawiam widzenia bye goodbye pa dobranoc")
	thanksFill  = words("bardzo za pomoc informacje informacje odpowiedz do you very much for help info the your slicznie serdecznie z gory wielkie super ok to wszystko all na razie milego dnia a lot so")
)

// approving signs are a yes without words.
var approving = words("👍 👌 ✅ 🆗")

// clause is a stretch of a message between breaks.
type clause struct {
	strong, weak, other, question bool
}

// classify tells what a message does. It looks at whole words in whole clauses:
// "poproszę" holds no yes, "nie zgadza się" no agreement.
func classify(toks []token) act {
	if onlyThanks(toks) {
		return actThanks
	}
	if objects(toks) {
		if first := firstWordToken(toks); first != nil && first.is(denyFirst) || soleObjection(toks) {
			return actDeny
		}
		return actNone
	}
	strong, weak, other := false, false, false
	for start := 0; start < len(toks); {
		end := start
		for end < len(toks) && !toks[end].breaks() {
			end++
		}
		c := readClause(toks, start, end)
		strong = strong || c.strong && !c.question
		weak = weak || c.weak && !c.question
		other = other || c.other || c.question
		start = end + 1
	}
	if strong || weak && !other {
		return actConfirm
	}
	return actNone
}

// readClause judges one clause. A confirming word among its first four words
// makes the whole clause a confirmation: "potwierdzam i proszę o kontakt po 17".
func readClause(toks []token, start, end int) clause {
	var c clause
	c.question = end < len(toks) && toks[end].fold == "?"
	position := 0
	for i := start; i < end; i++ {
		t := &toks[i]
		if t.kind == kindPunct && approving[t.fold] {
			c.weak = true
		}
		if t.kind == kindPunct || t.kind == kindFact || t.taken != fieldNone && !t.is(confirmStrong) {
			continue
		}
		position++
		switch {
		case t.is(confirmStrong) && position <= 4 && !c.other:
			c.strong = true
		case t.is(confirmWeak):
			c.weak = true
		case !t.is(confirmFill):
			c.other = true
		}
	}
	return c
}

// objects reports a word of doubt or change anywhere. "Nie mam uwag" is none,
// and the Polish "no tak" is a yes.
func objects(toks []token) bool {
	for i := range toks {
		t := &toks[i]
		if t.kind != kindWord {
			continue
		}
		switch {
		case t.fold == "no" && (i+1 >= len(toks) || !toks[i+1].is(confirmWeak)):
			return true
		case (t.fold == "nie" || t.fold == "bez") && i+2 < len(toks)+1 && nextIs(toks, i, 2, noObjection):
			continue
		case t.is(objecting):
			return true
		}
	}
	return false
}

func nextIs(toks []token, i, within int, set map[string]bool) bool {
	for k := i + 1; k <= i+within && k < len(toks); k++ {
		if toks[k].is(set) {
			return true
		}
	}
	return false
}

// soleObjection reports a message such as "dane się nie zgadzają" or "coś jest źle".
func soleObjection(toks []token) bool {
	for i := range toks {
		if t := &toks[i]; t.fold == "zgadza" || t.fold == "zgadzaja" || t.fold == "correct" || t.fold == "potwierdzam" || t.fold == "blad" || t.fold == "wrong" {
			return true
		}
	}
	return false
}

func firstWordToken(toks []token) *token {
	for i := range toks {
		if toks[i].kind == kindWord {
			return &toks[i]
		}
	}
	return nil
}

func onlyThanks(toks []token) bool {
	thanks := false
	for i := range toks {
		t := &toks[i]
		switch {
		case t.kind == kindPunct && t.fold != "?":
		case t.is(thanking):
			thanks = true
		case !t.is(thanksFill):
			return false
		}
	}
	return thanks
}

var (
	questionWords = words("ile jak jaki jaka jakie jakim jakiej jakich kiedy gdzie czy co czym ktory ktora ktore ktorym ktorego kto dlaczego skad czego " +
		"how what whats when where which who why do does can could is are will would should may")
	requestWords = words("policz policzcie oblicz wylicz wycen wycencie podaj podajcie porownaj porownajcie pokaz pokazcie opowiedz opowiedzcie wyjasnij usun " +
		"usuncie powiedz napisz przeslij wyslij compare calculate estimate tell show explain delete send give describe")
)

// asks reports whether a message wants an answer: it has a question mark, begins
// a clause with a question word, or requests something.
func asks(toks []token) bool {
	for i := range toks {
		t := &toks[i]
		if t.fold == "?" && t.kind == kindPunct || t.is(requestWords) {
			return true
		}
		if t.is(questionWords) && startsClause(toks, i) {
			return true
		}
	}
	return false
}

// startsClause reports that at most two small words stand before token i in its
// clause: "a ile", "to jak", "w jakim", "I would like to know how".
func startsClause(toks []token, i int) bool {
	for k, seen := i-1, 0; k >= 0 && !toks[k].breaks(); k-- {
		if seen++; seen > 2 || toks[k].kind != kindWord || len(toks[k].fold) > 5 || toks[k].is(notClauseStart) {
			return false
		}
	}
	return true
}

var notClauseStart = words("nie tak mam to dane this that it flat dom")

// corrects reports a message that changes what was said before, so that what it
// says goes over what is known: "nie, 70 m2", "jednak Premium".
func corrects(toks []token) bool {
	first := firstWordToken(toks)
	if first != nil && first.is(denyFirst) {
		return true
	}
	for i := range toks {
		if toks[i].is(correctionWords) {
			return true
		}
	}
	return false
}

var correctionWords = words("jednak zamiast pomylka pomylilem pomylilam zmien zmienic popraw poprawka przepraszam wlasciwie actually instead change correction sorry wolę wole raczej")
