package chat

import (
	"slices"
	"strings"
)

// Index finds the entries that a message speaks of. It is built once and safe
// for concurrent use; a look-up takes microseconds, and the same message always
// finds the same.
//
// Two witnesses are heard. The keyword phrases of the entries say what their
// authors want. The model has learned from the example questions which words
// speak for which topic, and knows groups of words that mean alike; it decides
// where several phrases match, or none.
type Index struct {
	topics  []Topic
	phrases *phraseIndex
	vocab   *vocabulary
	model   *model
	typos   *typoIndex // every word that phrases or examples know

	reader   *Extractor // what Explain reads the examples with
	examples [][]string // of each topic
}

// NewIndex builds the index of a knowledge base.
func NewIndex(k *Knowledge) *Index {
	x := &Index{topics: Topics(), vocab: &vocabulary{
		lex: k.words, ids: map[uint64]int32{}, words: map[string]*wordFeatures{}, learning: true,
	}}
	x.phrases = newPhraseIndex(k, x.topics)
	if x.reader = k.extractor; x.reader == nil {
		x.reader = NewExtractor(k.Packages)
	}
	x.model = x.learn(k)
	x.typos = newTypoIndex(x.knownWords())
	return x
}

// learn reads the example questions.
func (x *Index) learn(k *Knowledge) *model {
	var samples []sample
	st := x.newSearch()
	take := func(examples []string, class int) {
		for _, text := range examples {
			samples = append(samples, st.sample(x.reader.Extract(text, AskedNothing), class))
		}
	}
	x.examples = make([][]string, len(x.topics))
	for _, lang := range languages {
		for n, t := range x.topics {
			x.examples[n] = append(x.examples[n], k.examples(lang, t)...)
			take(k.examples(lang, t), n)
			for _, kw := range k.Entry(lang, t).Keywords {
				take(spoken(kw), n)
			}
		}
		take(k.statements[lang], len(x.topics))
	}
	x.vocab.learning = false
	return learn(samples, len(x.vocab.ids), len(x.topics)+1)
}

// spokenFacts are words for the facts that a keyword may ask for.
var spokenFacts = map[string]string{
	markCity: "Kraków", markArea: "60 m2", markPackage: "Comfort", markPackages: "Comfort Premium", markBudget: "90000 zł",
}

// spoken returns what somebody says who uses a keyword and nothing else: its
// terms, the first of the alternatives.
func spoken(keyword string) []string {
	p, err := parsePhrase(keyword)
	if err != nil {
		return nil
	}
	var list []string
	for _, alts := range p.terms {
		w := strings.TrimSuffix(alts[0], "*")
		if fact := spokenFacts[w]; fact != "" {
			w = fact
		}
		list = append(list, w)
	}
	return []string{strings.Join(list, " ")}
}

// sample reads an example as the model sees it.
func (s *search) sample(e *Extraction, class int) sample {
	s.sentence(e, 0, len(e.toks))
	out := sample{features: slices.Clone(s.vec.features), length: inverseLength(s.vec.squares), class: class}
	for n := range s.x.topics {
		out.phrases = append(out.phrases, s.phrases.score(n))
	}
	clear(s.phrases.best)
	clear(s.phrases.extra)
	return out
}

// knownWords lists the words in which a typing error is recognised.
func (x *Index) knownWords() []string {
	seen := map[string]bool{}
	var list []string
	add := func(w string) {
		if !seen[w] && w[0] != '~' && w[0] != '@' {
			seen[w] = true
			list = append(list, w)
		}
	}
	for w := range x.vocab.words {
		add(w)
	}
	for w := range x.phrases.whole {
		add(w)
	}
	for w := range x.phrases.prefixes {
		add(w)
	}
	slices.Sort(list)
	return list
}

// Hit is an entry found, the better the higher its score.
type Hit struct {
	Topic Topic
	// Score is ten times how probable the topic is for the sentence that speaks
	// of it most: 0 to 10.
	Score float64
}

// The scores.
const (
	fullScore = 10
	// leastScore is the score from which a topic is a hit at all.
	leastScore = 1.5
	// greetingScore is what a greeting beside something else is worth.
	greetingScore = 0.5
)

// maxTypoWords bounds how many unknown words of a message are looked up with a
// typing error.
const maxTypoWords = 48

// Search returns the topics that the message speaks of, the best first.
func (x *Index) Search(e *Extraction) []Hit { return x.search(e, 0, len(e.toks)) }

// search looks at some of a message's tokens only.
func (x *Index) search(e *Extraction, start, last int) []Hit {
	s := x.newSearch()
	for start < last {
		end := min(sentenceEnd(e.toks, start), last)
		s.judge(e, start, end)
		start = end
	}
	return s.hits()
}
