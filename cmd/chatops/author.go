package main

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/runbook"
)

// knowledgeFS opens the folder of a knowledge base, "" for the embedded one.
func knowledgeFS(dir string) (fs.FS, error) {
	if dir == "" {
		return chat.Embedded(), nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, chatops.Errorf(chatops.CodeNotFound, "knowledge folder %s does not exist", dir)
	case err != nil:
		return nil, chatops.Errorf(chatops.CodeUnavailable, "knowledge folder %s: %w", dir, err)
	case !info.IsDir():
		return nil, chatops.Errorf(chatops.CodeInvalid, "knowledge folder %s is a file; name the folder that holds it", dir)
	}
	return os.DirFS(dir), nil
}

// checkKnowledge looks for mistakes in a knowledge base.
func checkKnowledge(dir string) ([]runbook.KnowledgeFinding, error) {
	fsys, err := knowledgeFS(dir)
	if err != nil {
		return nil, err
	}
	found, err := chat.CheckKnowledge(fsys)
	if err != nil {
		return nil, err
	}
	list := make([]runbook.KnowledgeFinding, len(found))
	for i, f := range found {
		list[i] = runbook.KnowledgeFinding{File: f.File, Entry: f.Entry, Kind: f.Kind, Problem: f.Problem, Fix: f.Fix}
	}
	return list, nil
}

// askKnowledge answers one message from a knowledge base.
func askKnowledge(dir, text string) (*runbook.KnowledgeAnswer, error) {
	k, err := knowledgeOf(dir)
	if err != nil {
		return nil, err
	}
	return explain(k, text)
}

func knowledgeOf(dir string) (*chat.Knowledge, error) {
	fsys, err := knowledgeFS(dir)
	if err != nil {
		return nil, err
	}
	return chat.LoadKnowledge(fsys)
}

// explain is an answer of the chat package as the runbook shows it.
func explain(k *chat.Knowledge, text string) (*runbook.KnowledgeAnswer, error) {
	a, err := k.Ask(text)
	if err != nil {
		return nil, err
	}
	out := &runbook.KnowledgeAnswer{
		Response: a.Response, Language: string(a.Language), Facts: a.Facts,
		Sources: make([]string, len(a.Sources)), Topics: make([]runbook.KnowledgeTopic, len(a.Found)),
	}
	for i, t := range a.Sources {
		out.Sources[i] = string(t)
	}
	for i := range a.Found {
		f := &a.Found[i]
		t := runbook.KnowledgeTopic{
			Topic: string(f.Topic), Score: rounded(f.Score), Example: f.Example, Likeness: rounded(f.Likeness),
			Keywords: make([]runbook.KnowledgeKeyword, len(f.Keywords)), Words: make([]runbook.KnowledgeWord, len(f.Words)),
		}
		for n, k := range f.Keywords {
			t.Keywords[n] = runbook.KnowledgeKeyword{Keyword: k.Keyword, Language: string(k.Lang), Points: rounded(k.Points)}
		}
		for n, w := range f.Words {
			t.Words[n] = runbook.KnowledgeWord{Word: w.Word, Weight: rounded(w.Weight)}
		}
		out.Topics[i] = t
	}
	return out, nil
}

// rounded leaves two decimals: more of a score mean nothing.
func rounded(v float64) float64 { return math.Round(v*100) / 100 }

// openChat starts a conversation that nobody stores. No language model takes
// part: an author wants to see what the entries say.
func openChat(cfg *config.Config) (runbook.ChatSession, error) {
	k, err := knowledgeOf(cfg.KnowledgeDir)
	if err != nil {
		return nil, err
	}
	service, err := chat.New(chat.Options{Store: chat.NewMemory(), Knowledge: k, ConsentMode: cfg.ConsentMode})
	if err != nil {
		return nil, err
	}
	return &chatSession{service: service, knowledge: k}, nil
}

// chatSession is one conversation of `chatops chat`.
type chatSession struct {
	service   *chat.Service
	knowledge *chat.Knowledge
	id        string // of the conversation; "" before its first message
}

// Say sends a message.
func (s *chatSession) Say(ctx context.Context, message string) (*chatops.ChatReply, error) {
	reply, err := s.service.Reply(ctx, chatops.ChatRequest{Message: message, SessionID: s.id})
	if err != nil {
		return nil, err
	}
	s.id = reply.SessionID
	return reply, nil
}

// Why explains a message by itself.
func (s *chatSession) Why(message string) (*runbook.KnowledgeAnswer, error) {
	return explain(s.knowledge, message)
}

// Reset forgets the conversation: the next message starts another one.
func (s *chatSession) Reset() { s.id = "" }
