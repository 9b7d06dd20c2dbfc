package dashboard

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chatops/internal/chatops"
)

// modalStage is how far a change is.
type modalStage int

const (
	stageCounting modalStage = iota
	stageAsking
	stageRunning
	stageRefused // there is nothing to do, or it cannot be done
)

// modal is a change that is proposed, asked for and carried out.
type modal struct {
	before, after string // the change in words, around the count
	args          []string
	stage         modalStage
	count         string
	trouble       string
	reason        string
	typing        bool // the reason
	word          input
	said          []string // by the command
	since         time.Time
}

type (
	// countedMsg is what a dry run has found.
	countedMsg struct {
		modal   *modal
		outcome Outcome
	}
	// progressMsg is a line that a running command says.
	progressMsg struct {
		modal *modal
		line  string
		lines <-chan string
	}
	// doneMsg is how a command has ended.
	doneMsg struct {
		modal   *modal
		outcome Outcome
	}
)

// propose asks for a change: first a dry run tells exactly how much it concerns.
func (m *model) propose(before, after string, args ...string) tea.Cmd {
	q := &modal{before: before, after: after, args: args, since: m.now}
	m.modal = q
	return func() tea.Msg {
		return countedMsg{q, m.opts.RunFunc(m.ctx, append(slices.Clip(args), "--dry-run", "-o", "json"), func(string) {})}
	}
}

// counted takes the dry run's result in.
func (m *model) counted(msg countedMsg) {
	q := msg.modal
	if q != m.modal {
		return // it was given up meanwhile
	}
	q.stage = stageAsking
	if msg.outcome.Code != 0 {
		q.stage, q.trouble = stageRefused, chatops.Harmless(msg.outcome.Err)
		return
	}
	var r struct {
		Matched  *int64            `json:"matched"`
		Skipped  int64             `json:"skipped"`
		Replicas *int64            `json:"replicas"`
		Orders   []json.RawMessage `json:"orders"`
		Jobs     []json.RawMessage `json:"jobs"`
	}
	err := json.Unmarshal(msg.outcome.Out, &r)
	switch {
	case err != nil:
		q.stage, q.trouble = stageRefused, "the count could not be read"
	case r.Matched != nil:
		q.count = chatops.Count(*r.Matched-r.Skipped, "alert")
		if *r.Matched-r.Skipped == 0 {
			q.stage, q.trouble = stageRefused, "no alert can be changed"
		}
	case r.Replicas != nil && len(r.Orders) == 0:
		q.stage, q.trouble = stageRefused, "there is nothing to order"
	case r.Replicas != nil:
		q.count = chatops.Count(*r.Replicas, "replica")
	default:
		q.count = chatops.Count(int64(len(r.Jobs)), "job")
	}
}

// modalKey takes a key in while a change is asked for.
func (m *model) modalKey(msg tea.KeyMsg) tea.Cmd {
	q := m.modal
	switch {
	case msg.Type == tea.KeyCtrlC:
		return tea.Quit
	case q.stage == stageRunning:
		return nil // what runs is not cut short by a slip
	case msg.Type == tea.KeyEsc:
		m.modal = nil
		if q.stage != stageRefused {
			m.notice = &notice{"nothing was changed", toneDim}
		}
		return nil
	case q.stage != stageAsking:
		return nil
	case q.typing:
		return q.typeReason(msg)
	}
	word := m.opts.ConfirmWord
	switch {
	case word != "" && msg.Type == tea.KeyEnter && q.word.text == word:
		return m.carryOut()
	case msg.Type == tea.KeyTab:
		q.typing = true
	case word != "":
		q.word.key(msg)
	case msg.String() == "y":
		return m.carryOut()
	case msg.String() == "n":
		m.modal, m.notice = nil, &notice{"nothing was changed", toneDim}
	case msg.String() == "c":
		return m.copyText(commandLine(q.command()))
	}
	return nil
}

func (q *modal) typeReason(msg tea.KeyMsg) tea.Cmd {
	i := input{q.reason}
	i.key(msg)
	q.reason = i.text
	if msg.Type == tea.KeyEnter || msg.Type == tea.KeyTab {
		q.typing = false
	}
	return nil
}

// command is the command that does it.
func (q *modal) command() []string {
	if q.reason == "" {
		return q.args
	}
	return append(slices.Clip(q.args), "--reason", q.reason)
}

// carryOut runs the command, and listens to what it says.
func (m *model) carryOut() tea.Cmd {
	q := m.modal
	q.stage, q.since = stageRunning, m.now
	said := make(chan string, 100)
	run := func() tea.Msg {
		defer close(said)
		return doneMsg{q, m.opts.RunFunc(m.ctx, append(slices.Clone(q.command()), "--yes", "-o", "json"), func(line string) {
			select {
			case said <- line:
			default: // nobody reads so fast
			}
		})}
	}
	return tea.Batch(run, listen(q, said))
}

