package chat

var (
	placePrepositions = words("w we z ze do pod spod kolo obok kolo okolice okolicach okolicy okolic niedaleko blisko nieopodal miasto miescie miasta miejscowosc " +
		"miejscowosci lokalizacja lokalizacje lokalizacji adres in from near at to city town location around outside") //nolint:misspell // Polish
	// casePrepositions make a place of a misspelt word in lower case.
	casePrepositions = words("w we z ze do pod spod okolice okolicach in from near")
	streetWords      = words("ul ulica ulicy al aleja alei aleje os osiedle osiedlu osiedla plac placu pl rondo ronda street st avenue")
	propertyWords    = words("mieszkanie mieszkania mieszkaniu mieszkanko dom domu domek lokal lokalu kawalerka kawalerke kawalerki apartament apartamentu budowa budowy " +
		"budowe inwestycja inwestycje remont wykonczenie wykonczenia nieruchomosc flat apartment house home property studio klucze kluczy odbior dzialka segment blizniak szeregowka")
	// livingWords make a place of what follows "w", however it is written.
	livingWords = words("mieszkam mieszkamy mieszkac live living located polozone polozony znajduje")
	// notCities look like a city with a typing error.
	notCities = words("warszawski warszawska krakowski krakowska polska polski polsce poland rodzina mazury mazur")
)

// inStreet reports that token i is the name of a street: "ul. Krakowska", "przy
// Warszawskiej".
func inStreet(toks []token, i int) bool {
	if i > 0 && (toks[i-1].is(streetWords) || toks[i-1].fold == "przy") {
		return true
	}
	return i > 1 && toks[i-1].fold == "." && toks[i-2].is(streetWords)
}

// allowed keeps common words from being read as cities: a name that is also a
// word needs a capital and either a preposition or a place of its own between
// commas, or else to be plainly where somebody lives; any other name needs one
// of a capital, a preposition, or to be a nominative or one of the largest
// cities.
func (x *cityIndex) allowed(toks []token, i, end int, f *cityForm) bool {
	capital, prep := toks[i].capital, prepositionBefore(toks, i)
	if x.careful[f.city] {
		if len(f.rest) > 0 && toks[end-1].capital {
			return true
		}
		if !capital {
			return livingIn(toks, i) && closes(toks, end)
		}
		return prep && (!f.nominative || !placeCaseOnly(toks[i-1].fold)) || f.nominative && alone(toks, i, end)
	}
	if len(f.rest) > 0 {
		return true
	}
	if len(toks[i].fold) <= 3 && !capital && f.city >= typoCities {
		return prep
	}
	return capital || prep || f.nominative || f.city < typoCities
}

// livingIn reports "mieszkam w" or "mieszkanie w" before token i.
func livingIn(toks []token, i int) bool {
	return i > 1 && (toks[i-1].fold == "w" || toks[i-1].fold == "we") && (toks[i-2].is(livingWords) || toks[i-2].is(propertyWords))
}

// placeCaseOnly reports prepositions after which Polish never has a nominative.
func placeCaseOnly(prep string) bool { return prep == "z" || prep == "ze" }

func prepositionBefore(toks []token, i int) bool {
	if i > 0 && (toks[i-1].fold == ":" || toks[i-1].fold == "-") {
		i--
	}
	return i > 0 && toks[i-1].is(placePrepositions)
}

// alone reports whether tokens i to end stand between clause breaks in a
// message that has other parts.
func alone(toks []token, i, end int) bool {
	before := i == 0 || toks[i-1].breaks()
	after := end >= len(toks) || toks[end].breaks()
	return before && after && (i > 0 || end < len(toks))
}

// placeWindow is how many words before a city say what it has to do with the
// visitor.
const placeWindow = 5

var (
	// elsewhere words make the place one where somebody works or spends time.
	elsewhere = words("pracuje pracujemy studiuje studiowalem studiowalam urodzilem urodzilam urodzony urodzona wakacje wakacjach urlop urlopie " +
		"jezdze jezdzimy jezdzic jade jedziemy wyjezdzam wyjezdzamy lece lecimy wracam wracamy working holiday vacation born studying travelling traveling")
	// ourPlace words ask where the company is.
	ourPlace = words("siedziba siedzibe siedziby biuro biura oddzial oddzialu salon salonu showroom sklep skad miescicie wasza wasze waszej wasz office based headquarters")
	nearness = words("niedaleko blisko okolice okolicach okolicy okolic pod spod kolo obok nieopodal near around")
	precise  = words("dokladnie dokladniej konkretnie scislej czyli exactly precisely")
)

// rate prefers the city of the property to the one the visitor comes from, and
// refuses one that is plainly neither.
func (x *cityIndex) rate(toks []token, m cityMatch) int {
	score := 3 + stanceBefore(toks, m.first).score()
	if rejectedAfter(toks, m.end) {
		score -= 10
	}
	if prepositionBefore(toks, m.first) && toks[m.first-1].is(nearness) {
		score -= 3
	}
	if m.first > 0 && toks[m.first-1].fold == "od" {
		score -= 3 // 30 km od Warszawy
	}
	property, other := false, false
	for k, seen := m.first-1, 0; k >= 0 && seen < placeWindow && !toks[k].breaks(); k, seen = k-1, seen+1 {
		property = property || toks[k].is(propertyWords)
		other = other || toks[k].is(elsewhere) || toks[k].is(ourPlace) || comesFrom(toks, k, m.first)
		if toks[k].is(precise) {
			score += 2
		}
	}
	if property {
		score += 2
	}
	if other && !property || asksWhence(toks, m.first) {
		return -1
	}
	return score
}

// comesFrom reports "jesteście z", the question where the company is from, and
// "I work in".
func comesFrom(toks []token, k, city int) bool {
	if toks[k].fold == "work" {
		return k > 0 && toks[k-1].fold == "i"
	}
	return toks[k].fold == "jestescie" && k == city-2 && (toks[k+1].fold == "z" || toks[k+1].fold == "ze")
}

// asksWhence reports the question where the company is, put in two parts: "skąd
// jesteście, z Krakowa?", "gdzie macie biuro? w Gdyni?".
func asksWhence(toks []token, i int) bool {
	where := false
	for k, seen := i-1, 0; k >= 0 && seen < placeWindow+2; k, seen = k-1, seen+1 {
		switch f := toks[k].fold; {
		case f == "." || f == "!" || f == "\n":
			return false
		case f == "skad":
			return true
		case toks[k].is(ourPlace) || f == "jestescie" || f == "macie":
			where = true
		case f == "gdzie" || f == "where":
			return where
		case f == "mieszkam" || f == "mam":
			return false
		}
	}
	return false
}
