package runbook

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// fakeChat answers every message with itself.
type fakeChat struct {
	said   []string
	resets int
	err    error
}

func (f *fakeChat) Say(_ context.Context, message string) (*chatops.ChatReply, error) {
	switch {
	case f.err != nil:
		return nil, f.err
	case len(message) > 50:
		return nil, chatops.Errorf(chatops.CodeTooLarge, "message too long")
	}
	f.said = append(f.said, message)
	return &chatops.ChatReply{
		Response: "re: " + message + "\nnext \x1b[31mline", SessionID: "s", ConversationID: 1, Context: chatops.Facts{City: "Kraków"},
		LeadScore: 25, NextBestAction: "ask_name", Sources: []string{"area"}, Language: "pl", Alerts: []string{},
	}, nil
}

func (f *fakeChat) Why(message string) (*KnowledgeAnswer, error) { return answerTo(message), nil }

func (f *fakeChat) Reset() { f.resets++ }

func talking(t *testing.T, input string) (*console, *fakeChat) {
	t.Helper()
	c := newConsole(t, newFakeStore())
	f := &fakeChat{}
	c.In = strings.NewReader(input)
	c.OpenChatFunc = func(*config.Config) (ChatSession, error) { return f, nil }
	return c, f
}

func TestChat_AnswersEachLineOfAPipe(t *testing.T) {
	t.Parallel()
	c, f := talking(t, "Cześć\n\n  ile kosztuje  \nlast line without end")
	c.must(exitOK, "chat")
	c.prints("re: Cześć\nnext \\x1b[31mline\n\nre: ile kosztuje\nnext \\x1b[31mline\n\nre: last line without end\nnext \\x1b[31mline\n\n")
	if c.err.String() != "" || len(f.said) != 3 {
		t.Errorf("standard error %q, said %q", &c.err, f.said)
	}
	if c.opened != 0 {
		t.Error("it opened the store")
	}
}

func TestChat_PrintsOneReplyInALine(t *testing.T) {
	t.Parallel()
	c, _ := talking(t, "a\nb\n")
	c.must(exitOK, "chat -o jsonl")
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), &c.out)
	}
	var reply chatops.ChatReply
	if err := json.Unmarshal([]byte(lines[1]), &reply); err != nil || !strings.HasPrefix(reply.Response, "re: b") || reply.Context.City != "Kraków" {
		t.Errorf("%v: %s", err, lines[1])
	}
	c.In = strings.NewReader("a\n")
	c.must(exitUsage, "chat -o csv")
	c.says("text, json or jsonl, not csv")
}

func TestChat_CommandsStartWithASlash(t *testing.T) {
	t.Parallel()
	c, f := talking(t, "/why\n/facts\nhej\n/why\n/facts\n/reset\n/facts\n/nope\n/quit\nnever said\n")
	c.must(exitOK, "chat")
	for _, want := range []string{"answered_from     area", "lead_score        25", "warranty    9.6", "city              Kraków", "next_best_action  ask_name"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &c.out)
		}
	}
	c.says("there is no command /nope: /why, /facts, /reset, /quit", "a new conversation")
	if n := strings.Count(c.err.String(), "nothing was said yet"); n != 3 || f.resets != 1 || len(f.said) != 1 {
		t.Errorf("%d, %d resets, said %q", n, f.resets, f.said)
	}
}

func TestChat_VerboseExplainsEveryAnswerOnStandardError(t *testing.T) {
	t.Parallel()
	c, _ := talking(t, "hej\n")
	c.must(exitOK, "chat -v")
	c.prints("re: hej\nnext \\x1b[31mline\n\n")
	c.says("answered_from     area", "warranty    9.6")
}

func TestChat_GoesOnAfterAMessageThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	c, f := talking(t, strings.Repeat("x", 60)+"\nhej\n")
	c.must(exitPartial, "chat")
	c.says("chatops: message too long", "1 message could not be answered")
	if len(f.said) != 1 {
		t.Errorf("said %q", f.said)
	}
	c.In = strings.NewReader(strings.Repeat("x", maxLine+1))
	c.must(exitUsage, "chat")
	c.says("longer than 65536 bytes")
	f.err = chatops.Errorf(chatops.CodeConflict, "busy")
	c.In = strings.NewReader("hej\n")
	c.must(exitFailed, "chat")
}

func TestChat_PromptsAPersonOnStandardErrorOnly(t *testing.T) {
	t.Parallel()
	c, _ := talking(t, "")
	c.terminal("hej\n" + strings.Repeat("x", 60) + "\n")
	c.must(exitOK, "chat") // the error was seen
	c.prints("re: hej\nnext \\x1b[31mline\n\n")
	if got := c.err.String(); !strings.HasPrefix(got, "Talk to the bot; nothing is stored.") || strings.Count(got, "you> ") != 3 || strings.Contains(got, "\x1b") {
		t.Errorf("standard error %q", got)
	}
	c.vars["TERM"] = "xterm"
	c.In = strings.NewReader("")
	c.must(exitOK, "chat")
	c.says("\x1b[36myou> \x1b[0m")
	c.In = strings.NewReader("hej\n")
	c.must(exitOK, "chat --no-input")
	if c.err.String() != "" {
		t.Errorf("standard error %q", &c.err)
	}
}

func TestChat_AnInterruptEndsItWhileItWaits(t *testing.T) {
	t.Parallel()
	c, _ := talking(t, "")
	in, typed := io.Pipe()
	defer func() { _ = typed.Close() }()
	c.In = in
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	c.Out = writerFunc(func(p []byte) (int, error) { close(asked); return len(p), nil })
	code := make(chan int)
	go func() { code <- Run(ctx, c.Env, []string{"chat"}) }()
	if _, err := io.WriteString(typed, "hej\n"); err != nil {
		t.Fatal(err)
	}
	<-asked
	cancel()
	if got := <-code; got != exitInterrupted {
		t.Errorf("exit %d, want %d", got, exitInterrupted)
	}
}

// writerFunc is a function as a writer.
type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

func TestChat_TakesTheFolderOfTheCommandLine(t *testing.T) {
	t.Parallel()
	c, f := talking(t, "")
	var dirs []string
	c.OpenChatFunc = func(cfg *config.Config) (ChatSession, error) { dirs = append(dirs, cfg.KnowledgeDir); return f, nil }
	c.vars["KNOWLEDGE_DIR"] = "/srv/knowledge"
	c.must(exitOK, "chat")
	c.must(exitOK, "chat --dir draft")
	if strings.Join(dirs, "|") != "/srv/knowledge|draft" {
		t.Errorf("opened %q", dirs)
	}
}
