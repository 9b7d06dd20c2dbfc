package chat

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// priceList is packages.toml with one package that a test changes.
func priceList(lines ...string) *fstest.MapFile {
	base := []string{
		`name = "Basic"`, "price_per_m2 = 500", `pl.summary = "a"`, `pl.includes = ["b"]`, `en.summary = "c"`, `en.includes = ["d"]`,
	}
	for _, l := range lines {
		key, _, _ := strings.Cut(strings.TrimPrefix(l, "-"), " ")
		base = slices.DeleteFunc(base, func(b string) bool { return strings.HasPrefix(b, key+" ") })
		if !strings.HasPrefix(l, "-") {
			base = append(base, l)
		}
	}
	return &fstest.MapFile{Data: []byte("[[package]]\n" + strings.Join(base, "\n") + "\n")}
}

func TestPackages_NameWhatIsWrongWithThePriceList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file *fstest.MapFile
		want []string
	}{
		"sound":            {priceList(), nil},
		"most":             {priceList("price_per_m2 = 100000"), nil},
		"too much":         {priceList("price_per_m2 = 100001"), []string{"package[0].price_per_m2: must be 1 to 100000 PLN, is 100001"}},
		"no name":          {priceList("-name "), []string{"package[0].name: must not be empty", "package[0].aliases: must not hold an empty alias"}},
		"blank name":       {priceList(`name = "  "`), []string{"package[0].name: must not be empty"}},
		"empty alias":      {priceList(`aliases = ["base", " "]`), []string{"package[0].aliases: must not hold an empty alias"}},
		"only signs":       {priceList(`aliases = ["'’"]`), []string{"package[0].aliases: must not hold an empty alias"}},
		"its own name":     {priceList(`aliases = ["básic"]`), []string{`package[0].aliases: "básic" already names Basic`}},
		"nothing included": {priceList("pl.includes = []"), []string{"package[0].pl.includes: must not be empty"}},
		"not translated":   {priceList("-en.summary ", "-en.includes "), []string{"package[0].en.summary", "package[0].en.includes"}},
		"by estimate only": {priceList("-price_per_m2 ", "by_estimate = true"), []string{"package: at least one needs a price_per_m2"}},
		"both":             {priceList("by_estimate = true"), []string{"package[0].price_per_m2: must be left out for a package by estimate, is 500"}},
		"no price":         {priceList("-price_per_m2 "), []string{"package[0].price_per_m2", "is 0"}},
		"none":             {&fstest.MapFile{Data: []byte("# nothing yet\n")}, []string{"package: must hold at least one package"}},
		"a slip":           {priceList("price = 500"), []string{"package.price: unknown field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loader{fsys: fstest.MapFS{packagesFile: c.file}}
			l.packages()
			var got []string
			for _, err := range l.problems {
				got = append(got, err.Error())
			}
			text := strings.Join(got, "\n")
			if len(c.want) == 0 && text != "" {
				t.Errorf("problems:\n%s", text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not among\n%s", want, text)
				}
			}
		})
	}
}

// The list is sorted by price, whatever its order; what is priced by estimate
// stands last.
func TestPackages_AreInTheOrderOfTheirPrices(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, p := range []string{"name = \"C\"\nprice_per_m2 = 900", "name = \"X\"\nby_estimate = true", "name = \"A\"\nprice_per_m2 = 100", "name = \"B\"\nprice_per_m2 = 900"} {
		b.WriteString("[[package]]\n" + p + "\npl.summary = \"a\"\npl.includes = [\"b\"]\nen.summary = \"c\"\nen.includes = [\"d\"]\n")
	}
	l := loader{fsys: fstest.MapFS{packagesFile: &fstest.MapFile{Data: []byte(b.String())}}}
	var got []string
	for _, p := range l.packages() {
		got = append(got, p.Name)
	}
	if len(l.problems) > 0 || !slices.Equal(got, []string{"A", "C", "B", "X"}) {
		t.Errorf("%v, %v", got, l.problems)
	}
}

func TestPackageIndex_WordsOfAnotherSenseNameNoPackage(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for text, want := range map[string]string{
		"pakiet Express":                        "Express",
		"ekspres do kawy w kuchni":              "",
		"kawa z ekspresu":                       "",
		"zrobicie to ekspresem?":                "",
		"jestem zainteresowany ekspresem":       "Express",
		"myślimy nad ekspresem plus":            "Express Plus",
		"indywidualne podejście do klienta":     "",
		"podejście indywidualne":                "",
		"pakiet indywidualny":                   "Individual",
		"płytki klasy premium":                  "",
		"drzwi premium":                         "",
		"mam konto premium":                     "",
		"Premium, poproszę":                     "Premium",
		"Spotify Premium gra, a pakiet Comfort": "Comfort",
		"comfort-plus":                          "Comfort",
		"express-plus":                          "Express Plus",
		"ekspres +":                             "Express Plus",
	} {
		if got := x.Extract(text, AskedNothing).Facts.Package; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
