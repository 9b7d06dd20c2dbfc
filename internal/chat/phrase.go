package chat

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// phrase is a keyword of the knowledge base: terms that must all stand in one
// sentence, in any order.
//
//	ile kosztuje            both words, in any inflection
//	gwaranc*                any word that begins so
//	dzial* @city            a word and a fact: @city @m2 @package @packages @budget
//	kiedy zacz*|start*      alternatives
//	hello ^0.4              a weight other than 1
type phrase struct {
	terms  [][]string // alternatives of each term, folded
	weight float64
}

// The facts that a phrase may ask for.
const (
	markCity     = "@city"
	markArea     = "@m2"
	markPackage  = "@package"
	markPackages = "@packages" // at least two packages
	markBudget   = "@budget"
)

// maxTerms bounds the terms of a phrase.
const maxTerms = 8

func parsePhrase(s string) (phrase, error) {
	p := phrase{weight: 1}
	for w := range strings.FieldsSeq(fold(s)) {
		if num, ok := strings.CutPrefix(w, "^"); ok {
			v, err := strconv.ParseFloat(num, 64)
			if err != nil || v <= 0 || v > 10 {
				return p, fmt.Errorf("weight %q must be a number over 0, at most 10", w)
			}
			p.weight = v
			continue
		}
		var alts []string
		for a := range strings.SplitSeq(w, "|") {
			if err := checkTerm(a); err != nil {
				return p, err
			}
			alts = append(alts, a)
		}
		p.terms = append(p.terms, alts)
	}
	if len(p.terms) == 0 || len(p.terms) > maxTerms {
		return p, fmt.Errorf("must have 1 to %d terms", maxTerms)
	}
	return p, nil
}

func checkTerm(a string) error {
	switch {
	case strings.HasPrefix(a, "@"):
		if a != markCity && a != markArea && a != markPackage && a != markPackages && a != markBudget {
			return fmt.Errorf("%q is not a fact", a)
		}
	case a == "" || a == "*":
		return errors.New("has an empty alternative")
	case strings.HasSuffix(a, "*") && len(a) < 4:
		return fmt.Errorf("%q is too short a beginning: at least 3 letters", a)
	}
	return nil
}

// posting says that a vocabulary word is an alternative of a phrase's term.
type posting struct {
	phrase int32
	term   uint8
}

// indexedPhrase is a phrase of an entry.
type indexedPhrase struct {
	topic int // in Topics()
	terms int
	score float64
	text  string // as it was written
	lang  Lang
}

// phraseIndex finds the phrases whose terms all stand in a sentence.
type phraseIndex struct {
	phrases  []indexedPhrase
	whole    map[string][]posting // folded words and, after a "~", their stems
	prefixes map[string][]posting
	longest  int // length of the longest prefix
}

// newPhraseIndex indexes the keywords of a knowledge base, both languages in
// one: people mix them.
func newPhraseIndex(k *Knowledge, topics []Topic) *phraseIndex {
	x := &phraseIndex{whole: map[string][]posting{}, prefixes: map[string][]posting{}}
	for n, t := range topics {
		for _, lang := range languages {
			for _, kw := range k.Entry(lang, t).Keywords {
				if p, err := parsePhrase(kw); err == nil { // LoadKnowledge has reported the others
					x.add(indexedPhrase{topic: n, terms: len(p.terms), score: phraseScores[len(p.terms)] * p.weight, text: kw, lang: lang}, p.terms)
				}
			}
		}
	}
	for w := range x.prefixes {
		x.longest = max(x.longest, len(w))
	}
	return x
}

// phraseScores is what a phrase of so many terms is worth.
var phraseScores = [maxTerms + 1]float64{0, 2, 3.5, 5, 6.5, 8, 9, 10, 11}

