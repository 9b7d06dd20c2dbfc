package chat

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// The kinds of findings of CheckKnowledge.
const (
	FindingInvalid      = "invalid"       // a field that cannot be as it is
	FindingEmpty        = "empty"         // nothing where something is needed
	FindingMissing      = "missing"       // a topic without an entry, also in one language only; a file
	FindingUnknownTopic = "unknown_topic" // an entry that nobody could be answered
	FindingDuplicate    = "duplicate"     // the same keyword or example twice
	FindingUnreachable  = "unreachable"   // an entry that other entries shadow
	FindingShadowed     = "shadowed"      // an example that another entry answers
	FindingPlaceholder  = "placeholder"   // an unknown one, or one that a translation lacks
	FindingPrice        = "price"         // amounts that contradict each other
	FindingLanguage     = "language"      // an answer in the other language

	findingBroken = "broken" // a file that cannot be read or parsed: no finding, an error
)

// Finding is something that the authors of a knowledge base should mend.
type Finding struct {
	Kind string
	File string
	// Entry is the topic, or the field where the finding is about one.
	Entry   string
	Problem string
	Fix     string
}

// CheckKnowledge looks for what is wrong with a knowledge base, also where it
// can be loaded: what LoadKnowledge refuses, entries that no question reaches,
// doubled keywords, amounts that contradict the price list or the translation,
// answers in the wrong language. CodeInvalid, with file and line, for a file
// that is no TOML.
func CheckKnowledge(fsys fs.FS) ([]Finding, error) {
	k, problems := readKnowledge(fsys)
	c := &checker{k: k, unfit: map[string]bool{}}
	var broken []error
	for _, err := range problems {
		p := (*problem)(nil)
		if !errors.As(err, &p) || p.kind == findingBroken {
			broken = append(broken, err)
			continue
		}
		c.findings = append(c.findings, Finding{Kind: p.kind, File: p.file, Entry: p.field, Problem: p.text, Fix: cmp.Or(p.fix, "mend the field")})
		c.unfit[p.file] = true
	}
	if len(broken) > 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "check knowledge base: %s", inOneLine(broken))
	}
	c.complete()
	c.translations()
	c.prices()
	c.languages()
	c.duplicates()
	c.reachable()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Entry, b.Entry))
	})
	return slices.Compact(c.findings), nil
}

// checker collects findings.
type checker struct {
	k        *Knowledge
	findings []Finding
	unfit    map[string]bool // files with a problem of their own
}

func (c *checker) find(kind, file, entry, problem, fix string) {
	c.findings = append(c.findings, Finding{Kind: kind, File: file, Entry: entry, Problem: problem, Fix: fix})
}

// complete puts empty entries where entries are missing, so that the others can
// be checked.
func (c *checker) complete() {
	for _, lang := range languages {
		for _, t := range Topics() {
			if c.k.entries[lang][t] == nil {
				c.k.entries[lang][t] = &Entry{Topic: t}
			}
		}
	}
	if c.k.words == nil {
		c.k.words = builtIn().words
	}
}

// fileOf returns the file of an entry as it was read, or as it should be named.
func (c *checker) fileOf(lang Lang, t Topic) string {
	if f := c.k.files[lang][t]; f != "" {
		return f
	}
	return path.Join(string(lang), string(t)+".toml")
}

// texts returns the answers of an entry by their field.
func (e *Entry) texts() map[string]string {
	list := map[string]string{
		"answer": e.Answer, "variants.city_served": e.Variants.CityServed,
		"variants.city_other": e.Variants.CityOther, "variants.area_known": e.Variants.AreaKnown,
	}
	for field, text := range list {
		if strings.TrimSpace(text) == "" {
			delete(list, field)
		}
	}
	return list
}

// translations compares what both languages fill in.
func (c *checker) translations() {
	for _, t := range Topics() {
		pl, en := c.k.Entry(Polish, t).texts(), c.k.Entry(English, t).texts()
		if len(pl) == 0 || len(en) == 0 {
			continue // reported as missing or empty
		}
		for field := range pl {
			c.translated(c.fileOf(English, t), string(t), field, pl[field], en[field], "Polish")
		}
		for field := range en {
			c.translated(c.fileOf(Polish, t), string(t), field, en[field], pl[field], "English")
		}
	}
	for _, key := range phraseKeys {
		pl, en := c.k.phrase(Polish, key), c.k.phrase(English, key)
		if pl != "" && en != "" {
			c.translated(path.Join(string(English), dialogueFile), key, key, pl, en, "Polish")
			c.translated(path.Join(string(Polish), dialogueFile), key, key, en, pl, "English")
		}
	}
}

// translated reports what one text has and its translation lacks.
func (c *checker) translated(file, entry, field, has, lacks, other string) {
	if lacks == "" {
		c.find(FindingMissing, file, entry, field+" is missing; the "+other+" entry has it", "add the translation")
		return
	}
	there := placeholderNames(lacks)
	for _, name := range placeholderNames(has) {
		if slices.Contains(placeholders, name) && !slices.Contains(there, name) {
			c.find(FindingPlaceholder, file, entry, field+" lacks {"+name+"}, which the "+other+" one has", "say it in both languages")
		}
	}
}

// wordsToTell is how many words a text needs for its language to be told.
const wordsToTell = 4

// languages reports answers in the other language.
func (c *checker) languages() {
	check := func(lang Lang, file, entry, field, text string) {
		toks := tokenise(normalise(withoutPlaceholders(text)), nil)
		known := slices.DeleteFunc(toks, func(t token) bool { return t.kind != kindWord })
		if len(known) >= wordsToTell && detectLanguage(withoutPlaceholders(text), toks, lang) != lang {
			c.find(FindingLanguage, file, entry, field+" does not look "+languageNames[lang], "translate it")
		}
	}
	for _, lang := range languages {
		for _, t := range Topics() {
			for field, text := range c.k.Entry(lang, t).texts() {
				check(lang, c.fileOf(lang, t), string(t), field, text)
			}
		}
		for i, m := range c.k.followups[lang].Mails {
			check(lang, path.Join(string(lang), followupFile), "mail", "body "+strconv.Itoa(i+1), m.Body)
		}
		for _, key := range phraseKeys {
			check(lang, path.Join(string(lang), dialogueFile), key, key, c.k.phrase(lang, key))
		}
	}
}

var languageNames = map[Lang]string{Polish: "Polish", English: "English"}

// withoutPlaceholders takes the names in braces out of a text.
func withoutPlaceholders(text string) string {
	for _, name := range placeholders {
		text = strings.ReplaceAll(text, "{"+name+"}", " ")
	}
	return text
}
