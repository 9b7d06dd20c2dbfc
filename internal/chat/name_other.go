package chat

var (
	// others are people whose name is not the visitor's.
	others = words("maz meza mezem mezowi zona zony zone zonie zona syn syna synowi corka corki corke brat brata bratem siostra siostry siostre mama mamy mame tata taty tate " +
		"ojciec ojca matka matki tesc tescia tesciowa kolega kolegi kolege kolezanka kolezanki kolezanke sasiad sasiada sasiadka sasiadki szef szefa szefowa " +
		"znajomy znajomego znajoma znajomej przyjaciel przyjaciela przyjaciolka partner partnera partnerka partnerki narzeczony narzeczona agent agenta architekt architekta " +
		"architektka deweloper dewelopera posrednik posrednika ekipa ekipy kierownik kierownika jej jego ich wasz wasza waszego waszej u imieniu imieniem polecenia polecil polecila " +
		"dla husband wife his her their son daughter brother sister father mother friend neighbour neighbor boss colleague your behalf called from")
	// deeds are what somebody else does.
	deeds = words("polecil polecila polecili polecal polecala mowil mowila mowi dzwonil dzwonila zadzwonil zadzwonila zadzwoni pisal pisala napisal napisala robil robila zrobil " +
		"zrobila powiedzial powiedziala kazal kazala obiecal obiecala przyjdzie przyjedzie odbierze jest byl byla bedzie ma chce pytal pytala podal podala przyslal przyslala wyslal " +
		"wyslala wykonczyl wykonczyla remontowal remontowala poradzil poradzila doradzil doradzila wspomnial wspomniala zachwalal zachwalala twierdzi mnie mi was wam do wykonywal " +
		"prowadzil pracuje projektowal projektuje recommended told said is was has will called wants asked suggested did works")
)

// otherWindow is how many words before a name may say whose it is.
const otherWindow = 4

// othersName reports that what starts at token i is said of somebody else: "moja
// żona, Ewa Nowak", "mój mąż ma na imię Jan".
func othersName(toks []token, i int) bool {
	for k, seen := i-1, 0; k >= 0 && seen <= otherWindow; k, seen = k-1, seen+1 {
		switch t := &toks[k]; {
		case t.kind == kindFact, t.taken != fieldNone:
			return false
		case t.breaks() && (k < i-1 || t.fold != "," && t.fold != ":"):
			return false
		case t.is(others) || t.fold == "ma" && toks[i].fold != "to":
			return true
		case t.is(meWords):
			return false
		}
	}
	return false
}

// meWords bring the talk back to the visitor.
var meWords = words("ja jestem nazywam me i im mam a my moje")

// doesSomething reports that the name that ends before token i is followed by
// what that person does.
func doesSomething(toks []token, i int) bool {
	for k := i; k < len(toks) && k < i+3 && !toks[k].breaks(); k++ {
		if toks[k].is(deeds) || k == i && didSomething(&toks[k]) {
			return true
		}
		if toks[k].kind != kindWord {
			return false
		}
	}
	return false
}

// didSomething reports a verb in the past of the third person by its ending:
// "malował", "zachwyciła".
func didSomething(t *token) bool {
	return t.kind == kindWord && !t.capital && len(t.fold) > 4 && endsIn(t.fold, "al", "ala", "il", "ila", "yl", "yla") && !nounsInL[t.fold]
}

var nounsInL = words("email lokal detal portal kanal material metal final skala szkola chwila")

// namesBefore are what follows a name that was said first: "Krzysiek z tej
// strony". After some of them the clause must end.
var namesBefore = map[string][]struct {
	rest   []string
	closed bool
}{
	"z":        {{[]string{"tej", "strony"}, false}},
	"here":     {{nil, true}},
	"speaking": {{nil, true}},
	"sie":      {{[]string{"nazywam"}, true}, {[]string{"klania"}, true}},
	"mam":      {{[]string{"na", "imie"}, true}},
	"jestem":   {{nil, true}},
	"przy":     {{[]string{"telefonie"}, true}},
}

// nameBefore reads a name that ends where such words start: a known first name,
// for some of them with nothing before it, as "is Tom here" asks.
func (x *Extractor) nameBefore(toks []token, end int) nameSpan {
	for _, p := range namesBefore[toks[end].fold] {
		after, ok := matchAlias(toks, end+1, p.rest)
		if !ok || p.closed && !closes(toks, after) {
			continue
		}
		for i := max(0, end-3); i < end; i++ {
			opens := i == 0 || toks[i-1].breaks() || toks[i-1].is(titles)
			if nameWord(toks, i) && x.names[toks[i].fold] && (opens || !p.closed) && x.surnames(toks, i+1, !toks[i].capital) == end {
				return nameSpan{i, end}
			}
		}
	}
	return nameSpan{}
}

// correctedName reads the second name of "nie Anna, tylko Hanna Nowak" and "nie
// nazywam się Lis, tylko Lisek".
func (x *Extractor) correctedName(toks []token) nameSpan {
	for i := range toks {
		if toks[i].fold != "nie" && toks[i].fold != "not" {
			continue
		}
		wrong, introduced := i+1, nameTalk(toks)
		for wrong < len(toks) && (toks[wrong].is(nameTalkWords) || toks[wrong].is(skippable)) {
			wrong++
		}
		if !nameWord(toks, wrong) || x.placeWord(toks, wrong) || !x.names[toks[wrong].fold] && (!introduced || !toks[wrong].capital) {
			continue
		}
		k := x.surnames(toks, wrong+1, !toks[wrong].capital)
		if k < len(toks) && toks[k].fold == "," {
			k++
		}
		if k < len(toks) && (toks[k].fold == "tylko" || toks[k].fold == "lecz" || toks[k].fold == "ale" || toks[k].fold == "but") {
			return x.readName(toks, k+1, true)
		}
	}
	return nameSpan{}
}

var nameTalkWords = words("nazywam sie mam na imie jestem imie nazwisko name my")

// nameTalk reports that the message speaks of its writer's name.
func nameTalk(toks []token) bool {
	for i := range toks {
		switch toks[i].fold {
		case "nazywam", "imie", "nazwisko", "name":
			return true
		}
	}
	return false
}
