package chat

import (
	"fmt"
	"slices"
	"strings"
)

// use is a place at which a keyword or an example stands.
type use struct {
	lang  Lang
	topic Topic
	text  string
}

// duplicates reports keywords and examples that stand twice: in one entry the
// second does nothing, in two entries they contradict each other.
func (c *checker) duplicates() {
	keywords, examples := map[string]use{}, map[string]use{}
	for _, lang := range languages {
		for _, t := range Topics() {
			e := c.k.Entry(lang, t)
			for _, kw := range e.Keywords {
				c.duplicate("keyword", keywords, keywordKey(kw), use{lang, t, kw})
			}
			for _, ex := range e.Examples {
				c.duplicate("example", examples, strings.Join(strings.Fields(fold(ex)), " "), use{lang, t, ex})
			}
		}
	}
}

func (c *checker) duplicate(what string, seen map[string]use, key string, u use) {
	first, twice := seen[key]
	switch {
	case !twice:
		seen[key] = u
	case first.topic == u.topic && first.lang != u.lang:
		// both languages may use one word: "RODO"
	case first.topic == u.topic:
		c.find(FindingDuplicate, c.fileOf(u.lang, u.topic), string(u.topic), fmt.Sprintf("%s %q stands twice", what, u.text), "take one out")
	default:
		c.find(FindingDuplicate, c.fileOf(u.lang, u.topic), string(u.topic),
			fmt.Sprintf("%s %q stands in %s too", what, u.text, c.fileOf(first.lang, first.topic)), "keep it in one of the entries, or say more in it")
	}
}

// keywordKey is equal for keywords that match the same sentences.
func keywordKey(kw string) string {
	p, err := parsePhrase(kw)
	if err != nil {
		return kw
	}
	var terms []string
	for _, alts := range p.terms {
		alts = slices.Clone(alts)
		slices.Sort(alts)
		terms = append(terms, strings.Join(alts, "|"))
	}
	slices.Sort(terms)
	return strings.Join(terms, " ")
}

// reachable asks every entry's own keywords and examples, and reports the entry
// that no keyword of it finds, and examples that find another one.
func (c *checker) reachable() {
	if slices.ContainsFunc(c.findings, func(f Finding) bool { return f.File == packagesFile }) {
		return // without the packages questions about them mean nothing
	}
	c.k.extractor = NewExtractor(c.k.Packages)
	index := NewIndex(c.k)
	first := func(text string) Topic {
		hits := index.Search(c.k.extractor.Extract(text, AskedNothing))
		if len(hits) == 0 {
			return ""
		}
		return hits[0].Topic
	}
	for _, lang := range languages {
		for _, t := range Topics() {
			if file, e := c.fileOf(lang, t), c.k.Entry(lang, t); !c.unfit[file] && len(e.Keywords) > 0 {
				c.reach(file, t, e, first)
			}
		}
	}
}

// reach asks for one entry.
func (c *checker) reach(file string, t Topic, e *Entry, firstFunc func(text string) Topic) {
	winners := map[Topic]int{}
	for _, kw := range e.Keywords {
		for _, text := range spoken(kw) {
			winners[firstFunc(text)]++
		}
	}
	if winners[t] == 0 {
		c.find(FindingUnreachable, file, string(t), "no keyword of it wins: they find "+tally(winners), "add keywords that only this entry has")
	}
	for _, ex := range e.Examples {
		if got := firstFunc(ex); got != t && (got != "" || t != TopicOffTopic) {
			c.find(FindingShadowed, file, string(t), fmt.Sprintf("example %q finds %s", ex, orNothing(got)),
				"move it to that entry, or add keywords and examples like it")
		}
	}
}

func orNothing(t Topic) string {
	if t == "" {
		return "nothing"
	}
	return string(t)
}

// tally lists the topics that won, in their order.
func tally(winners map[Topic]int) string {
	var list []string
	for _, t := range append(Topics(), "") {
		if winners[t] > 0 {
			list = append(list, orNothing(t))
		}
	}
	return strings.Join(list, ", ")
}
