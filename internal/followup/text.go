package followup

import (
	"html"
	"strings"
)

// Text is a follow-up in one language.
type Text struct {
	Subject, Body string
	// Footer says why the person is written to and introduces the link that ends
	// it; Unsubscribe is what the link is called.
	Footer, Unsubscribe string
}

// plain is the mail as text.
func (t Text) plain(link string) string {
	return t.Body + "\n\n-- \n" + t.Footer + "\n" + t.Unsubscribe + ": " + link + "\n"
}

// html is the mail as HTML: the same words, nothing that has to be loaded.
func (t Text) html(language, link string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html>
<html lang="` + html.EscapeString(language) + `">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>` +
		html.EscapeString(t.Subject) + `</title></head>
<body style="font-family:sans-serif;line-height:1.5;color:#222;max-width:40em;margin:1em auto;padding:0 1em">
`)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(t.Body), "\n\n") {
		b.WriteString("<p>" + linked(paragraph) + "</p>\n")
	}
	b.WriteString(`<hr style="border:0;border-top:1px solid #ccc">
<p style="font-size:0.9em;color:#555">` + linked(t.Footer) + `<br>
<a href="` + html.EscapeString(link) + `">` + html.EscapeString(t.Unsubscribe) + `</a></p>
</body>
</html>
`)
	return b.String()
}

// linked escapes a paragraph and makes its web addresses links.
func linked(paragraph string) string {
	var b strings.Builder
	for i, line := range strings.Split(paragraph, "\n") {
		if i > 0 {
			b.WriteString("<br>\n")
		}
		for j, word := range strings.Split(line, " ") {
			if j > 0 {
				b.WriteByte(' ')
			}
			address := strings.TrimRight(word, ".,;:!?)")
			if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
				b.WriteString(html.EscapeString(word))
				continue
			}
			shown := html.EscapeString(address)
			b.WriteString(`<a href="` + shown + `">` + shown + `</a>` + html.EscapeString(word[len(address):]))
		}
	}
	return b.String()
}
