package chat

import "testing"

func TestClassify_AYesMayGoOn(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for message, want := range map[string]act{
		"jasne, wysyłajcie ofertę": actConfirm, "Tak, i proszę o telefon po 18": actConfirm, "tak, możecie dzwonić": actConfirm, "Nie no, wszystko się zgadza": actConfirm,
		"taaak": actConfirm, "okkk": actConfirm, "potwierdzma": actConfirm, "no i zgadza się": actConfirm, "bez uwag, potwierdzam": actConfirm, "spoko": actConfirm,
		"potwierdzam, tylko metraż to 62": actDeny, "tak, tylko proszę dzwonić po 17": actConfirm, "dobrze, zastanowię się": actNone, "tak, odezwę się jutro": actNone,
		"super, czekam na ofertę": actNone, "prawie wszystko się zgadza": actDeny, "tak jak mówiłem, 60 m2": actNone, "jasne, kupiłem właśnie mieszkanie": actNone, "chyba tak": actNone,
		"oczywiście, że nie": actNone, "nie no": actDeny, "potwierdzamd danych osobowych nie podam": actNone,
	} {
		if got := classify(x.Extract(message, AskedNothing).toks); got != want {
			t.Errorf("%q: act %d, want %d", message, got, want)
		}
	}
}

func TestSingled_WritesRunsOnce(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"taaak": "tak", "okkk": "ok", "yess": "yes", "tak": "tak", "": "", "aa": "a"} {
		if got := singled(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestStanceBefore_AComfortAfterANoIsPreferred(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]stance{
		"premium? nie, X": stancePreferred, "60, przepraszam, X": stancePreferred, "sorry: X": stancePreferred, "wszystko tylko nie X": stanceRejected, "rather than X": stanceRejected,
		"raczej Y niż X": stanceRejected, "mam nie, X": stanceNeutral,
	} {
		toks := read(text)
		if got := stanceBefore(toks, len(toks)-1); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestTakesBack_OnlyNearby(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"a nie, sprawdziłem,": true, "przepraszam": true, ", nie, a": true, "nie wiem": false, "i": false, "": false} {
		if toks := read(text); takesBack(toks, 0, len(toks)) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
	if toks := read("przepraszam a a a a a a a a a a a a a"); takesBack(toks, 0, len(toks)) {
		t.Error("a correction far away")
	}
	if takesBack(read("przepraszam"), -1, 1) {
		t.Error("nothing was said before")
	}
}
