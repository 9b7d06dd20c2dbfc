package runbook

import (
	"encoding/json"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// author is a console with a knowledge base behind it.
func author(t *testing.T, findings ...KnowledgeFinding) (*console, *[]string) {
	t.Helper()
	c := newConsole(t, newFakeStore())
	dirs := &[]string{}
	c.CheckKnowledgeFunc = func(dir string) ([]KnowledgeFinding, error) {
		*dirs = append(*dirs, dir)
		if dir == "missing" {
			return nil, chatops.Errorf(chatops.CodeNotFound, "knowledge folder missing does not exist")
		}
		return findings, nil
	}
	c.AskKnowledgeFunc = func(dir, text string) (*KnowledgeAnswer, error) {
		*dirs = append(*dirs, dir)
		return answerTo(text), nil
	}
	return c, dirs
}

func answerTo(text string) *KnowledgeAnswer {
	return &KnowledgeAnswer{
		Response: "Dajemy 36 miesięcy gwarancji.\n\nIle metrów?", Language: "pl", Sources: []string{"warranty"},
		Topics: []KnowledgeTopic{{
			Topic: "warranty", Score: 9.6, Keywords: []KnowledgeKeyword{{Keyword: "gwaranc* ^3.0", Language: "pl", Points: 6}},
			Words: []KnowledgeWord{{Word: "gwarancja", Weight: 3.2}}, Example: "Jaką dajecie gwarancję?", Likeness: 0.8,
		}},
		Facts: chatops.Facts{SquareMeters: len(text)},
	}
}

var oneFinding = KnowledgeFinding{File: "pl/area.toml", Entry: "area", Kind: "price", Problem: "says PLN 1399\x1b[31m", Fix: "write {prices}"}

func TestKnowledgeCheck_SoundEndsWithZero(t *testing.T) {
	t.Parallel()
	c, dirs := author(t)
	c.must(exitOK, "knowledge check")
	c.prints("the embedded knowledge base is sound\n")
	c.must(exitOK, "knowledge check some/dir")
	c.prints("some/dir is sound\n")
	c.vars["KNOWLEDGE_DIR"] = "/srv/knowledge"
	c.must(exitOK, "knowledge check -o json")
	c.prints("{\n  \"ok\": true,\n  \"dir\": \"/srv/knowledge\",\n  \"findings\": []\n}\n")
	if want := "|some/dir|/srv/knowledge"; strings.Join(*dirs, "|") != want {
		t.Errorf("looked at %q", *dirs)
	}
	if c.opened != 0 {
		t.Error("it opened the store")
	}
}

func TestKnowledgeCheck_FindingsEndWithFour(t *testing.T) {
	t.Parallel()
	c, _ := author(t, oneFinding)
	c.must(exitFinding, "knowledge check")
	c.prints("file\tentry\tkind\tproblem\tfix\npl/area.toml\tarea\tprice\tsays PLN 1399\\x1b[31m\twrite {prices}\n")
	c.says("chatops: 1 finding in the embedded knowledge base")
	c.must(exitFinding, "knowledge check -o jsonl d")
	var got KnowledgeFinding
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil || got != oneFinding {
		t.Errorf("%s: %v", &c.out, err)
	}
	c.says("1 finding in d")
}

func TestKnowledgeCheck_RefusesWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	c, _ := author(t)
	c.must(exitNotFound, "knowledge check missing")
	c.says("knowledge folder missing does not exist")
	c.must(exitUsage, "knowledge check a b")
	c.says("takes one DIR, got 2 arguments")
	c.vars["PORT"] = "eighty"
	c.must(exitUsage, "knowledge check") // the settings say where it is
	c.must(exitOK, "knowledge check here")
}

func TestKnowledgeSearch_ShowsTheAnswerAndWhy(t *testing.T) {
	t.Parallel()
	c, dirs := author(t)
	c.must(exitOK, "knowledge search --dir base jaka gwaracja")
	for _, want := range []string{"answered_from\twarranty", "square_meters\t13", "warranty\t9.6\tgwaranc* ^3.0\tgwarancja +3.2\tJaką dajecie gwarancję? (80 %)", "Dajemy 36 miesięcy gwarancji.\n\nIle metrów?"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &c.out)
		}
	}
	c.must(exitOK, "knowledge search -o json jaka gwaracja")
	var got KnowledgeAnswer
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil || got.Topics[0].Keywords[0].Points != 6 || got.Sources[0] != "warranty" {
		t.Errorf("%v: %s", err, &c.out)
	}
	if strings.Join(*dirs, "|") != "base|" {
		t.Errorf("looked at %q", *dirs)
	}
}

func TestKnowledgeSearch_PointsToTheCheckOfAnUnfitFolder(t *testing.T) {
	t.Parallel()
	c, _ := author(t)
	c.AskKnowledgeFunc = func(string, string) (*KnowledgeAnswer, error) {
		return nil, chatops.Errorf(chatops.CodeInvalid, "load knowledge base: pl/area.toml: title: must not be empty")
	}
	c.must(exitUsage, "knowledge search --dir mine hej")
	c.says("pl/area.toml: title", "chatops knowledge check mine")
	c.must(exitUsage, "knowledge search hej")
	if strings.Contains(c.err.String(), "knowledge check") {
		t.Errorf("the embedded one is not to be mended: %s", &c.err)
	}
}

func TestKnowledgeSearch_NeedsAText(t *testing.T) {
	t.Parallel()
	c, _ := author(t)
	c.must(exitUsage, "knowledge search")
	c.says("say what the visitor types", "ile kosztuje metr")
}
