package chat

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"chatops/internal/chatops"
)

// Explanation is why a message finds a topic.
type Explanation struct {
	Topic Topic
	Score float64 // see Hit
	// Keywords are the keywords of the entry that match, the best first.
	Keywords []KeywordMatch
	// Words are the words that spoke for the topic most, the loudest first.
	Words []WordWeight
	// Example is the example question that is most like the message, and Likeness
	// how much it is: 0 to 1.
	Example  string
	Likeness float64
}

// KeywordMatch is a keyword of the knowledge base that a message has.
type KeywordMatch struct {
	Keyword string
	Lang    Lang
	Points  float64
}

// WordWeight is how much a word, or what a typing error was taken for, spoke for
// a topic rather than for others.
type WordWeight struct {
	Word   string
	Weight float64
}

// What an explanation shows at most.
const (
	maxKeywords = 5
	maxWords    = 5
	leastWeight = 0.05
)

// Explain returns what Search finds, with the reasons. It is for people who
// write the knowledge base, and takes milliseconds.
func (x *Index) Explain(e *Extraction) []Explanation {
	var out []Explanation
	for _, h := range x.Search(e) {
		topic := slices.Index(x.topics, h.Topic)
		ex := Explanation{Topic: h.Topic, Score: h.Score}
		for start := 0; start < len(e.toks); {
			end := sentenceEnd(e.toks, start)
			x.reasons(&ex, topic, e, start, end)
			start = end
		}
		slices.SortStableFunc(ex.Keywords, func(a, b KeywordMatch) int { return cmp.Compare(b.Points, a.Points) })
		slices.SortStableFunc(ex.Words, func(a, b WordWeight) int { return cmp.Compare(b.Weight, a.Weight) })
		ex.Keywords = ex.Keywords[:min(len(ex.Keywords), maxKeywords)]
		ex.Words = ex.Words[:min(len(ex.Words), maxWords)]
		ex.Example, ex.Likeness = x.nearest(topic, e)
		out = append(out, ex)
	}
	return out
}

// reasons adds what one sentence says for a topic.
func (x *Index) reasons(ex *Explanation, topic int, e *Extraction, start, end int) {
	s := x.newSearch()
	s.phrases.explain, s.readAs = true, map[string]string{}
	s.sentence(e, start, end)
	for _, n := range s.phrases.matched {
		if p := &x.phrases.phrases[n]; p.topic == topic {
			ex.Keywords = append(ex.Keywords, KeywordMatch{Keyword: p.text, Lang: p.lang, Points: p.score})
		}
	}
	length := inverseLength(s.vec.squares)
	for i := start; i < end; i++ {
		t := &e.toks[i]
		if t.kind != kindWord || t.taken != fieldNone || slices.ContainsFunc(ex.Words, func(w WordWeight) bool { return w.Word == t.fold || w.Word == s.readAs[t.fold] }) {
			continue
		}
		word := cmp.Or(s.readAs[t.fold], t.fold)
		if w := x.speaksFor(topic, x.vocab.word(word)) * length; w >= leastWeight {
			ex.Words = append(ex.Words, WordWeight{Word: word, Weight: float64(w)})
		}
	}
}

// speaksFor is how much a word's own features and groups speak for a topic,
// beyond what they say for the average one.
func (x *Index) speaksFor(topic int, f *wordFeatures) float32 {
	sum := float32(0)
	add := func(id int32, value float32) {
		if id < 0 {
			return
		}
		row := x.model.weights[int(id)*x.model.classes:][:x.model.classes]
		mean := float32(0)
		for _, w := range row {
			mean += w / float32(len(row))
		}
		sum += (row[topic] - mean) * value
	}
	for _, own := range f.own {
		add(own.id, own.value)
	}
	for g := f.groups; g != 0; g &= g - 1 {
		add(x.vocab.id(hash2(hashGroup, uint64(bits.TrailingZeros64(g)), 0)), groupValue) //nolint:gosec // 0 to 63
	}
	return sum
}

// nearest finds the example of a topic that is most like a message.
func (x *Index) nearest(topic int, e *Extraction) (string, float64) {
	s := x.newSearch()
	read := func(e *Extraction) map[int32]float64 {
		s.sentence(e, 0, len(e.toks))
		clear(s.phrases.best)
		clear(s.phrases.extra)
		out, squares := map[int32]float64{}, 0.0
		for _, f := range s.vec.features {
			out[f.id] += float64(f.value)
		}
		for _, v := range out {
			squares += v * v
		}
		for id := range out {
			out[id] /= math.Sqrt(squares)
		}
		return out
	}
	message := read(e)
	best, likeness := "", 0.0
	for _, text := range x.examples[topic] {
		sum := 0.0
		for id, v := range read(x.reader.Extract(text, AskedNothing)) {
			sum += v * message[id]
		}
		if sum > likeness {
			best, likeness = text, sum
		}
	}
	return best, likeness
}

// Answer is what a visitor of whom nothing is known would be answered.
type Answer struct {
	Response string
	Language Lang
	Sources  []Topic // the entries used, the main one first
	Found    []Explanation
	Facts    chatops.Facts // what the message tells
}

// Ask answers a message without storing anything, and says why. CodeInvalid and
// CodeTooLarge for a message that is empty or too long.
func (k *Knowledge) Ask(message string) (*Answer, error) {
	text, err := checkMessage(message)
	if err != nil {
		return nil, err
	}
	s := &Service{knowledge: k, extractor: k.extractor}
	x := s.converse(chatops.Conversation{}, text)
	response, _ := x.reply()
	facts := x.e.Facts
	facts.Language, facts.BookingIntent = "", false
	return &Answer{Response: response, Language: x.lang, Sources: x.topics, Found: k.Index().Explain(x.e), Facts: facts}, nil
}
