package chat

import (
	"strings"
	"testing"
	"testing/fstest"

	"chatops/internal/chatops"
)

func TestCheckKnowledge_FindsNothingInTheEmbeddedOne(t *testing.T) {
	t.Parallel()
	found, err := CheckKnowledge(Embedded())
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %+v", err, found)
	}
}

// rewrite replaces a text of a file.
func rewrite(file, old, with string) func(fstest.MapFS) {
	return func(f fstest.MapFS) {
		text := string(f[file].Data)
		if !strings.Contains(text, old) {
			panic(file + " holds no " + old)
		}
		f[file] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, with, 1))}
	}
}

// entryFile makes an entry with the given keywords and examples.
func entryFile(topic, keywords, examples, answer string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("topic = \"" + topic + "\"\ntitle = \"x\"\nkeywords = [" + keywords + "]\nexamples = [" + examples + "]\nanswer = \"" + answer + "\"\n")}
}

func TestCheckKnowledge_NamesFileEntryProblemAndFix(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   Finding // texts that the finding holds
	}{
		"unknown topic":     {rewrite("pl/area.toml", `topic = "area"`, `topic = "garden"`), Finding{FindingUnknownTopic, "pl/area.toml", "topic", `"garden" is not a topic`, "delete"}},
		"untranslated":      {func(f fstest.MapFS) { delete(f, "en/warranty.toml") }, Finding{FindingMissing, "en", "topic", `"warranty" has no entry`, "add en/warranty.toml"}},
		"no language":       {func(f fstest.MapFS) { deleteFolder(f, "en") }, Finding{FindingMissing, "en", "folder", "cannot be read", "add it"}},
		"variant":           {rewrite("en/area.toml", "city_other", "city_served2"), Finding{FindingMissing, "en/area.toml", "area", "variants.city_other is missing", "translation"}},
		"unknown field":     {rewrite("en/area.toml", "title =", "titel ="), Finding{FindingInvalid, "en/area.toml", "titel", "unknown field", "name"}},
		"empty answer":      {rewrite("pl/warranty.toml", "answer = \"\"\"", "answer = \"\"\n[variants]\ncity_other = \"\"\""), Finding{FindingEmpty, "pl/warranty.toml", "answer", "must not be empty", "write"}},
		"placeholder":       {rewrite("pl/price.toml", "{prices}", "{price}"), Finding{FindingPlaceholder, "pl/price.toml", "answer", "{price} is not a placeholder", "one of"}},
		"lost placeholder":  {rewrite("en/price.toml", "{prices}", "our prices"), Finding{FindingPlaceholder, "en/price.toml", "price", "answer lacks {prices}", "both"}},
		"dialogue":          {rewrite("en/dialogue.toml", "{booking_url}", "our page"), Finding{FindingPlaceholder, "en/dialogue.toml", "book", "lacks {booking_url}", "both"}},
		"wrong language":    {func(f fstest.MapFS) { copyAnswer(f, "pl/warranty.toml", "en/warranty.toml") }, Finding{FindingLanguage, "en/warranty.toml", "warranty", "does not look English", "translate"}},
		"other way":         {func(f fstest.MapFS) { copyAnswer(f, "en/process.toml", "pl/process.toml") }, Finding{FindingLanguage, "pl/process.toml", "process", "does not look Polish", "translate"}},
		"doubled keyword":   {rewrite("pl/area.toml", "keywords = [", `keywords = ["gwaranc*",`), Finding{FindingDuplicate, "pl/", "", `"gwaranc* ^3.0" stands in pl/area.toml too`, "one of"}},
		"keyword twice":     {rewrite("pl/area.toml", "keywords = [", `keywords = ["ogródek działkowy", "działkowy ogródek",`), Finding{FindingDuplicate, "pl/area.toml", "area", "stands twice", "take one out"}},
		"doubled example":   {rewrite("pl/area.toml", "examples = [", `examples = ["CENNIK",`), Finding{FindingDuplicate, "pl/price.toml", "price", `example "cennik" stands in pl/area.toml too`, "one of"}},
		"price of package":  {rewrite("pl/warranty.toml", "Dajemy", "Pakiet Comfort kosztuje 1399 zł/m². Dajemy"), Finding{FindingPrice, "pl/warranty.toml", "warranty", "says PLN 1399 for Comfort, packages.toml says PLN 1499", "{prices}"}},
		"without per metre": {rewrite("en/warranty.toml", "We give", "Express is PLN 1,050.\nWe give"), Finding{FindingPrice, "en/warranty.toml", "warranty", "says PLN 1050 for Express", "{prices}"}},
		"by estimate":       {rewrite("en/warranty.toml", "We give", "Individual is PLN 2,500 per m2.\nWe give"), Finding{FindingPrice, "en/warranty.toml", "warranty", "priced by estimate", "{prices}"}},
		"translated price":  {rewrite("en/kitchen.toml", "18,000", "16,000"), Finding{FindingPrice, "en/kitchen.toml", "kitchen", "says PLN 16000 where pl/kitchen.toml says PLN 18000", "both"}},
		"percentage":        {rewrite("pl/payment.toml", "20%", "30%"), Finding{FindingPrice, "en/payment.toml", "payment", "says 20 % where pl/payment.toml says 30 %", "both"}},
		"shadowed example":  {rewrite("pl/area.toml", "examples = [", `examples = ["gwarancja",`), Finding{FindingShadowed, "pl/area.toml", "area", "finds warranty", "move it"}},
		"unreachable": {func(f fstest.MapFS) {
			f["pl/area.toml"] = entryFile("area", `"gwarancja", "rękojmia"`, `"jaka gwarancja na prace"`, "Pracujemy w tych miastach od lat i chętnie tam przyjedziemy. {areas}")
		}, Finding{FindingUnreachable, "pl/area.toml", "area", "they find warranty", "only this entry"}},
		"word group": {rewrite("words.toml", "[group]", "[group]\nbad = \"a*\""), Finding{FindingInvalid, "words.toml", "group", "too short a beginning", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := copyKnowledge(t)
			c.change(f)
			found, err := CheckKnowledge(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range found {
				if got.Kind == c.want.Kind && strings.HasPrefix(got.File, c.want.File) && strings.HasPrefix(got.Entry, c.want.Entry) &&
					strings.Contains(got.Problem, c.want.Problem) && strings.Contains(got.Fix, c.want.Fix) {
					return
				}
			}
			t.Errorf("found %+v, want %+v", found, c.want)
		})
	}
}