func (x *phraseIndex) add(p indexedPhrase, terms [][]string) {
	n := int32(len(x.phrases)) //nolint:gosec // a few thousand phrases
	x.phrases = append(x.phrases, p)
	for i, alts := range terms {
		at := posting{phrase: n, term: uint8(i)}
		for _, a := range alts {
			if prefix, ok := strings.CutSuffix(a, "*"); ok {
				x.prefixes[prefix] = append(x.prefixes[prefix], at)
				if stem, ok := strings.CutSuffix(prefix, "k"); ok && len(stem) >= minStem {
					x.whole[stem+"ek"] = append(x.whole[stem+"ek"], at) // płytk-a, płytek
				}
				continue
			}
			x.whole[a] = append(x.whole[a], at)
			if s := stem(a); s != a {
				x.whole["~"+s] = append(x.whole["~"+s], at)
			}
		}
	}
}

// phraseState adds up what one sentence says about each phrase.
type phraseState struct {
	seen    []uint8 // bits of the terms seen of each phrase
	touched []int32 // the phrases with a bit in seen
	best    []float64
	extra   []float64
	matched []int32 // the phrases whose terms were all seen, where explain asks
	explain bool
}

func (x *phraseIndex) newState(topics int) *phraseState {
	both := make([]float64, 2*topics)
	return &phraseState{seen: make([]uint8, len(x.phrases)), best: both[:topics], extra: both[topics:]}
}

func (x *phraseIndex) mark(st *phraseState, list []posting) {
	for _, p := range list {
		if st.seen[p.phrase] == 0 {
			st.touched = append(st.touched, p.phrase)
		}
		st.seen[p.phrase] |= 1 << p.term
	}
}

// word files a word under every term that it fits: itself, its stem, its
// beginnings. It reports whether the word is one that phrases know.
func (x *phraseIndex) word(st *phraseState, w string) bool {
	found := false
	use := func(list []posting) {
		if len(list) > 0 {
			found = true
			x.mark(st, list)
		}
	}
	use(x.whole[w])
	var buf [maxTypo]byte
	if s := stem(w); len(s) < maxTypo-1 {
		use(x.whole[string(append(append(buf[:0], '~'), s...))])
		use(x.whole[s])
	}
	if len(w) >= 3 {
		x.mark(st, x.prefixes[w[:3]]) // three letters make no word known: "cen*" is not "cenik"
	}
	for n := 4; n <= len(w) && n <= x.longest; n++ {
		use(x.prefixes[w[:n]])
	}
	return found
}

// meant files a word under the terms of what it was probably meant to be.
func (x *phraseIndex) meant(st *phraseState, known string) {
	x.mark(st, x.whole[known])
	x.mark(st, x.prefixes[known])
}

// settle adds the phrases of a sentence whose terms were all seen.
func (x *phraseIndex) settle(st *phraseState) {
	for _, n := range st.touched {
		p, mask := &x.phrases[n], st.seen[n]
		st.seen[n] = 0
		if int(mask) != 1<<p.terms-1 {
			continue
		}
		if st.explain {
			st.matched = append(st.matched, n)
		}
		if best := &st.best[p.topic]; p.score > *best {
			st.extra[p.topic] += *best
			*best = p.score
		} else {
			st.extra[p.topic] += p.score
		}
	}
	st.touched = st.touched[:0]
}

// score is what the phrases say for a topic: the best one, and a little for the
// others, so that no entry wins by having many keywords.
func (st *phraseState) score(topic int) float64 {
	return st.best[topic] + min(st.extra[topic]*0.1, 1)
}

// stemEndings are the inflections that are taken off a folded word, the longest
// first.
var stemEndings = []string{
	"owego", "owych", "iejsz", "ami", "ach", "ego", "emu", "ych", "ich", "owi", "ymi", "imi", "iem", "ing", "ow", "om", "em", "ej", "ie", "ia", "iu", "es", "ed", "ym", "im", "y", "i", "a", "e", "o", "u", "s",
}

// minStem is how much of a word at least remains.
const minStem = 4

// stem takes the ending off a folded word, Polish or English.
func stem(w string) string {
	for _, e := range stemEndings {
		if len(w)-len(e) >= minStem && strings.HasSuffix(w, e) {
			return w[:len(w)-len(e)]
		}
	}
	return w
}
