package chat

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"chatops/internal/chatops"
)

//go:embed knowledge
var embedded embed.FS

// Embedded returns the knowledge base that is built in: that of a fictional
// company.
func Embedded() fs.FS {
	sub, err := fs.Sub(embedded, "knowledge")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return sub
}

// Files of a knowledge base beside the entries, which are <lang>/<topic>.toml.
const (
	companyFile  = "company.toml"
	packagesFile = "packages.toml"
	dialogueFile = "dialogue.toml"
	// Optional: the embedded ones take their place.
	wordsFile      = "words.toml"
	statementsFile = "statements.toml"
)

// maxPrice is the highest price per m2 believed, in PLN; more is a slip.
const maxPrice = 100_000

// loader collects what is wrong with a knowledge base, so that its author sees
// all of it at once.
type loader struct {
	fsys fs.FS
	errs []error
}

func (l *loader) failf(file, field, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %s: %s", file, field, fmt.Sprintf(format, args...)))
}

// LoadKnowledge reads a knowledge base and checks it. The error, CodeInvalid,
// names each file and field that is wrong.
func LoadKnowledge(fsys fs.FS) (*Knowledge, error) {
	k, errs := readKnowledge(fsys)
	if len(errs) > 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "load knowledge base: %s", errors.Join(errs...).Error())
	}
	k.extractor = NewExtractor(k.Packages)
	k.index = NewIndex(k)
	return k, nil
}

// readKnowledge reads the files of a knowledge base.
func readKnowledge(fsys fs.FS) (*Knowledge, []error) {
	l := &loader{fsys: fsys}
	k := &Knowledge{entries: map[Lang]map[Topic]*Entry{}, phrases: map[Lang]map[string]string{}, statements: map[Lang][]string{}}
	l.decode(companyFile, &k.Company)
	l.company(&k.Company)
	k.Packages = l.packages()
	k.words = l.words()
	for _, lang := range languages {
		k.entries[lang] = l.entries(lang)
		k.phrases[lang] = l.phrases(lang)
		k.statements[lang] = l.statements(lang)
	}
	return k, l.errs
}

var builtInOnce struct {
	sync.Once
	k *Knowledge
}

// builtIn is the embedded knowledge base, for what another one leaves out.
func builtIn() *Knowledge {
	builtInOnce.Do(func() {
		k, errs := readKnowledge(Embedded())
		if len(errs) > 0 {
			panic(errors.Join(errs...)) // the folder is part of the binary, and tested
		}
		builtInOnce.k = k
	})
	return builtInOnce.k
}

// has reports whether the knowledge base holds an optional file.
func (l *loader) has(file string) bool {
	_, err := fs.Stat(l.fsys, file)
	return !errors.Is(err, fs.ErrNotExist)
}

// words reads the groups of words, or takes the embedded ones.
func (l *loader) words() *lexicon {
	if !l.has(wordsFile) {
		return builtIn().words
	}
	var file struct {
		Group map[string]string `toml:"group"`
	}
	if !l.decode(wordsFile, &file) {
		return nil
	}
	lex, err := parseLexicon(file.Group)
	if err != nil {
		l.failf(wordsFile, "group", "%v", err)
	}
	return lex
}

// statements reads <lang>/statements.toml, or takes the embedded ones.
func (l *loader) statements(lang Lang) []string {
	file := path.Join(string(lang), statementsFile)
	if !l.has(file) {
		if !l.has(string(lang)) {
			return nil // reported by entries
		}
		return builtIn().statements[lang]
	}
	var into struct {
		Examples []string `toml:"examples"`
	}
	l.decode(file, &into)
	return into.Examples
}

// decode reads a TOML file and refuses keys that nothing reads: they are slips.
func (l *loader) decode(file string, into any) bool {
	b, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		l.failf(file, "file", "cannot be read (%v)", errors.Unwrap(err))
		return false
	}
	meta, err := toml.Decode(string(b), into)
	if err != nil {
		l.failf(file, "syntax", "%v", err)
		return false
	}
	for _, key := range meta.Undecoded() {
		l.failf(file, key.String(), "unknown field")
	}
	return true
}

func (l *loader) need(file, field, value string) {
	if strings.TrimSpace(value) == "" {
		l.failf(file, field, "must not be empty")
	}
}

func (l *loader) company(c *Company) {
	l.need(companyFile, "name", c.Name)
	l.need(companyFile, "phone", c.Phone)
	l.need(companyFile, "email", c.Email)
	l.need(companyFile, "address", c.Address)
	l.need(companyFile, "booking_url", c.BookingURL)
	l.need(companyFile, "privacy_url", c.PrivacyURL)
	if len(c.Areas) == 0 {
		l.failf(companyFile, "areas", "must name at least one city")
	}
}

