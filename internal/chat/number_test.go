package chat

import "testing"

func TestNumberAt_ReadsHalvesAndHyphens(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{
		"65 i pół": 65.5, "sześćdziesiąt pięć i pół": 65.5, "sixty-five": 65, "hundred and twenty": 120, "2 and a half": 2.5, "64,5": 64.5, "sto jeden": 101, "dwieście trzynaście": 213,
	} {
		toks := read(in)
		if got, end, ok := numberAt(toks, 0); !ok || got != want || end != len(toks) {
			t.Errorf("%q = %v %v up to %d of %d, want %v", in, got, ok, end, len(toks), want)
		}
	}
	for in, want := range map[string]int{"trzynaście dwa": 1, "dwadzieścia trzynaście": 1, "sto sto": 1, "64,5 i pół": 1, "five and six": 1} {
		if _, end, _ := numberAt(read(in), 0); end != want {
			t.Errorf("%q: %d tokens, want %d", in, end, want)
		}
	}
}

func TestCompound_SplitsNumbersOffWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		value float64
		rest  string
	}{
		"szescdziesieciometrowe": {60, "metrowe"}, "studwudziestometrowy": {120, "metrowy"}, "piecdziesieciopieciometrowe": {55, "metrowe"}, "stutysieczny": {100, "tysieczny"},
		"dwustumetrowa": {200, "metrowa"}, "metrowe": {0, "metrowe"}, "": {0, ""},
	} {
		if v, rest := compound(in); v != want.value || rest != want.rest {
			t.Errorf("%q: %v %q, want %v", in, v, rest, want)
		}
	}
}

func TestFindBudget_ReadsSumsOfParts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"1 mln 200 tys zł": 1_200_000, "osiemdziesiąt pięć tysięcy pięćset złotych": 85_500, "milion dwieście tysięcy": 1_200_000, "85 tys. 500 zł": 85_500, "100-tysięczny budżet": 100_000, //nolint:misspell // Polish
		"stutysięczny budżet": 100_000, "100 000,- zł": 100_000, "budżet 100 tys 60 m2": 100_000, "90 tysiącach": 90_000, "120.000,00 zł": 120_000, "z 80 tys. do 100 tys.": 100_000,
	} {
		if got := findBudget(read(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindBudget_LeavesOthersPricesAlone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"mieszkanie kupiliśmy za 650 tys.": 0, "konkurencja chciała 95 tys. zł": 0, "90 tys. zł to za dużo": 0, "wycena na 110 tys. zł od innej firmy": 0, "za metr dawali 9500 zł": 0,
		"25 tys. euro": 0, "czynsz 8000 zł": 0, "I paid 90k PLN": 0,
		"kredyt 400 tys. zł, na wykończenie 100 tys. zł": 100_000, "mieszkanie kosztowało 600 tys., na remont mamy 90 tys.": 90_000, "80 tys., a właściwie 90 tys.": 90_000,
		"budżet to nie 80 tys. tylko 90 tys.": 90_000,
	} {
		if got := findBudget(read(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindArea_TellsHomesFromRoomsAndLengths(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"łazienka 6 m2": 0, "kuchnia 9 m2, salon 25 m2": 0, "mieszkanie z balkonem 60 m2": 60, "kawalerka z kuchnią 32 m2": 32, "mieszkanie z balkonem 8 m2": 0, "3 pokoje + kuchnia = 64m2": 64,
		"3 pokoje 64 m2": 64, "mieszkanie 3-pokojowe 64 m": 64, "działka 900 m2, dom 160 m2": 160, "200 metrów od stacji": 0, "do metra mam 300 metrów": 0, "60 metrów do wykończenia": 60,
		"dom 12 x 10 m": 0, "kabel 20 metrów": 0, "sześćdziesięciometrowe": 60, "65 i pół m2": 66, "m2: 60": 60, "sixty-five square metres": 65,
	} {
		if got := findArea(read(in), AskedNothing); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFindArea_TakesTheCorrection(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"pomyłka, 65 m2 nie 56": 65, "56 m2, przepraszam, 65 m2": 65, "nie 56 tylko 65 metrów": 65, "metraż to nie 60 tylko 62": 62, "60 m2 nie, 62 m2": 62,
		"60m2... a nie, sprawdziłem, 62m2": 62, "60, znaczy 62 m2": 62, "metraż 65 a nie 56": 65, "metraż to nie 60 tylko 3 pokoje": 60,
	} {
		if got := findArea(read(in), AskedNothing); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
