package runbook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestConsentTextsList_ShowsTheBuiltInOnesOfAFreshDatabase(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "consent texts list --kind marketing --locale en -o jsonl")
	c.prints(`{"id":2,"kind":"marketing","locale":"en","version":1,"state":"current","valid_from":"2026-03-10T12:00:00Z","text":"` +
		chatops.BuiltInConsentText(chatops.KindMarketing, "en").Body + "\"}\n")
	c.must(exitOK, "consent texts list -o csv --no-headers")
	if n := strings.Count(c.out.String(), "\n"); n != 4 {
		t.Errorf("%d texts are listed:\n%s", n, &c.out)
	}
	c.must(exitUsage, "consent texts list --kind cookies")
	c.says(`--kind "cookies": must be one of marketing, rodo`)
}

func TestConsentTextsList_OfAProfileThatOnlyReadsStoresNothing(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore()).profile("read_only = true\n")
	c.must(exitOK, "consent texts list -o json")
	c.prints("{\n  \"items\": []\n}\n")
	if c.store.people.ensured > 0 {
		t.Error("a read-only profile writes")
	}
}

func TestViewTexts_OneVersionIsCurrentUnlessNoneIsValidYet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var texts []chatops.ConsentText
		for _, locale := range []string{"en", "pl"} {
			for v := range rapid.IntRange(0, 5).Draw(t, "versions") {
				from := noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "from")) * time.Hour)
				texts = append(texts, chatops.ConsentText{ID: int64(len(texts) + 1), Kind: chatops.KindRODO, Locale: locale, Version: v + 1, ValidFrom: from})
			}
		}
		current := map[string]int{}
		for _, v := range viewTexts(texts, noon) {
			if v.State == "current" {
				if current[v.Locale] != 0 {
					t.Fatal("two versions are current")
				}
				current[v.Locale] = v.Version
			}
		}
		newest := map[string]int{}
		for _, text := range texts {
			if !text.ValidFrom.After(noon) {
				newest[text.Locale] = max(newest[text.Locale], text.Version)
			}
		}
		if fmt.Sprint(current) != fmt.Sprint(newest) {
			t.Fatalf("current are %v, the newest that are valid %v", current, newest)
		}
	})
}

func TestConsentTextsAdd_CountsAsksAndWritesDown(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.files["new.txt"] = "\ufeffI agree to messages.\r\nAlways.\n"
	line := "consent texts add new.txt --kind marketing --locale en --reason lawyers -o jsonl"
	stored := `"kind":"marketing","locale":"en","version":2,"valid_from":"2026-03-10T12:00:00Z","text":"I agree to messages.\nAlways.","dry_run":`
	c.must(exitOK, line+" --dry-run")
	c.prints(`{"id":0,` + stored + "true}\n")
	c.must(exitRefused, line)
	if n := len(c.store.people.texts); n != 4 || len(c.store.actions) > 0 {
		t.Fatalf("%d texts without a yes", n)
	}
	c.must(exitOK, line+" --yes")
	c.says("change       add version 2 of the marketing consent in en, 28 characters, valid from 2026-03-10T12:00:00Z")
	c.prints(`{"id":5,` + stored + "false}\n")
	a := c.store.actions
	if len(a) != 1 || a[0].Filter != `{"kind":"marketing","locale":"en","version":2}` || a[0].Result != "ok: text 5, version 2" || a[0].Reason != "lawyers" {
		t.Errorf("operator actions %+v", a)
	}
	c.must(exitUsage, line+" --yes")
	c.says("this is the wording of version 2 already: nothing was added")
	c.In = strings.NewReader("Zgoda.\n")
	c.must(exitOK, "consent texts add --stdin --kind rodo --locale de --valid-from 2026-03-11 --yes -o jsonl")
	c.prints(`{"id":6,"kind":"rodo","locale":"de","version":1,"valid_from":"2026-03-11T00:00:00Z","text":"Zgoda.","dry_run":false}` + "\n")
}

func TestConsentTextsAdd_Refusals(t *testing.T) {
	t.Parallel()
	const good = "consent texts add a.txt --kind rodo --locale pl "
	for _, tt := range []struct{ line, file, says string }{
		{"consent texts add --kind rodo --locale pl", "x", "which wording? give one file, got 0 arguments"},
		{good + "--stdin", "x", "not both"},
		{"consent texts add a.txt --locale pl", "x", `--kind "": must be one of marketing, rodo`},
		{"consent texts add a.txt --kind rodo", "x", "--locale is required"},
		{"consent texts add a.txt --kind rodo --locale Polish", "x", `locale "Polish": must be a language`},
		{"consent texts add missing.txt --kind rodo --locale pl", "x", "read the wording: open missing.txt"},
		{good, " \n", "must say what is agreed to"},
		{good, "\xff", "must be UTF-8"},
		{good, strings.Repeat("x", 5001), "consent text of 5001 characters"},
		{good + "--valid-from 2026-03-10", "x", "--valid-from 2026-03-10 is in the past"},
		{good + "--valid-from soon", "x", `--valid-from "soon": must be a date`},
	} {
		c := newConsole(t, newFakeStore())
		c.files["a.txt"] = tt.file
		c.must(exitUsage, tt.line+" --yes")
		c.says(tt.says)
		if c.opened > 0 {
			t.Errorf("%s opens the store", tt.line)
		}
	}
	c := newConsole(t, newFakeStore()).profile("read_only = true\n")
	c.files["a.txt"] = "x"
	c.must(exitRefused, good+"--yes")
	c.must(exitOK, good+"--dry-run")
}
