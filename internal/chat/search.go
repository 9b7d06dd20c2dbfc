package chat

import "slices"

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

// How much a part of a sentence counts beside the whole.
const (
	questionShare = 0.4 // the last question: "wynajmuję pokój i liczę dni, jak długo to potrwa"
	restShare     = 0.5 // what follows a greeting: "dzień dobry, proszę o cennik"
)

// judge takes the topics of one sentence over.
func (s *search) judge(e *Extraction, start, end int) {
	s.sentence(e, start, end)
	if known := s.weigh(); !known {
		return
	}
	if q := lastQuestion(e.toks, start, end); q > start {
		s.blend(e, q, end, questionShare)
	}
	if after := afterGreeting(e.toks, start, end); after > start && s.x.topics[s.top()] == TopicGreeting {
		s.greets = true
		whole := slices.Clone(s.p)
		if s.blend(e, after, end, restShare); s.x.topics[s.top()] == TopicOffTopic {
			copy(s.p, whole) // "cześć, jak leci"
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

// top is the most probable topic.
func (s *search) top() int {
	best := 0
	for n, p := range s.p[:len(s.p)-1] {
		if p > s.p[best] {
			best = n
		}
	}
	return best
}

// blend mixes what a part of the sentence says into what the whole says.
func (s *search) blend(e *Extraction, start, end int, share float32) {
	whole := slices.Clone(s.p)
	s.sentence(e, start, end)
	if known := s.weigh(); !known {
		copy(s.p, whole)
		return
	}
	for n := range s.p {
		s.p[n] = share*s.p[n] + (1-share)*whole[n]
	}
}

var greetingWords = words("dzien dobry czesc hej hejka witam witaj witajcie siema halo wieczor panstwa panstwu wszystkim serdecznie hello hi hey good morning afternoon evening there")

// afterGreeting returns where the words of a greeting end that something else
// follows, or start.
func afterGreeting(toks []token, start, end int) int {
	i := start
	for i < end && (toks[i].is(greetingWords) || i > start && toks[i].breaks()) {
		i++
	}
	for k := i; k < end; k++ {
		if toks[k].kind == kindWord {
			return i
		}
	}
	return start
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
