package chat

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"chatops/internal/chatops"
)

// copyKnowledge makes a changeable copy of the embedded knowledge base.
func copyKnowledge(tb testing.TB) fstest.MapFS {
	tb.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(Embedded(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Embedded(), p)
		out[p] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestLoadKnowledge_TakesTheEmbeddedOne(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	want := map[string]int{"Express": 999, "Express Plus": 1199, "Comfort": 1499, "Premium": 1999, "Individual": 0}
	if len(k.Packages) != len(want) {
		t.Errorf("%d packages, want %d", len(k.Packages), len(want))
	}
	for name, price := range want {
		if p := k.Package(name); p == nil || p.PricePerM2 != price || p.ByEstimate != (price == 0) {
			t.Errorf("package %s: %+v, want %d", name, p, price)
		}
	}
	if k.Package("Gold") != nil {
		t.Error("an unknown package was found")
	}
}

func TestLoadKnowledge_NamesFileAndField(t *testing.T) {
	t.Parallel()
	replace := func(file, old, with string) func(fstest.MapFS) {
		return func(f fstest.MapFS) {
			text := string(f[file].Data)
			if !strings.Contains(text, old) {
				panic(file + " holds no " + old)
			}
			f[file] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, with, 1))}
		}
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   []string
	}{
		"missing topic":      {func(f fstest.MapFS) { delete(f, "en/warranty.toml") }, []string{"en: topic", `"warranty" has no entry`}},
		"missing language":   {func(f fstest.MapFS) { deleteFolder(f, "en") }, []string{"en: folder"}},
		"duplicate topic":    {replace("pl/area.toml", `topic = "area"`, `topic = "price"`), []string{"pl/price.toml: topic", "answered by pl/area.toml"}},
		"unknown topic":      {replace("pl/area.toml", `topic = "area"`, `topic = "garden"`), []string{"pl/area.toml: topic", `"garden" is not a topic`}},
		"zero price":         {replace("packages.toml", "price_per_m2 = 999", "price_per_m2 = 0"), []string{"packages.toml: package[0].price_per_m2", "is 0"}},
		"negative price":     {replace("packages.toml", "price_per_m2 = 999", "price_per_m2 = -5"), []string{"package[0].price_per_m2", "is -5"}},
		"huge price":         {replace("packages.toml", "price_per_m2 = 999", "price_per_m2 = 999000"), []string{"package[0].price_per_m2"}},
		"price as text":      {replace("packages.toml", "price_per_m2 = 999", `price_per_m2 = "999"`), []string{"packages.toml: syntax", "price_per_m2"}},
		"priced by estimate": {replace("packages.toml", "by_estimate = true", "by_estimate = true\nprice_per_m2 = 5"), []string{"package[4].price_per_m2"}},
		"same name twice":    {replace("packages.toml", `name = "Comfort"`, `name = "Express"`), []string{"packages.toml: package[2].aliases", `"Express"`}},
		"alias twice":        {replace("packages.toml", `"confort"`, `"ekspres"`), []string{"package[2].aliases", `"ekspres" already names Express`}},
		"no summary":         {replace("packages.toml", "pl.summary", "de.summary"), []string{"package[0].pl.summary", "package.de.summary"}},
		"unknown field":      {replace("pl/area.toml", "title", "titel"), []string{"pl/area.toml: titel: unknown field", "pl/area.toml: title"}},
		"empty answer":       {replace("en/price.toml", "answer = \"\"\"", "answer = \"\"\n#"), []string{"en/price.toml"}},
		"bad keyword":        {replace("pl/area.toml", "keywords = [", "keywords = [\"a*\","), []string{"pl/area.toml: keywords[0]", "too short"}},
		"bad weight":         {replace("pl/area.toml", "keywords = [", "keywords = [\"abc ^x\","), []string{"keywords[0]", "weight"}},
		"unknown fact":       {replace("pl/area.toml", "keywords = [", "keywords = [\"@garden\","), []string{"keywords[0]", "not a fact"}},
		"bad placeholder":    {replace("pl/price.toml", "{prices}", "{price}"), []string{"pl/price.toml: answer: {price} is not a placeholder"}},
		"open brace":         {replace("pl/price.toml", "{prices}", "{prices"), []string{"pl/price.toml: answer"}},
		"broken TOML":        {replace("pl/area.toml", "title =", "title"), []string{"pl/area.toml: syntax"}},
		"missing phrase":     {replace("en/dialogue.toml", "ask_name", "ask_nam"), []string{"en/dialogue.toml: ask_name: must not be empty", "en/dialogue.toml: ask_nam: unknown field"}},
		"no company":         {func(f fstest.MapFS) { delete(f, "company.toml") }, []string{"company.toml: file"}},
		"no phone":           {replace("company.toml", "phone =", "fone ="), []string{"company.toml: phone", "company.toml: fone"}},
		"no area":            {replace("company.toml", "areas = [", "areas = []\n#"), []string{"company.toml: areas"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := copyKnowledge(t)
			c.change(f)
			_, err := LoadKnowledge(f)
			if chatops.ErrorCode(err) != chatops.CodeInvalid {
				t.Fatalf("%v, want %s", err, chatops.CodeInvalid)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func deleteFolder(f fstest.MapFS, folder string) {
	for p := range f {
		if strings.HasPrefix(p, folder+"/") {
			delete(f, p)
		}
	}
}

func TestLoadKnowledge_ReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := LoadKnowledge(fstest.MapFS{})
	for _, want := range []string{"company.toml", "packages.toml", "pl: folder", "en: folder", "pl/dialogue.toml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestKnowledge_OfAnotherCompanyIsUsed(t *testing.T) {
	t.Parallel()
	f := copyKnowledge(t)
	f["packages.toml"] = &fstest.MapFile{Data: []byte(`
[[package]]
name = "Gold"
price_per_m2 = 2500
aliases = ["złoty"]
pl.summary = "a"
pl.includes = ["b"]
en.summary = "c"
en.includes = ["d"]
[[package]]
name = "Basic"
price_per_m2 = 500
pl.summary = "a"
pl.includes = ["b"]
en.summary = "c"
en.includes = ["d"]
`)}
	k, err := LoadKnowledge(f)
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, func(o *Options) { o.Knowledge = k })
	r := v.say("Policz mi 10 m2 w pakiecie zloty")
	if r.Context.Package != "Gold" || !strings.Contains(r.Response, "25 000 zł") {
		t.Errorf("%+v %q", r.Context, r.Response)
	}
	if r := v.say("jaki pakiet jest najtańszy?"); !strings.Contains(r.Response, "Basic – 500 zł/m²") {
		t.Errorf("cheapest %q", r.Response)
	}
	if r := v.say("a najdroższy?"); !strings.Contains(r.Response, "Gold – 2 500 zł/m²") {
		t.Errorf("most expensive %q", r.Response)
	}
}

func TestKnowledge_EveryEntryIsFoundByItsOwnKeywords(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	x, idx := k.Extractor(), k.Index()
	facts := map[string]string{
		markCity: "Kraków", markArea: "60 m2", markPackage: "Comfort", markPackages: "Comfort Premium", markBudget: "budżet 90000 zł",
	}
	for _, lang := range languages {
		for _, topic := range Topics() {
			for _, kw := range k.Entry(lang, topic).Keywords {
				p, err := parsePhrase(kw)
				if err != nil {
					t.Fatal(err)
				}
				var text []string
				for _, alts := range p.terms {
					w := strings.TrimSuffix(alts[0], "*")
					if f := facts[w]; f != "" {
						w = f
					}
					text = append(text, w)
				}
				message := strings.Join(text, " ")
				found := false
				for _, h := range idx.Search(x.Extract(message, AskedNothing)) {
					found = found || h.Topic == topic
				}
				if !found {
					t.Errorf("%s/%s: keyword %q does not find its own entry", lang, topic, kw)
				}
			}
		}
	}
}

func TestKnowledge_AnswersAreShortAndComplete(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, lang := range languages {
		for _, topic := range Topics() {
			for _, f := range []chatops.Facts{{}, {City: "Kraków", SquareMeters: 60, Package: "Comfort"}, {City: "Zakopane", SquareMeters: 60}} {
				r := renderer{k: k, lang: lang, facts: f}
				text := r.answer(topic)
				if n := len([]rune(text)); n < 20 || n > 900 || strings.ContainsAny(text, "{}") || strings.Contains(text, "  ") {
					t.Errorf("%s/%s with %+v: %q", lang, topic, f, text)
				}
			}
		}
	}
}

func TestFormat_GroupsThousandsAsTheLanguageDoes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][2]string{
		0: {"0 zł", "PLN 0"}, 999: {"999 zł", "PLN 999"}, 1199: {"1 199 zł", "PLN 1,199"}, 59940: {"59 940 zł", "PLN 59,940"},
		1234567: {"1 234 567 zł", "PLN 1,234,567"},
	} {
		if got := formatMoney(Polish, n); got != want[0] {
			t.Errorf("%d: %q, want %q", n, got, want[0])
		}
		if got := formatMoney(English, n); got != want[1] {
			t.Errorf("%d: %q, want %q", n, got, want[1])
		}
	}
}
