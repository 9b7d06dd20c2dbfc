package chat

import "math/bits"

// feature is something that a sentence has, and how much of it.
type feature struct {
	id    int32
	value float32
}

// What the kinds of feature weigh beside each other. Measured by leaving out
// part of the examples; none is critical.
const (
	stemValue  = 1   // the stem of a word
	formValue  = 0.5 // the very form of a short word: "cen", "dni"
	gramValue  = 0.4 // four letters in a row: what is left when an ending or a typing error breaks the stem
	pairValue  = 0.7 // two neighbouring stems
	groupValue = 2   // a group of words.toml
	crossValue = 1   // two such groups in one sentence
	markValue  = 1   // a fact: city, square metres, package, budget
)

const (
	gramSize  = 4
	shortWord = 6 // shorter ones count in their very form
)

// vocabulary turns sentences into features. It grows while it learns, and is
// only read afterwards.
type vocabulary struct {
	lex      *lexicon
	ids      map[uint64]int32 // by hash of the feature
	words    map[string]*wordFeatures
	learning bool
}

// wordFeatures are the features of one word by itself.
type wordFeatures struct {
	stem    uint64 // hash
	own     []feature
	squares float32
	groups  uint64
}

// The kinds of features, as first byte of what is hashed.
const (
	hashStem  = 'w'
	hashForm  = 'f'
	hashGram  = 'g'
	hashPair  = 'p'
	hashGroup = 'l'
	hashCross = 'x'
	hashMark  = 'm'
)

// hash is FNV-1a over a kind and a text. 64 bits for some thousand features: no
// two meet.
func hash(kind byte, s string) uint64 {
	h := (uint64(14695981039346656037) ^ uint64(kind)) * 1099511628211
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func hash2(kind byte, a, b uint64) uint64 {
	h := (uint64(14695981039346656037) ^ uint64(kind)) * 1099511628211
	h = (h ^ a) * 1099511628211
	return (h ^ bits.RotateLeft64(b, 31)) * 1099511628211
}

// id returns the number of a feature, or -1 for one that was never learned.
func (v *vocabulary) id(h uint64) int32 {
	if id, ok := v.ids[h]; ok {
		return id
	}
	if !v.learning {
		return -1
	}
	id := int32(len(v.ids)) //nolint:gosec // some thousand features
	v.ids[h] = id
	return id
}

// word returns the features of a folded word.
func (v *vocabulary) word(w string) *wordFeatures {
	if f := v.words[w]; f != nil {
		return f
	}
	s := stem(w)
	f := &wordFeatures{stem: hash(hashStem, s), groups: v.lex.groups(w), squares: stemValue * stemValue}
	add := func(h uint64, value float32) {
		if id := v.id(h); id >= 0 {
			f.own = append(f.own, feature{id: id, value: value})
			f.squares += value * value
		}
	}
	if id := v.id(f.stem); id >= 0 { // a stem that was never seen counts in the length all the same: it may change the meaning
		f.own = append(f.own, feature{id: id, value: stemValue})
	}
	if len(s) != len(w) && len(w) < shortWord {
		add(hash(hashForm, w), formValue)
	}
	if len(w) >= gramSize {
		var buf [2 * maxTypo]byte
		framed := append(append(append(buf[:0], '^'), w...), '$')
		for i := 0; i+gramSize <= len(framed); i++ {
			add(hash(hashGram, string(framed[i:i+gramSize])), gramValue)
		}
	}
	if v.learning {
		v.words[w] = f
	}
	return f
}

// vector is the features of a sentence as they add up.
type vector struct {
	features []feature
	squares  float32
	before   uint64 // stem of the word before
	groups   uint64
}

// sentenceEdge stands before the first word and behind the last.
const sentenceEdge = 1

func (x *vector) reset() { *x = vector{features: x.features[:0], before: sentenceEdge} }

func (x *vector) add(id int32, value float32) {
	if id >= 0 {
		x.features = append(x.features, feature{id: id, value: value})
		x.squares += value * value
	}
}

// word appends a word.
func (x *vector) word(v *vocabulary, f *wordFeatures) {
	x.features = append(x.features, f.own...)
	x.squares += f.squares
	x.groups |= f.groups
	x.add(v.id(hash2(hashPair, x.before, f.stem)), pairValue)
	x.before = f.stem
}

// close adds what a sentence has as a whole.
func (x *vector) close(v *vocabulary, marks []string) {
	x.add(v.id(hash2(hashPair, x.before, sentenceEdge)), pairValue)
	for a := x.groups; a != 0; a &= a - 1 {
		i := uint64(bits.TrailingZeros64(a)) //nolint:gosec // 0 to 63
		x.add(v.id(hash2(hashGroup, i, 0)), groupValue)
		for b := a & (a - 1); b != 0; b &= b - 1 {
			x.add(v.id(hash2(hashCross, i, uint64(bits.TrailingZeros64(b)))), crossValue) //nolint:gosec // 0 to 63
		}
	}
	for _, m := range marks {
		x.add(v.id(hash(hashMark, m)), markValue)
	}
}
