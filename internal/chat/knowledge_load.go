package chat

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
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
	fsys     fs.FS
	problems []error // of *problem
}

// problem is something that keeps a knowledge base from being loaded.
type problem struct {
	kind, file, field, text string
	fix                     string // what to do; may be empty where the text says it
}

// Error names the file, the field and what is wrong.
func (p *problem) Error() string {
	text := p.file + ": " + p.field + ": " + p.text
	if p.kind == FindingMissing {
		text += "; " + p.fix
	}
	return text
}

// findf notes a problem with its fix.
func (l *loader) findf(kind, file, field, fix, format string, args ...any) {
	l.problems = append(l.problems, &problem{kind: kind, file: file, field: field, text: fmt.Sprintf(format, args...), fix: fix})
}

func (l *loader) failf(file, field, format string, args ...any) {
	l.findf(FindingInvalid, file, field, "", format, args...)
}

// LoadKnowledge reads a knowledge base and checks it. The error, CodeInvalid,
// names each file and field that is wrong.
func LoadKnowledge(fsys fs.FS) (*Knowledge, error) {
	k, errs := readKnowledge(fsys)
	if len(errs) > 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "load knowledge base: %s", inOneLine(errs))
	}
	k.extractor = NewExtractor(k.Packages)
	k.indexFunc = sync.OnceValue(func() *Index { return NewIndex(k) })
	return k, nil
}

// inOneLine joins problems for people who read a log or a terminal.
func inOneLine(errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// readKnowledge reads the files of a knowledge base.
func readKnowledge(fsys fs.FS) (*Knowledge, []error) {
	l := &loader{fsys: fsys}
	k := &Knowledge{entries: map[Lang]map[Topic]*Entry{}, files: map[Lang]map[Topic]string{}, phrases: map[Lang]map[string]string{}, statements: map[Lang][]string{}, followups: map[Lang]followups{}}
	l.decode(companyFile, &k.Company)
	l.company(&k.Company)
	k.Packages = l.packages()
	k.words = l.words()
	for _, lang := range languages {
		k.entries[lang], k.files[lang] = l.entries(lang)
		k.phrases[lang] = l.phrases(lang)
		k.statements[lang] = l.statements(lang)
		k.followups[lang] = l.followups(lang)
	}
	return k, l.problems
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

// unread notes a file or folder that is missing or cannot be read.
func (l *loader) unread(file, field string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		l.findf(FindingMissing, file, field, "add it", "cannot be read (%v)", errors.Unwrap(err))
		return
	}
	l.findf(findingBroken, file, field, "", "cannot be read (%v)", errors.Unwrap(err))
}

// decode reads a TOML file and refuses keys that nothing reads: they are slips.
func (l *loader) decode(file string, into any) bool {
	b, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		l.unread(file, "file", err)
		return false
	}
	meta, err := toml.Decode(string(b), into)
	if err != nil {
		l.findf(findingBroken, file, "syntax", "", "%v", err)
		return false
	}
	for _, key := range meta.Undecoded() {
		l.findf(FindingInvalid, file, key.String(), "take the field out, or mend its name", "unknown field")
	}
	return true
}

func (l *loader) need(file, field, value string) {
	if strings.TrimSpace(value) == "" {
		l.findf(FindingEmpty, file, field, "write it", "must not be empty")
	}
}
