package chat

import "testing"

func TestDetectLanguage_ByTheBuildOfUnknownWords(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for message, want := range map[string]Lang{
		"fitted wardrobes": English, "completion schedule": English, "written guarantee?": English, "bathroom tiling": English,
		"szafy przesuwne": Polish, "zabudowa wnękowa": Polish, "kosztorys": Polish, "wykonczenie pod klucz": Polish,
		"do you finish flats in Wrocław": English, "what about Łódź?": English, "Jan Wójcik, please call": English,
		"Hej, how much za 60 m2?": Polish, "proszę o quote": Polish, "60 m2": Polish, "": Polish,
	} {
		e := k.Extractor().Extract(message, AskedNothing)
		if got := detectLanguage(message, e.toks, Polish); got != want {
			t.Errorf("%q is %s, want %s", message, got, want)
		}
	}
}

func TestBuilds_CountsPatternsOfBothLanguages(t *testing.T) {
	t.Parallel()
	for w, polish := range map[string]bool{"przeprowadzka": true, "wykonczenie": true, "thought": false, "schedule": false, "quickly": false} {
		if pl, en := builds(w); pl > en != polish || pl == en {
			t.Errorf("%s: %d Polish, %d English", w, pl, en)
		}
	}
}