func (l *loader) packages() []Package {
	var file struct {
		Package []Package `toml:"package"`
	}
	if !l.decode(packagesFile, &file) {
		return nil
	}
	if len(file.Package) == 0 {
		l.failf(packagesFile, "package", "must hold at least one package")
	}
	seen := map[string]string{}
	for i := range file.Package {
		p := &file.Package[i]
		field := fmt.Sprintf("package[%d]", i)
		l.need(packagesFile, field+".name", p.Name)
		switch {
		case p.ByEstimate && p.PricePerM2 != 0:
			l.failf(packagesFile, field+".price_per_m2", "must be left out for a package by estimate, is %d", p.PricePerM2)
		case !p.ByEstimate && (p.PricePerM2 <= 0 || p.PricePerM2 > maxPrice):
			l.failf(packagesFile, field+".price_per_m2", "must be 1 to %d PLN, is %d", maxPrice, p.PricePerM2)
		}
		for _, a := range append([]string{p.Name}, p.Aliases...) {
			if fold(strings.TrimSpace(a)) == "" {
				l.failf(packagesFile, field+".aliases", "must not hold an empty alias")
			} else if other, dup := seen[fold(a)]; dup {
				l.failf(packagesFile, field+".aliases", "%q already names %s", a, other)
			}
			seen[fold(a)] = p.Name
		}
		for _, lang := range languages {
			t := p.text(lang)
			l.need(packagesFile, fmt.Sprintf("%s.%s.summary", field, lang), t.Summary)
			if len(t.Includes) == 0 {
				l.failf(packagesFile, fmt.Sprintf("%s.%s.includes", field, lang), "must not be empty")
			}
		}
	}
	if !slices.ContainsFunc(file.Package, func(p Package) bool { return !p.ByEstimate }) && len(file.Package) > 0 {
		l.failf(packagesFile, "package", "at least one needs a price_per_m2")
	}
	slices.SortStableFunc(file.Package, func(a, b Package) int {
		if a.ByEstimate != b.ByEstimate {
			return cmp.Compare(boolInt(a.ByEstimate), boolInt(b.ByEstimate))
		}
		return cmp.Compare(a.PricePerM2, b.PricePerM2)
	})
	return file.Package
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// entries reads <lang>/*.toml; every topic must be answered once.
func (l *loader) entries(lang Lang) map[Topic]*Entry {
	out := map[Topic]*Entry{}
	from := map[Topic]string{}
	list, err := fs.ReadDir(l.fsys, string(lang))
	if err != nil {
		l.failf(string(lang), "folder", "cannot be read (%v)", errors.Unwrap(err))
		return out
	}
	for _, d := range list {
		file := path.Join(string(lang), d.Name())
		if d.IsDir() || path.Ext(file) != ".toml" || d.Name() == dialogueFile || d.Name() == statementsFile {
			continue
		}
		e := &Entry{}
		if !l.decode(file, e) {
			continue
		}
		switch {
		case !slices.Contains(Topics(), e.Topic):
			l.failf(file, "topic", "%q is not a topic; expected one of %v", e.Topic, Topics())
			continue
		case from[e.Topic] != "":
			l.failf(file, "topic", "%q is answered by %s already", e.Topic, from[e.Topic])
			continue
		}
		from[e.Topic], out[e.Topic] = file, e
		l.entry(file, e)
	}
	for _, t := range Topics() {
		if out[t] == nil {
			l.failf(string(lang), "topic", "%q has no entry; add %s/%s.toml", t, lang, t)
		}
	}
	return out
}

func (l *loader) entry(file string, e *Entry) {
	l.need(file, "title", e.Title)
	l.need(file, "answer", e.Answer)
	if len(e.Keywords) == 0 {
		l.failf(file, "keywords", "must not be empty: the entry could never be found")
	}
	for i, kw := range e.Keywords {
		if _, err := parsePhrase(kw); err != nil {
			l.failf(file, fmt.Sprintf("keywords[%d]", i), "%q: %v", kw, err)
		}
	}
	for field, text := range map[string]string{
		"answer": e.Answer, "variants.city_served": e.Variants.CityServed,
		"variants.city_other": e.Variants.CityOther, "variants.area_known": e.Variants.AreaKnown,
	} {
		l.placeholders(file, field, text)
	}
}

func (l *loader) placeholders(file, field, text string) {
	for _, name := range placeholderNames(text) {
		if !slices.Contains(placeholders, name) {
			l.failf(file, field, "{%s} is not a placeholder; expected one of %v", name, placeholders)
		}
	}
}

// phrases reads <lang>/dialogue.toml; every phrase is needed.
func (l *loader) phrases(lang Lang) map[string]string {
	file := path.Join(string(lang), dialogueFile)
	out := map[string]string{}
	if !l.decode(file, &out) {
		return out
	}
	for _, key := range phraseKeys {
		l.need(file, key, out[key])
		l.placeholders(file, key, out[key])
	}
	for key := range out {
		if !slices.Contains(phraseKeys, key) {
			l.failf(file, key, "unknown field")
		}
	}
	return out
}
