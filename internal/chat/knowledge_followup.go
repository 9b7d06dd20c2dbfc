package chat

import (
	"fmt"
	"path"
	"slices"

	"chatops/internal/chatops"
)

// followupFile holds the mails to people who have stopped writing.
const followupFile = "followup.toml"

// followupPlaceholders may stand in these mails: what is known of the company,
// and the name, which may be empty.
var followupPlaceholders = []string{"company", "phone", "email", "address", "booking_url", "privacy_url", "name"}

// FollowupText is a follow-up in one language.
type FollowupText struct {
	Subject string `toml:"subject"`
	Body    string `toml:"body"`
	// Footer says why the person is written to and introduces the link that ends
	// it, which is called Unsubscribe. Both are those of the file.
	Footer      string `toml:"-"`
	Unsubscribe string `toml:"-"`
}

// followups are the follow-ups of one language.
type followups struct {
	Footer      string         `toml:"footer"`
	Unsubscribe string         `toml:"unsubscribe"`
	Mails       []FollowupText `toml:"mail"`
}

// followups reads <lang>/followup.toml, or takes the embedded ones.
func (l *loader) followups(lang Lang) followups {
	file := path.Join(string(lang), followupFile)
	if !l.has(file) {
		if !l.has(string(lang)) {
			return followups{} // reported by entries
		}
		return builtIn().followups[lang]
	}
	var f followups
	if !l.decode(file, &f) {
		return f
	}
	text := func(field, value string) {
		l.need(file, field, value)
		for _, name := range placeholderNames(value) {
			if !slices.Contains(followupPlaceholders, name) {
				l.findf(FindingPlaceholder, file, field, "use one of the placeholders",
					"{%s} is not a placeholder of follow-ups; expected one of %v", name, followupPlaceholders)
			}
		}
	}
	text("footer", f.Footer)
	text("unsubscribe", f.Unsubscribe)
	if len(f.Mails) == 0 {
		l.findf(FindingEmpty, file, "mail", "write at least one [[mail]]", "must not be empty")
	}
	for i := range f.Mails {
		text(fmt.Sprintf("mail[%d].subject", i), f.Mails[i].Subject)
		text(fmt.Sprintf("mail[%d].body", i), f.Mails[i].Body)
	}
	return f
}

// Followup returns the text of a follow-up to somebody of a name, which may be
// "". Where the schedule goes on longer than the texts, the last one stays.
func (k *Knowledge) Followup(l Lang, name string, number int) FollowupText {
	if !slices.Contains(languages, l) {
		l = Polish
	}
	f := k.followups[l]
	if len(f.Mails) == 0 {
		return FollowupText{} // a knowledge base without a language is not loaded
	}
	t := f.Mails[min(max(number, 1), len(f.Mails))-1]
	r := renderer{k: k, lang: l, facts: chatops.Facts{Name: name}}
	return FollowupText{
		Subject: r.render(t.Subject), Body: r.render(t.Body),
		Footer: r.render(f.Footer), Unsubscribe: r.render(f.Unsubscribe),
	}
}
