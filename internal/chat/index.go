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

// search is one look-up.
type search struct {
	x       *Index
	phrases *phraseState
	vec     vector
	p       []float32
	best    []float64 // of each topic, over all sentences
	greets  bool
	// readAs are the words that typing errors were taken for, where explain asks.
	readAs map[string]string
}

func (x *Index) newSearch() *search {
	return &search{x: x, phrases: x.phrases.newState(len(x.topics)), p: make([]float32, len(x.topics)+1), best: make([]float64, len(x.topics))}
}

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

// questionShare is how much the last question of a sentence counts beside the
// whole: "wynajmuję pokój i liczę dni, jak długo to potrwa".
const questionShare = 0.4

// judge takes the topics of one sentence over.
func (s *search) judge(e *Extraction, start, end int) {
	s.sentence(e, start, end)
	if known := s.weigh(); !known {
		return
	}
	if q := lastQuestion(e.toks, start, end); q > start {
		whole := slices.Clone(s.p)
		s.sentence(e, q, end)
		if known := s.weigh(); !known {
			copy(s.p, whole)
		}
		for n := range s.p {
			s.p[n] = questionShare*s.p[n] + (1-questionShare)*whole[n]
		}
	}
	nothing := s.p[len(s.p)-1]
	if end > start && e.toks[end-1].fold == "?" {
		nothing = 0 // it does ask
	}
	for n, p := range s.p[:len(s.p)-1] {
		if p >= nothing {
			s.best[n] = max(s.best[n], fullScore*float64(p))
		}
	}
}

// lastQuestion returns where the last clause begins that starts with a question
// word, or start.
func lastQuestion(toks []token, start, end int) int {
	for i := end - 1; i > start; i-- {
		if toks[i].is(questionWords) && (toks[i-1].breaks() || toks[i-1].fold == "-" || i > start+1 && toks[i-1].kind == kindWord && len(toks[i-1].fold) <= 2 && toks[i-2].breaks()) {
			return i
		}
	}
	return start
}

// weigh asks the model about the sentence that was read. It reports whether
// anything in it is known.
func (s *search) weigh() bool {
	scores, known := s.phrases.best, len(s.vec.features) > 0
	for n, best := range scores {
		if best > 0 {
			known = true
			s.greets = s.greets || s.x.topics[n] == TopicGreeting
			scores[n] = s.phrases.score(n)
		}
	}
	if known {
		s.x.model.probabilities(s.p, s.vec.features, inverseLength(s.vec.squares), scores)
	}
	clear(s.phrases.best)
	clear(s.phrases.extra)
	return known
}

// sentence reads the tokens from start to end: the phrases that they complete
// and the features that they have.
func (s *search) sentence(e *Extraction, start, end int) {
	marks := factMarks(e)
	for _, m := range marks {
		s.x.phrases.mark(s.phrases, s.x.phrases.whole[m])
	}
	s.vec.reset()
	before := fieldNone
	for i := start; i < end; i++ {
		t := &e.toks[i]
		if t.kind != kindWord {
			continue
		}
		switch t.taken {
		case fieldNone:
			s.word(t.fold, &e.typoBudget)
		case fieldPackage, fieldCity:
			s.x.phrases.word(s.phrases, t.fold)
			if t.taken != before { // the name stands for whichever it is
				s.vec.word(s.x.vocab, s.x.vocab.word(factWords[t.taken]))
			}
		default:
		}
		before = t.taken
	}
	s.vec.close(s.x.vocab, marks)
	s.x.phrases.settle(s.phrases)
}

// factWords are the words that stand for the names of packages and cities.
var factWords = map[field]string{fieldPackage: markPackage, fieldCity: markCity}

// word takes in one word, or what it was probably meant to be.
func (s *search) word(w string, budget *int) {
	x := s.x
	known := x.phrases.word(s.phrases, w)
	meant := w
	if _, learned := x.vocab.words[w]; !known && !learned && x.typos != nil && len(w) >= minTypo-1 && len(w) < maxTypo && *budget > 0 && x.vocab.lex.groups(w) == 0 {
		*budget--
		meant = s.mistyped(w)
		if s.readAs != nil {
			s.readAs[w] = meant
		}
	}
	s.vec.word(x.vocab, x.vocab.word(meant))
}

// mistyped looks an unknown word up with a typing error, for the phrases also
// the beginnings of it, and returns the word that was learned in its place.
func (s *search) mistyped(w string) string {
	x, meant := s.x, w
	x.typos.find(w, func(n int) {
		near := x.typos.words[n]
		x.phrases.meant(s.phrases, near)
		if _, learned := x.vocab.words[near]; learned && meant == w {
			meant = near
		}
	})
	if meant == w {
		meant = s.slipped(w)
	}
	for n := minTypo; n < len(w) && n <= x.phrases.longest+1; n++ {
		x.typos.find(w[:n], func(k int) { x.phrases.mark(s.phrases, x.phrases.prefixes[x.typos.words[k]]) })
	}
	return meant
}

// slipped looks an unknown word up with a doubled letter single ("lonng") and, a
// short one, with two neighbours exchanged ("cnea"). Other errors make too many
// words of a short one.
func (s *search) slipped(w string) string {
	var buf [maxTypo]byte
	for i := range len(w) - 1 {
		b := append(buf[:0], w...)
		switch {
		case b[i] == b[i+1]:
			b = append(b[:i], b[i+1:]...)
		case len(w) < minTypo:
			b[i], b[i+1] = b[i+1], b[i]
		default:
			continue
		}
		if near := s.x.vocab.words[string(b)]; near != nil {
			s.x.phrases.word(s.phrases, string(b))
			return string(b)
		}
	}
	return w
}

// hits orders the topics. A greeting beside something else is told last.
func (s *search) hits() []Hit {
	var out []Hit
	for n, score := range s.best {
		t := s.x.topics[n]
		switch {
		case score >= leastScore:
		case t == TopicGreeting && s.greets:
			score = greetingScore
		default:
			continue
		}
		h := Hit{Topic: t, Score: score}
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
