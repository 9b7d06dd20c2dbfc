package runbook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type chat struct{ dir string }

// newChat makes `chat`.
func newChat(env *Env) *cobra.Command {
	c := &chat{}
	cmd := &cobra.Command{
		Use: "chat", Short: "Talk to the bot, without a server and without storing anything", Args: noArgs,
		Long: "Talk to the bot as a visitor does, against the knowledge base alone: no server is\n" +
			"needed and nothing is stored. Each line of standard input is a message.\n\n" +
			"  /why     which entries answered the last message, and why\n" +
			"  /facts   what the bot has understood so far\n" +
			"  /reset   start a new conversation\n" +
			"  /quit    leave, as Ctrl-D does\n\n" +
			"-v explains every answer. -o jsonl prints one reply of the chat API in a line.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	knowledgeDirFlag(cmd, &c.dir)
	return cmd
}

// maxLine is the longest line that is read, in bytes: more than a message may
// have, so that the bot itself refuses what is too long.
const maxLine = 64 << 10

// talk is one run of `chat`.
type talk struct {
	env     *Env
	session ChatSession
	last    string             // the last message
	reply   *chatops.ChatReply // and its reply
	failed  int                // messages that could not be answered
}

func (c *chat) run(ctx context.Context, env *Env) error {
	switch env.opts.output {
	case "", "table", "json", "jsonl":
	default:
		return hint(chatops.Errorf(chatops.CodeUsage, "chat prints text, json or jsonl, not %s", env.opts.output), "leave --output out, or use -o jsonl")
	}
	cfg, err := env.settings()
	if err != nil {
		return err
	}
	chosen := *cfg
	if c.dir != "" {
		chosen.KnowledgeDir = c.dir
	}
	session, err := env.OpenChatFunc(&chosen)
	if err != nil {
		return unfit(err, chosen.KnowledgeDir)
	}
	t := &talk{env: env, session: session}
	if t.interactive() {
		env.notef("Talk to the bot; nothing is stored. /why, /facts, /reset, /quit; Ctrl-D leaves.")
	}
	return t.loop(ctx)
}

// interactive reports that a person sits there.
func (t *talk) interactive() bool { return t.env.InTTY && t.env.ErrTTY && !t.env.opts.noInput }

// loop reads lines until they end, /quit, or an interrupt.
func (t *talk) loop(ctx context.Context) error {
	lines := readLines(ctx, t.env.In)
	for {
		t.prompt()
		select {
		case <-ctx.Done():
			if t.interactive() {
				t.env.sayf("\n")
			}
			return chatops.Errorf(chatops.CodeInterrupted, "interrupted")
		case l := <-lines:
			if l.err != nil || l.end {
				if t.interactive() {
					t.env.sayf("\n")
				}
				return t.end(l.err)
			}
			quit, err := t.line(ctx, strings.TrimSpace(l.text))
			if quit || err != nil {
				return t.end(err)
			}
		}
	}
}

// end is the run's outcome. A person has seen each error already.
func (t *talk) end(err error) error {
	switch {
	case err != nil:
		return err
	case t.failed > 0 && !t.interactive():
		return chatops.Errorf(chatops.CodePartial, "%s could not be answered", chatops.Count(t.failed, "message"))
	}
	return nil
}

func (t *talk) prompt() {
	if !t.interactive() {
		return
	}
	text := "you> "
	if t.env.colored(t.env.ErrTTY) {
		text = colorize(text, "cyan")
	}
	t.env.sayf("%s", text)
}

// line carries out one line: a command or a message.
func (t *talk) line(ctx context.Context, text string) (quit bool, err error) {
	switch {
	case text == "":
		return false, nil
	case text == "/quit" || text == "/exit":
		return true, nil
	case strings.HasPrefix(text, "/"):
		return false, t.command(text)
	}
	reply, err := t.session.Say(ctx, text)
	switch code := chatops.ErrorCode(err); {
	case err == nil:
	case code == chatops.CodeInvalid || code == chatops.CodeTooLarge:
		t.failed++
		t.env.errorLine(chatops.ErrorMessage(err))
		return false, nil
	default:
		return false, err
	}
	t.last, t.reply = text, reply
	if err := t.show(reply); err != nil || !t.env.opts.verbose {
		return false, err
	}
	why, err := t.why()
	if err == nil {
		t.env.sayf("%s", why)
	}
	return false, err
}

// show prints a reply.
func (t *talk) show(reply *chatops.ChatReply) error {
	indent := ""
	switch format := t.env.opts.output; {
	case format == "json":
		indent = "  "
	case format != "jsonl":
		return t.print(reply.Response + "\n\n")
	}
	raw, err := encodeJSON(reply, indent)
	if err != nil {
		return err
	}
	_, err = t.env.Out.Write(raw)
	return unwritten(err)
}

// print writes text of several lines, each made harmless.
func (t *talk) print(text string) error {
	var b bytes.Buffer
	for line := range strings.Lines(text) {
		b.WriteString(chatops.Harmless(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err := t.env.Out.Write(b.Bytes())
	return unwritten(err)
}

// command carries out a line that starts with a slash.
func (t *talk) command(text string) error {
	switch text {
	case "/reset":
		t.session.Reset()
		t.last, t.reply = "", nil
		t.env.notef("a new conversation")
		return nil
	case "/facts":
		if t.reply == nil {
			t.env.notef("nothing was said yet")
			return nil
		}
		facts := fields("lead_score", fmt.Sprint(t.reply.LeadScore), "next_best_action", t.reply.NextBestAction)
		facts.rows = append(factRows(&t.reply.Context), facts.rows...)
		return t.table(facts)
	case "/why":
		if t.reply == nil {
			t.env.notef("nothing was said yet")
			return nil
		}
		why, err := t.why()
		if err != nil {
			return err
		}
		return t.print(why + "\n")
	}
	t.env.notef("there is no command %s: /why, /facts, /reset, /quit", text)
	return nil
}

// why explains the last reply.
func (t *talk) why() (string, error) {
	answer, err := t.session.Why(t.last)
	if err != nil {
		return "", err
	}
	head := fields("answered_from", orDash(strings.Join(t.reply.Sources, ", ")), "language", t.reply.Language,
		"lead_score", fmt.Sprint(t.reply.LeadScore), "next_best_action", t.reply.NextBestAction)
	head.rows = append(head.rows, factRows(&answer.Facts)...)
	list := []section{head}
	if len(answer.Topics) > 0 {
		list = append(list, topicTable(answer.Topics, false))
	}
	raw, err := encodeTable(list, t.style())
	return string(raw), err
}

func (t *talk) style() tableStyle {
	s := tableStyle{headers: !t.env.opts.noHeaders}
	if t.env.OutTTY {
		s.width = t.env.Width
	}
	return s
}

func (t *talk) table(s section) error {
	raw, err := encodeTable([]section{s}, t.style())
	if err != nil {
		return err
	}
	return t.print(string(raw) + "\n")
}

// input is a line, the end of the input, or why it could not be read.
type input struct {
	text string
	err  error
	end  bool
}

// readLines reads lines in the background, so that an interrupt need not wait
// for one. It ends with the input or the context; a read that is under way then
// ends with the process.
func readLines(ctx context.Context, r io.Reader) <-chan input {
	out := make(chan input)
	send := func(l input) bool {
		select {
		case out <- l:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 4096), maxLine)
		for s.Scan() {
			if !send(input{text: s.Text()}) {
				return
			}
		}
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			send(input{err: chatops.Errorf(chatops.CodeTooLarge, "a line of standard input is longer than %d bytes; write one message in a line", maxLine)})
		case err != nil:
			send(input{err: chatops.Errorf(chatops.CodeInternal, "read standard input: %w", err)})
		default:
			send(input{end: true})
		}
	}()
	return out
}
