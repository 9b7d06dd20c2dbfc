package chat

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// mistype makes one typing error in a random word of four letters and more: a
// letter left out, exchanged with the next, another one, or doubled.
func mistype(r *rand.Rand, text string) string {
	words := strings.Fields(text)
	i := r.IntN(len(words))
	w := words[i]
	if len(w) < 4 {
		return text
	}
	at := 1 + r.IntN(len(w)-2)
	switch r.IntN(4) {
	case 0:
		w = w[:at] + w[at+1:]
	case 1:
		w = w[:at] + w[at+1:at+2] + w[at:at+1] + w[at+2:]
	case 2:
		w = w[:at] + string(rune('a'+r.IntN(26))) + w[at+1:]
	default:
		w = w[:at] + w[at:at+1] + w[at:]
	}
	words[i] = w
	return strings.Join(words, " ")
}

// found counts the questions that are answered from their entry first.
func found(t *testing.T, s *Service, cases []questionCase, textFunc func(string) string) float64 {
	t.Helper()
	right := 0
	for _, c := range cases {
		v := visitor{t: t, s: s}
		if r := v.say(textFunc(c.Question)); len(r.Sources) > 0 && r.Sources[0] == string(c.Topic) {
			right++
		}
	}
	return float64(right) / float64(len(cases))
}

func TestReply_FindsTopicsWithoutDiacriticsAndWithTypingErrors(t *testing.T) {
	t.Parallel()
	s, _ := testService(t)
	cases := readAll[questionCase](t, "questions")
	r := rand.New(rand.NewPCG(7, 7))
	for name, c := range map[string]struct {
		least    float64
		textFunc func(string) string
	}{
		"folded":     {0.995, fold},
		"shouted":    {0.97, strings.ToUpper},
		"one error":  {0.97, func(s string) string { return mistype(r, fold(s)) }},
		"two errors": {0.92, func(s string) string { return mistype(r, mistype(r, fold(s))) }},
	} {
		if got := found(t, s, cases, c.textFunc); got < c.least {
			t.Errorf("%s: %.1f %% of the questions find their entry, want %.1f %%", name, 100*got, 100*c.least)
		}
	}
}

// without returns the knowledge base without every fifth example, and those.
func without(k *Knowledge, fold int) (*Knowledge, []questionCase) {
	less := *k
	less.entries = map[Lang]map[Topic]*Entry{}
	var held []questionCase
	n := 0
	for _, lang := range languages {
		less.entries[lang] = map[Topic]*Entry{}
		for _, topic := range Topics() {
			e := *k.Entry(lang, topic)
			e.Examples = nil
			for _, ex := range k.Entry(lang, topic).Examples {
				if n++; n%5 == fold {
					held = append(held, questionCase{Question: ex, Topic: topic, Lang: lang})
					continue
				}
				e.Examples = append(e.Examples, ex)
			}
			less.entries[lang][topic] = &e
		}
	}
	index := NewIndex(&less)
	less.indexFunc = func() *Index { return index }
	return &less, held
}

// The examples are odder than what most people type, on purpose: what is found
// of them although it was not taught shows what the words and groups carry.
func TestIndex_FindsMostExamplesThatItWasNotTaught(t *testing.T) {
	t.Parallel()
	k, held := without(testKnowledge(t), 2)
	s, _ := testService(t, func(o *Options) { o.Knowledge = k })
	if got := found(t, s, held, func(s string) string { return s }); got < 0.8 {
		t.Errorf("%.1f %% of %d examples left out are found, want 80 %%", 100*got, len(held))
	}
	wrong := 0
	for _, c := range held {
		v := visitor{t: t, s: s}
		if v.say(c.Question).Language != string(c.Lang) {
			wrong++
		}
	}
	if 100*wrong > 2*len(held) {
		t.Errorf("%d of %d languages are wrong", wrong, len(held))
	}
}

func TestIndex_SeldomTakesOtherSubjectsForOurs(t *testing.T) {
	t.Parallel()
	k, held := without(testKnowledge(t), 3)
	ours, other := 0, 0
	for _, c := range held {
		if c.Topic != TopicOffTopic {
			continue
		}
		other++
		if hits := k.Index().Search(k.Extractor().Extract(c.Question, AskedNothing)); len(hits) > 0 && hits[0].Topic != TopicOffTopic {
			ours++
		}
	}
	if other < 50 || 100*ours > 35*other {
		t.Errorf("%d of %d other subjects were taken for ours", ours, other)
	}
}
