package chat

// within1 reports whether one insertion, deletion, replacement or transposition
// of neighbours, or none, turns a into b.
func within1(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return true
	}
	return a[i+1:] == b[i+1:] ||
		i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// typoIndex finds the words within one typing error of a query: every word is
// filed under itself and under each of its shortenings by one letter, and a
// query looks under its own.
type typoIndex struct {
	words []string
	at    map[string][]int32
}

// minTypo is the shortest word in which a typing error is forgiven.
const minTypo = 5

func newTypoIndex(words []string) *typoIndex {
	x := &typoIndex{words: words, at: make(map[string][]int32, len(words)*8)}
	for n, w := range words {
		if len(w) < minTypo {
			continue
		}
		x.file(w, int32(n))
		for i := range len(w) {
			x.file(w[:i]+w[i+1:], int32(n))
		}
	}
	return x
}

func (x *typoIndex) file(key string, n int32) {
	list := x.at[key]
	if len(list) == 0 || list[len(list)-1] != n {
		x.at[key] = append(list, n)
	}
}

// find calls each for every word within one error of q that starts with the same
// letter. A word may come twice.
func (x *typoIndex) find(q string, each func(n int)) {
	if len(q) < minTypo-1 || len(q) > maxTypo {
		return
	}
	look := func(key []byte) {
		for _, n := range x.at[string(key)] {
			if w := x.words[n]; w[0] == q[0] && within1(q, w) {
				each(int(n))
			}
		}
	}
	var buf [maxTypo]byte
	look([]byte(q))
	for i := range len(q) {
		key := append(buf[:0], q[:i]...)
		look(append(key, q[i+1:]...))
	}
}

// maxTypo is the longest word that is looked up with an error.
const maxTypo = 32
