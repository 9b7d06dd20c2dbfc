package chat

import "slices"

// unpublished are the topics whose answers only make sense within a conversation.
var unpublished = []Topic{TopicGreeting, TopicOffTopic}

// FAQ returns the answers of the knowledge base by topic, as they are given to a
// visitor of whom nothing is known.
func (k *Knowledge) FAQ(l Lang) map[Topic]string {
	r := renderer{k: k, lang: l}
	faq := map[Topic]string{}
	for _, t := range Topics() {
		if !slices.Contains(unpublished, t) {
			faq[t] = r.answer(t)
		}
	}
	return faq
}

// Text describes the package in a language.
func (p *Package) Text(l Lang) PackageText { return *p.text(l) }