// copyAnswer puts the answer of one file into another.
func copyAnswer(f fstest.MapFS, from, to string) {
	_, answer, _ := strings.Cut(string(f[from].Data), "answer = ")
	head, _, _ := strings.Cut(string(f[to].Data), "answer = ")
	f[to] = &fstest.MapFile{Data: []byte(head + "answer = " + answer)}
}

func TestCheckKnowledge_EveryFindingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	f := copyKnowledge(t)
	for _, file := range []string{"pl/area.toml", "en/price.toml", "packages.toml", "pl/dialogue.toml"} {
		delete(f, file)
	}
	f["pl/extra.toml"] = entryFile("price", `"cena"`, "", "{foo}")
	found, err := CheckKnowledge(f)
	if err != nil || len(found) < 5 {
		t.Fatalf("%v, %d findings", err, len(found))
	}
	for _, x := range found {
		if x.Kind == "" || x.File == "" || x.Entry == "" || x.Problem == "" || x.Fix == "" {
			t.Errorf("incomplete: %+v", x)
		}
	}
}

func TestCheckKnowledge_ABrokenFileIsAnErrorWithItsLine(t *testing.T) {
	t.Parallel()
	f := copyKnowledge(t)
	f["pl/area.toml"] = &fstest.MapFile{Data: []byte("topic = \"area\"\ntitle = \nanswer = 1\n")}
	_, err := CheckKnowledge(f)
	if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), "pl/area.toml: syntax: toml: line 2") {
		t.Errorf("%v", err)
	}
}

func TestFigures_MoneyAndPercentagesOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]figure{
		"zwykle od 18 000 zł bez sprzętu": {{value: 18000}}, "usually PLN 18,000": {{value: 18000}}, "999 zł/m²": {{value: 999, perM2: true}},
		"1499 zł za metr": {{value: 1499, perM2: true}}, "PLN 1,499 per m2": {{value: 1499, perM2: true}}, "20% zaliczki": {{value: 20, percent: true}},
		"36 miesięcy, 50 m², 8:00": nil, "": nil,
	} {
		got := figures(text)
		if len(got) != len(want) {
			t.Errorf("%q: %v, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	}
}

func TestKeywordKey_TellsOrderApartFromWords(t *testing.T) {
	t.Parallel()
	if keywordKey("ile kosztuje ^2") != keywordKey("kosztuje ile") || keywordKey("a|b c") != keywordKey("c b|a") {
		t.Error("order or weight matters")
	}
	if keywordKey("ile kosztuje") == keywordKey("ile trwa") || keywordKey("cen*") == keywordKey("cen") {
		t.Error("different keywords are taken for one")
	}
}
