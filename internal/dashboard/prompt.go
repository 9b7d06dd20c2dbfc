package dashboard

import (
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// maxInput bounds what is typed.
const maxInput = 200

// input is a line that is being typed.
type input struct{ text string }

// key takes a key in; keys that type nothing are ignored.
func (i *input) key(msg tea.KeyMsg) {
	switch msg.Type {
	case tea.KeyRunes, tea.KeySpace:
		for _, r := range msg.Runes {
			if !chatops.Harmful(r) && len(i.text) < maxInput {
				i.text += string(r)
			}
		}
	case tea.KeyBackspace:
		_, size := utf8.DecodeLastRuneInString(i.text)
		i.text = i.text[:len(i.text)-size]
	case tea.KeyCtrlU:
		i.text = ""
	default:
	}
}

// prompt asks for a line at the foot of the screen.
type prompt struct {
	label    string
	input    input
	thenFunc func(*model, string) tea.Cmd
}

// notice is a line that stays until the next key.
type notice struct {
	text string
	tone tone
}

// ask asks for a line.
func (m *model) ask(label, initial string, thenFunc func(*model, string) tea.Cmd) {
	m.prompt = &prompt{label, input{initial}, thenFunc}
}

// promptKey takes a key in while a line is being typed.
func (m *model) promptKey(msg tea.KeyMsg) tea.Cmd {
	p := m.prompt
	switch msg.Type {
	case tea.KeyCtrlC:
		return tea.Quit
	case tea.KeyEsc:
		m.prompt = nil
	case tea.KeyEnter:
		m.prompt = nil
		return p.thenFunc(m, p.input.text)
	default:
		p.input.key(msg)
	}
	return nil
}
