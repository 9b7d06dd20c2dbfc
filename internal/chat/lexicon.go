package chat

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lexicon is the groups of words that mean alike, from words.toml. What is
// learned from one word of a group holds for the others, so that an entry that
// was told of sofas knows of armchairs.
type lexicon struct {
	names    []string
	whole    map[string]uint64 // bits of the groups of a folded word
	prefixes map[string]uint64
	longest  int // length of the longest prefix
}

// maxGroups bounds the groups: they are bits of a word.
const maxGroups = 64

// parseLexicon reads groups of space-separated words, "*" ending a beginning.
func parseLexicon(groups map[string]string) (*lexicon, error) {
	l := &lexicon{whole: map[string]uint64{}, prefixes: map[string]uint64{}}
	l.names = slices.Sorted(maps.Keys(groups))
	if len(l.names) > maxGroups {
		return nil, fmt.Errorf("%d groups are too many: at most %d", len(l.names), maxGroups)
	}
	for n, name := range l.names {
		words := strings.Fields(fold(groups[name]))
		if len(words) == 0 {
			return nil, fmt.Errorf("group %q has no words", name)
		}
		for _, w := range words {
			p, beginning := strings.CutSuffix(w, "*")
			switch {
			case beginning && len(p) < 3:
				return nil, fmt.Errorf("group %q: %q is too short a beginning: at least 3 letters", name, w)
			case beginning:
				l.prefixes[p] |= 1 << n
				l.longest = max(l.longest, len(p))
			default:
				l.whole[w] |= 1 << n
			}
		}
	}
	return l, nil
}

// groups returns the bits of the groups of a folded word.
func (l *lexicon) groups(w string) uint64 {
	bits := l.whole[w]
	for n := 3; n <= len(w) && n <= l.longest; n++ {
		bits |= l.prefixes[w[:n]]
	}
	return bits
}
