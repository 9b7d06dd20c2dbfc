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
}

// Index finds the entries that a message speaks of. It is built once and safe
// for concurrent use; a look-up takes microseconds.
type Index struct {
	topics   []Topic
	phrases  []indexedPhrase
	whole    map[string][]posting // folded words and their stems
	prefixes map[string][]posting
	longest  int // length of the longest prefix
	typos    *typoIndex
}

// NewIndex builds the index of a knowledge base, both languages in one: people
// mix them.
func NewIndex(k *Knowledge) *Index {
	x := &Index{topics: Topics(), whole: map[string][]posting{}, prefixes: map[string][]posting{}}
	for n, t := range x.topics {
		for _, lang := range languages {
			for _, kw := range k.Entry(lang, t).Keywords {
				if p, err := parsePhrase(kw); err == nil { // LoadKnowledge has reported the others
					x.add(n, p)
				}
			}
		}
	}
	var typoWords []string
	for w := range x.whole {
		typoWords = append(typoWords, w)
	}
	for w := range x.prefixes {
		typoWords, x.longest = append(typoWords, w), max(x.longest, len(w))
	}
	x.typos = newTypoIndex(typoWords)
	return x
}

// phraseScores is what a phrase of so many terms is worth.
var phraseScores = [maxTerms + 1]float64{0, 2, 3.5, 5, 6.5, 8, 9, 10, 11}

func (x *Index) add(topic int, p phrase) {
	n := int32(len(x.phrases)) //nolint:gosec // a few thousand phrases
	x.phrases = append(x.phrases, indexedPhrase{topic: topic, terms: len(p.terms), score: phraseScores[len(p.terms)] * p.weight})
	for i, alts := range p.terms {
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

// Hit is an entry found, the better the higher its score.
type Hit struct {
	Topic Topic
	Score float64
}

// hitState adds up what one sentence says about each phrase.
type hitState struct {
	seen    []uint8   // bits of the terms seen of each phrase
	touched []int32   // the phrases with a bit in seen
	best    []float64 // of each topic, over all sentences
	extra   []float64
}

// maxTypoWords bounds how many unknown words of a message are looked up with a
// typing error.
const maxTypoWords = 48

// Search returns the topics that the message speaks of, the best first.
func (x *Index) Search(e *Extraction) []Hit { return x.search(e, 0, len(e.toks)) }

// search looks at some of a message's tokens only.
func (x *Index) search(e *Extraction, start, last int) []Hit {
	st := hitState{seen: make([]uint8, len(x.phrases)), best: make([]float64, len(x.topics)), extra: make([]float64, len(x.topics))}
	marks := factMarks(e)
	for start < last {
		end := min(sentenceEnd(e.toks, start), last)
		for _, m := range marks {
			x.mark(&st, x.whole[m])
		}
		for i := start; i < end; i++ {
			if t := &e.toks[i]; t.kind == kindWord && (t.taken == fieldNone || t.taken == fieldPackage || t.taken == fieldCity) {
				x.word(&st, t.fold, &e.typoBudget)
			}
		}
		x.settle(&st)
		start = end
	}
	return x.hits(&st)
}

// sentenceEnd returns the token after the sentence that starts at i. A question
// mark ends one; so does a full stop that no abbreviation explains.
func sentenceEnd(toks []token, i int) int {
	for ; i < len(toks); i++ {
		switch toks[i].fold {
		case "?", "!", "\n":
			return i + 1
		case ".":
			if i+1 < len(toks) && toks[i+1].capital {
				return i + 1
			}
		}
	}
	return i
}

func factMarks(e *Extraction) []string {
	var marks []string
	add := func(ok bool, m string) {
		if ok {
			marks = append(marks, m)
		}
	}
	add(e.Facts.City != "", markCity)
	add(e.Facts.SquareMeters > 0, markArea)
	add(e.Facts.Budget > 0, markBudget)
	add(len(e.Packages) > 0, markPackage)
	add(len(e.Packages) > 1, markPackages)
	return marks
}

func (x *Index) mark(st *hitState, list []posting) {
	for _, p := range list {
		if st.seen[p.phrase] == 0 {
			st.touched = append(st.touched, p.phrase)
		}
		st.seen[p.phrase] |= 1 << p.term
	}
}

// word files a word under every term that it fits: itself, its stem, its
// beginnings, and where it is unknown, what it was probably meant to be.
func (x *Index) word(st *hitState, w string, budget *int) {
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
	if found || len(w) < minTypo || len(w) >= maxTypo || *budget == 0 {
		return
	}
	*budget--
	x.typos.find(w, func(n int) { use(x.whole[x.typos.words[n]]) })
	for n := minTypo; n <= len(w) && n <= x.longest+1; n++ {
		x.typos.find(w[:n], func(k int) { use(x.prefixes[x.typos.words[k]]) })
	}
}

// settle adds the phrases of a sentence whose terms were all seen.
func (x *Index) settle(st *hitState) {
	for _, n := range st.touched {
		p, mask := &x.phrases[n], st.seen[n]
		st.seen[n] = 0
		if int(mask) != 1<<p.terms-1 {
			continue
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

// hits orders the topics; a topic is worth its best phrase and a little for the
// others.
func (x *Index) hits(st *hitState) []Hit {
	var out []Hit
	for n, best := range st.best {
		if best == 0 {
			continue
		}
		h := Hit{Topic: x.topics[n], Score: best + min(st.extra[n]*0.1, 1)}
		i := len(out)
		for i > 0 && out[i-1].Score < h.Score {
			i--
		}
		out = append(out, Hit{})
		copy(out[i+1:], out[i:])
		out[i] = h
	}
	return out
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
