package drill

import (
	"strings"

	"chatops/internal/chatops"
)

// fence begins a block of commands that repair what a drill breaks.
const fence = "```sh drill="

// Steps is the repair of one drill, as a document gives it.
type Steps struct {
	Drill    string
	Section  string // the heading that it stands under
	Commands []string
}

// Read finds the repairs in a Markdown document: the blocks that begin with
// "```sh drill=NAME".
func Read(document string) []Steps {
	var all []Steps
	section := ""
	var block *Steps
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, "\r\n")
		name, begins := strings.CutPrefix(line, fence)
		heading, isHeading := strings.CutPrefix(line, "## ")
		switch {
		case block != nil && line == "```":
			all, block = append(all, *block), nil
		case block != nil:
			if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
				block.Commands = append(block.Commands, text)
			}
		case begins:
			block = &Steps{Drill: strings.TrimSpace(name), Section: section}
		case isHeading:
			section = heading
		}
	}
	return all
}

// Repair returns the commands that a document gives for a drill, or CodeNotFound.
func Repair(document, name string) (*Steps, error) {
	for _, s := range Read(document) {
		if s.Drill == name {
			return &s, nil
		}
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "drill %s: the document gives no repair", name)
}

// Words splits a command as a shell does: words in single or double quotes, and
// $NAME replaced by lookup outside of single quotes. input is the file after "<".
func Words(command string, lookup func(string) string) (words []string, input string) {
	var word strings.Builder
	begun, redirect := false, false
	end := func() {
		if !begun {
			return
		}
		if redirect {
			input, redirect = word.String(), false
		} else {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == ' ' || c == '\t':
			end()
		case c == '<' && !begun:
			redirect = true
		case c == '\'' || c == '"':
			begun = true
			text, _, _ := strings.Cut(command[i+1:], string(c))
			i += len(text) + 1
			if c == '"' {
				text = expand(text, lookup)
			}
			word.WriteString(text)
		default:
			begun = true
			text := command[i:]
			if at := strings.IndexAny(text, " \t'\""); at >= 0 {
				text = text[:at]
			}
			i += len(text) - 1
			word.WriteString(expand(text, lookup))
		}
	}
	end()
	return words, input
}

// expand replaces $NAME.
func expand(text string, lookup func(string) string) string {
	before, rest, found := strings.Cut(text, "$")
	if !found {
		return text
	}
	name := rest
	if at := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }); at >= 0 {
		name = rest[:at]
	}
	return before + lookup(name) + expand(rest[len(name):], lookup)
}