func listen(q *modal, said <-chan string) tea.Cmd {
	return func() tea.Msg {
		words, ok := <-said
		if !ok {
			return nil
		}
		return progressMsg{q, words, said}
	}
}

func (m *model) progressed(msg progressMsg) tea.Cmd {
	msg.modal.said = append(msg.modal.said, chatops.Harmless(msg.line))
	return listen(msg.modal, msg.lines)
}

// done tells how it ended, and looks at everything again.
func (m *model) done(msg doneMsg) tea.Cmd {
	q := msg.modal
	if m.modal == q {
		m.modal = nil
	}
	stamp := m.now.UTC().Format("15:04:05Z ")
	if result := resultWords(msg.outcome.Out); msg.outcome.Code == 0 {
		m.notice = &notice{stamp + "done: " + q.words() + ": " + result, toneGood}
	} else {
		m.notice = &notice{stamp + "NOT DONE (exit " + fmt.Sprint(msg.outcome.Code) + "): " + words(chatops.Harmless(msg.outcome.Err), result), toneBad}
	}
	m.top().marked = nil
	var cmds []tea.Cmd
	for _, f := range m.feeds {
		cmds = append(cmds, m.poll(f))
	}
	return tea.Batch(cmds...)
}

// resultWords are the counts of a command's result.
func resultWords(out []byte) string {
	var r struct {
		Requeued  *int64 `json:"requeued"`
		Discarded *int64 `json:"discarded"`
		Skipped   int64  `json:"skipped"`
		Replicas  *int64 `json:"replicas"`
		Obeyed    int64  `json:"obeyed"`
		Jobs      []struct {
			Name   string `json:"name"`
			State  string `json:"state"`
			Result string `json:"result"`
		} `json:"jobs"`
	}
	if json.Unmarshal(out, &r) != nil {
		return ""
	}
	var parts []string
	switch {
	case r.Requeued != nil:
		parts = append(parts, fmt.Sprintf("requeued %d, skipped %d", *r.Requeued, r.Skipped))
	case r.Discarded != nil:
		parts = append(parts, fmt.Sprintf("discarded %d, skipped %d", *r.Discarded, r.Skipped))
	case r.Replicas != nil:
		parts = append(parts, fmt.Sprintf("obeyed by %d of %d replicas", r.Obeyed, *r.Replicas))
	}
	for _, j := range r.Jobs {
		parts = append(parts, strings.TrimSpace(j.Name+" "+j.State+" "+chatops.Harmless(j.Result)))
	}
	return words(parts...)
}

// words is the change, with its count.
func (q *modal) words() string {
	count := q.count
	if q.stage == stageCounting {
		count = "(counting)"
	}
	return strings.Join(strings.Fields(chatops.Harmless(q.before+" "+count+" "+q.after)), " ")
}

// lines show the question, or how far it is.
func (q *modal) lines(m *model) []line {
	name := func(s string) line { return text(toneDim, fmt.Sprintf("%-12s ", s)) }
	lines := []line{
		name("environment").plus(text(toneBold, m.opts.Environment)),
		name("database").plus(text(toneNone, m.opts.Host)),
		name("change").plus(text(toneBold, q.words())),
		name("command").plus(text(toneNone, commandLine(q.command()))),
	}
	if q.reason != "" || q.typing {
		cursor := ""
		if q.typing {
			cursor = "_"
		}
		lines = append(lines, name("reason").plus(text(toneNone, q.reason+cursor)))
	}
	took := chatops.Span(m.now.Sub(q.since).Truncate(time.Second))
	switch q.stage {
	case stageCounting:
		lines = append(lines, text(toneDim, "counting, "+took))
	case stageRefused:
		for part := range strings.SplitSeq(wrap("not possible: "+q.trouble, m.width), "\n") {
			lines = append(lines, line{{part, toneBad}})
		}
	case stageRunning:
		lines = append(lines, text(toneWarn, "running, "+took))
		for _, said := range q.said[max(0, len(q.said)-3):] {
			lines = append(lines, line{{said, toneDim}})
		}
	case stageAsking:
		question := "Continue? [y/N]"
		if word := m.opts.ConfirmWord; word != "" {
			question = "Type " + word + " and enter to continue: " + q.word.text + "_"
		}
		lines = append(lines, text(toneBold, question))
	}
	return lines
}

// keys are those that do something now.
func (q *modal) keys() string {
	switch q.stage {
	case stageAsking:
		return "y yes  n no  tab reason  c copy the command  esc back"
	case stageRunning:
		return "it runs; ctrl+c quits"
	case stageCounting, stageRefused:
	}
	return "esc back"
}

// copyText puts a text into the clipboard of whoever looks, through the terminal.
func (m *model) copyText(s string) tea.Cmd {
	m.notice = &notice{"copied: " + s, toneDim}
	out := m.opts.Out
	return func() tea.Msg {
		_, _ = io.WriteString(out, ansi.SetSystemClipboard(s)) // a terminal without a clipboard ignores it
		return nil
	}
}
