package chat

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// notEntries are the files beside the entries of a language.
var notEntries = []string{dialogueFile, statementsFile, followupFile}

// entries reads <lang>/*.toml; every topic must be answered once.
func (l *loader) entries(lang Lang) (map[Topic]*Entry, map[Topic]string) {
	out := map[Topic]*Entry{}
	from := map[Topic]string{}
	list, err := fs.ReadDir(l.fsys, string(lang))
	if err != nil {
		l.unread(string(lang), "folder", err)
		return out, from
	}
	for _, d := range list {
		file := path.Join(string(lang), d.Name())
		if d.IsDir() || path.Ext(file) != ".toml" || slices.Contains(notEntries, d.Name()) {
			continue
		}
		e := &Entry{}
		if !l.decode(file, e) {
			continue
		}
		switch {
		case !slices.Contains(Topics(), e.Topic):
			l.findf(FindingUnknownTopic, file, "topic", "use one of the topics or delete the file", "%q is not a topic; expected one of %v", e.Topic, Topics())
			continue
		case from[e.Topic] != "":
			l.findf(FindingDuplicate, file, "topic", "join the two files", "%q is answered by %s already", e.Topic, from[e.Topic])
			continue
		}
		from[e.Topic], out[e.Topic] = file, e
		l.entry(file, e)
	}
	for _, t := range Topics() {
		if out[t] == nil {
			l.findf(FindingMissing, string(lang), "topic", fmt.Sprintf("add %s/%s.toml", lang, t), "%q has no entry", t)
		}
	}
	return out, from
}

func (l *loader) entry(file string, e *Entry) {
	l.need(file, "title", e.Title)
	l.need(file, "answer", e.Answer)
	if len(e.Keywords) == 0 {
		l.findf(FindingEmpty, file, "keywords", "add what people type", "must not be empty: the entry could never be found")
	}
	for i, kw := range e.Keywords {
		if _, err := parsePhrase(kw); err != nil {
			l.failf(file, fmt.Sprintf("keywords[%d]", i), "%q: %v", kw, err)
		}
	}
	for field, text := range e.texts() {
		l.placeholders(file, field, text)
	}
}

func (l *loader) placeholders(file, field, text string) {
	for _, name := range placeholderNames(text) {
		if !slices.Contains(placeholders, name) {
			l.findf(FindingPlaceholder, file, field, "use one of the placeholders", "{%s} is not a placeholder; expected one of %v", name, placeholders)
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
