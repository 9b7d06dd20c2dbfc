package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

func TestKnowledgeFS_SaysWhyItCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]chatops.Code{"": "", dir: "", file: chatops.CodeInvalid, filepath.Join(dir, "x"): chatops.CodeNotFound} {
		if _, err := knowledgeFS(path); chatops.ErrorCode(err) != want {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
}

func TestAskKnowledge_CarriesTheReasonsOver(t *testing.T) {
	t.Parallel()
	a, err := askKnowledge("", "Ile zapłacę za 60 m2 w Express?")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Sources) != 1 || a.Sources[0] != "estimate" || a.Language != "pl" || a.Facts.SquareMeters != 60 || !strings.Contains(a.Response, "59 940") {
		t.Errorf("%+v", a)
	}
	first := a.Topics[0]
	if first.Topic != "estimate" || len(first.Keywords) == 0 || len(first.Words) == 0 || first.Example == "" || first.Score != math.Round(first.Score*100)/100 {
		t.Errorf("%+v", first)
	}
	if _, err := askKnowledge("", "   "); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("an empty text: %v", err)
	}
	if _, err := askKnowledge(t.TempDir(), "hej"); chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), "company.toml") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestCheckKnowledge_OfAnEmptyFolderFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	found, err := checkKnowledge(t.TempDir())
	if err != nil || len(found) < 4 {
		t.Fatalf("%v, %+v", err, found)
	}
	for _, f := range found {
		if f.File == "" || f.Entry == "" || f.Kind == "" || f.Problem == "" || f.Fix == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
}

func TestOpenChat_HoldsOneConversationUntilItIsReset(t *testing.T) {
	t.Parallel()
	s, err := openChat(&config.Config{ConsentMode: "explicit"})
	if err != nil {
		t.Fatal(err)
	}
	say := func(text string) *chatops.ChatReply {
		reply, err := s.Say(t.Context(), text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return reply
	}
	first, second := say("Mam 60 m2 w Krakowie"), say("Jan Kowalski")
	if first.SessionID != second.SessionID || second.Context.City != "Kraków" || second.Context.Name != "Jan Kowalski" {
		t.Errorf("%+v, then %+v", first, second)
	}
	s.Reset()
	if third := say("hej"); third.SessionID == first.SessionID || third.Context.City != "" {
		t.Errorf("after a reset %+v", third)
	}
	if why, err := s.Why("jaka gwarancja"); err != nil || why.Sources[0] != "warranty" {
		t.Errorf("%+v, %v", why, err)
	}
	if _, err := s.Say(t.Context(), strings.Repeat("a", chatops.MaxMessageLength+1)); chatops.ErrorCode(err) != chatops.CodeTooLarge {
		t.Errorf("too long a message: %v", err)
	}
}
