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
	confirmStrong = words("potwierdzam potwierdzamy potwierdzone zgadza zgadzaja zgadzam zgadzamy poprawne poprawnie prawidlowe prawidlowo confirm confirmed correct akceptuje " +
		"akceptujemy zatwierdzam zatwierdzone")
	// affirming words confirm only when the message says nothing else: "ok, a ile
	// to kosztuje?" is no confirmation.
	confirmWeak = words("tak ok okej okay oki okey okejka yes yep yeah yup ya jasne dobrze pewnie oczywiscie sure zgoda dokladnie exactly right absolutely super perfect swietnie git aha mhm " +
		"owszem true da good fine looks gra pasuje pasuja byc racja naturalnie dobra swietne idealnie definitely indeed jasna spoko doki")
	confirmFill = words("wszystko dane to jest sa sie moje moj moja mi te tych danych jak najbardziej prosze dziekuje dzieki bardzo ze i o w no all its it is that " +
		"thats this my data details info information everything looks good fine the are and please thank you thanks we do zapisz zapisac zapisujemy " +
		"telefon mail email numer adres imie nazwisko gra pasuje sprawdzilem sprawdzilam with them save go ahead moge ja jestem pewien pewna tym moze kontakt me right of course " + //nolint:misspell // Polish
		"sprawa zapisujcie zapiszcie mozna mozecie zapisywac przesylac wysylac super dziala gitara stu procentach procent tez rowniez dobry dobra dobre wlasciwy wlasciwe buczy looking trzeba nalezy")
	objecting = words("nie not dont doesnt isnt arent wrong incorrect blad bledny bledne bledna zle zly zla niepoprawne niepoprawny nieprawda zmien zmienic zmiana " +
		"popraw poprawic poprawka ale but oprocz poza except change fix nope nah zaraz poczekaj wait jeszcze czekaj pomylka jednak prawie almost niestety inny inna inne " +
		"jutro pozniej potem najpierw zastanowie zastanowimy pomysle pomyslimy odezwe odezwiemy znac later think maybe unless jesli jezeli if however cofam anuluj")
	denyFirst   = words("nie no nope nah wrong incorrect blad not zle nieprawda")
	noObjection = words("uwag zastrzezen bledow zmian watpliwosci poprawek pytan problemu problemow")
	thanking    = words("dziekuje dzieki thanks thank thx dziekujemy pozdrawiam widzenia bye goodbye pa dobranoc")
	thanksFill  = words("bardzo za pomoc informacje informacje odpowiedz do you very much for help info the your slicznie serdecznie z gory wielkie super ok to wszystko all na razie milego dnia a lot so")
	// stillYes words after "tylko" make it a wish and no objection.
	stillYes = words("prosze poprosze dzwoncie dzwonic zadzwoncie please call")
	// following words go on after a yes with what is to be done now.
	following = words("prosze poprosze czekam czekamy dzwoncie dzwonic zadzwoncie zadzwonic kontakt kontaktowac skontaktujcie wyslijcie wysylajcie wyslac przeslijcie przysylajcie umowcie " +
		"umawiamy oferte oferta telefon please call contact send waiting zapraszam zaczynamy dzialamy")
)

// approving signs are a yes without words.
var approving = words("👍 👌 ✅ 🆗")

// clause is a stretch of a message between breaks.
type clause struct {
	strong, weak, other, question bool
	follows                       bool // says what is to be done after a yes
	fact                          bool // tells a fact
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
	strong, weak, other, opened := false, false, false, false
	for start, n := 0, 0; start < len(toks); n++ {
		end := start
		for end < len(toks) && !toks[end].breaks() {
			end++
		}
		c := readClause(toks, start, end)
		strong = strong || c.strong && !c.question
		weak = weak || c.weak && !c.question
		if n == 0 {
			opened = c.weak && !c.other && !c.question && !c.fact && !startsSoftly(toks)
		}
		// "jasne, wysyłajcie ofertę": a yes, then what it allows.
		other = other || c.question || c.other && (!opened || !c.follows || c.fact)
		start = end + 1
	}
	if strong || weak && !other {
		return actConfirm
	}
	return actNone
}

// startsSoftly reports a message that opens with a mere "ok", which begins many
// things other than a confirmation.
func startsSoftly(toks []token) bool {
	t := firstWordToken(toks)
	return t != nil && (t.fold == "super" || t.fold == "aha" || t.fold == "dobrze" || t.fold == "mhm")
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
			c.fact = c.fact || t.taken != fieldNone
			continue
		}
		position++
		switch {
		case saysYes(t, confirmStrong) && position <= 4 && !c.other:
			c.strong = true
		case saysYes(t, confirmWeak):
			c.weak = true
		case t.fold == "jak" && i+1 < end && toks[i+1].fold == "najbardziej":
			c.weak = true
		case t.is(following):
			c.follows, c.other = true, c.other || !t.is(confirmFill)
		case !t.is(confirmFill):
			c.other = true
		}
	}
	return c
}

// saysYes reports one of the words, drawn out ("taaak"), or the long ones with a
// typing error ("potwierdzma").
func saysYes(t *token, set map[string]bool) bool {
	if t.is(set) {
		return true
	}
	if t.kind != kindWord || len(t.fold) > 24 {
		return false
	}
	if short := singled(t.fold); short != t.fold && set[short] {
		return true
	}
	if len(t.fold) < 8 || !set["potwierdzam"] {
		return false
	}
	return within1(t.fold, "potwierdzam") || within1(t.fold, "zatwierdzam") || within1(t.fold, "poprawnie") || within1(t.fold, "potwierdzamy")
}

// singled writes every run of one letter once.
func singled(w string) string {
	for i := 1; i < len(w); i++ {
		if w[i] == w[i-1] {
			b := []byte{w[0]}
			for k := 1; k < len(w); k++ {
				if w[k] != w[k-1] {
					b = append(b, w[k])
				}
			}
			return string(b)
		}
	}
	return w
}

// objects reports a word of doubt or change anywhere. "Nie mam uwag" is none,
// and the Polish "no tak" and "nie no, zgadza się" are a yes.
func objects(toks []token) bool {
	for i := range toks {
		t := &toks[i]
		if t.kind != kindWord {
			continue
		}
		switch {
		case t.fold == "no" && i > 0 && toks[i-1].fold == "nie":
			continue
		case t.fold == "no" && (i+1 >= len(toks) || !toks[i+1].is(confirmWeak) && !toks[i+1].is(confirmStrong) && (toks[i+1].fold != "to" && toks[i+1].fold != "i")):
			return true
		case t.fold == "nie" && i == 0 && i+2 < len(toks) && toks[1].fold == "no" && toks[2].breaks():
			continue
		case (t.fold == "nie" || t.fold == "bez" || t.fold == "no") && nextIs(toks, i, 2, noObjection):
			continue
		case t.fold == "tylko":
			if i+1 < len(toks) && !toks[i+1].is(stillYes) {
				return true
			}
		case t.is(objecting) || t.fold == "only":
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

var correctionWords = words("jednak zamiast pomylka pomylilem pomylilam zmien zmienic zmiencie zmieniam popraw poprawcie poprawka poprawiam przepraszam wlasciwie znaczy wroc mialo actually instead change correction sorry wole raczej")
