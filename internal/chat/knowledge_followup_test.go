package chat

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestFollowup_IsWrittenInBothLanguages(t *testing.T) {
	t.Parallel()
	k := builtIn()
	seen := map[string]bool{}
	for _, lang := range languages {
		for n := 1; n <= 3; n++ {
			f := k.Followup(lang, "Ewa", n)
			if f.Subject == "" || f.Footer == "" || f.Unsubscribe == "" || len(f.Body) < 100 || seen[f.Body] {
				t.Errorf("%s %d: %+v", lang, n, f)
			}
			if !strings.Contains(f.Subject+f.Footer, k.Company.Name) || strings.ContainsAny(f.Subject+f.Body+f.Footer+f.Unsubscribe, "{}") {
				t.Errorf("%s %d: placeholders in %+v", lang, n, f)
			}
			seen[f.Body] = true
		}
		if k.Followup(lang, "", 9) != k.Followup(lang, "", 3) || k.Followup(lang, "", 0) != k.Followup(lang, "", 1) {
			t.Errorf("%s: numbers beyond the texts", lang)
		}
	}
	if k.Followup("xx", "", 1) != k.Followup(Polish, "", 1) || (&Knowledge{}).Followup(Polish, "", 1) != (FollowupText{}) {
		t.Error("a language that nobody speaks")
	}
}

// followupFolder is the embedded knowledge base with other follow-ups.
func followupFolder(t *testing.T, text string) fstest.MapFS {
	t.Helper()
	folder := copyKnowledge(t)
	if text == "" {
		delete(folder, "pl/followup.toml")
	} else {
		folder["pl/followup.toml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

func TestFollowup_OfAFolder(t *testing.T) {
	t.Parallel()
	k, problems := readKnowledge(followupFolder(t, ""))
	if len(problems) > 0 || k.Followup(Polish, "", 1) != builtIn().Followup(Polish, "", 1) {
		t.Errorf("without a file the embedded texts are used: %v", problems)
	}
	k, problems = readKnowledge(followupFolder(t, "footer = \"f {name}\"\nunsubscribe = \"u\"\n[[mail]]\nsubject = \"s\"\nbody = \"b {phone}\""))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := k.Followup(Polish, "Jan", 2), (FollowupText{"s", "b " + k.Company.Phone, "f Jan", "u"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for text, want := range map[string]string{
		"footer = \"f\"\nunsubscribe = \"u\"":                                                     "pl/followup.toml: mail: must not be empty",
		"unsubscribe = \"u\"\n[[mail]]\nsubject = \"s\"\nbody = \"b\"":                            "pl/followup.toml: footer: must not be empty",
		"footer = \"f\"\nunsubscribe = \"u\"\n[[mail]]\nsubject = \"s\"":                          "mail[0].body: must not be empty",
		"footer = \"f\"\nunsubscribe = \"u\"\n[[mail]]\nsubject = \"{prices}\"\nbody = \"b\"":     "{prices} is not a placeholder of follow-ups",
		"footer = \"f\"\nunsubscribe = \"u\"\n[[mail]]\nsubject = \"s\"\nbody = \"b\"\nx = \"y\"": "mail.x: unknown field",
		"footer": "syntax",
	} {
		if _, err := LoadKnowledge(followupFolder(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
