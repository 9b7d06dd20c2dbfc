package runbook

import (
	"context"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

// KnowledgeFinding is something that the authors of a knowledge base should mend.
type KnowledgeFinding struct {
	File    string `json:"file"`
	Entry   string `json:"entry"` // the topic, or a field
	Kind    string `json:"kind"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// KnowledgeAnswer is what a visitor of whom nothing is known would be answered,
// and why.
type KnowledgeAnswer struct {
	Response string           `json:"response"`
	Language string           `json:"language"`
	Sources  []string         `json:"sources"` // the entries used, the main one first
	Topics   []KnowledgeTopic `json:"topics"`  // what was found, the best first
	Facts    chatops.Facts    `json:"facts"`   // what the message tells
}

// KnowledgeTopic is an entry that a message speaks of.
type KnowledgeTopic struct {
	Topic    string             `json:"topic"`
	Score    float64            `json:"score"` // 0 to 10
	Keywords []KnowledgeKeyword `json:"keywords"`
	Words    []KnowledgeWord    `json:"words"`
	Example  string             `json:"example"`  // the example question most like it
	Likeness float64            `json:"likeness"` // how much it is like that: 0 to 1
}

// KnowledgeKeyword is a keyword of an entry that matches.
type KnowledgeKeyword struct {
	Keyword  string  `json:"keyword"`
	Language string  `json:"language"`
	Points   float64 `json:"points"`
}

// KnowledgeWord is a word that speaks for an entry rather than for others.
type KnowledgeWord struct {
	Word   string  `json:"word"`
	Weight float64 `json:"weight"`
}

// ChatSession is a conversation with the bot that nobody stores.
type ChatSession interface {
	// Say sends a message and returns the reply. CodeInvalid and CodeTooLarge
	// for a message that cannot be taken.
	Say(ctx context.Context, message string) (*chatops.ChatReply, error)
	// Why explains a message as the first one of a conversation.
	Why(message string) (*KnowledgeAnswer, error)
	// Reset forgets the conversation.
	Reset()
}

// knowledgeDir is the folder that the settings name, unless the command line
// names another; "" is the embedded knowledge base.
func (e *Env) knowledgeDir(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	cfg, err := e.settings()
	if err != nil {
		return "", err
	}
	return cfg.KnowledgeDir, nil
}

// unfit points from a knowledge base that cannot be used to its check.
func unfit(err error, dir string) error {
	if dir != "" && chatops.ErrorCode(err) == chatops.CodeInvalid {
		return hint(err, "what is wrong and how to mend it: chatops knowledge check %s", dir)
	}
	return err
}

// dirOrEmbedded names a knowledge base for people.
func dirOrEmbedded(dir string) string {
	if dir == "" {
		return "the embedded knowledge base"
	}
	return dir
}

// sections shows the answer with its reasons.
func (a *KnowledgeAnswer) sections(wide bool) []section {
	head := fields("answered_from", orDash(strings.Join(a.Sources, ", ")), "language", a.Language)
	head.rows = append(head.rows, factRows(&a.Facts)...)
	list := []section{head}
	if len(a.Topics) > 0 {
		list = append(list, topicTable(a.Topics, wide))
	}
	return append(list, section{title: "answer", text: a.Response})
}

// topicTable lists the topics with what speaks for them.
func topicTable(topics []KnowledgeTopic, wide bool) section {
	t := section{columns: []column{{name: "topic", whole: true}, {name: "score", right: true}, {name: "keywords", flex: true}, {name: "words", flex: true}, {name: "nearest_example", flex: true}}}
	for i := range topics {
		one := &topics[i]
		var keywords, words []string
		for _, k := range one.Keywords {
			keywords = append(keywords, k.Keyword)
		}
		for _, w := range one.Words {
			words = append(words, fmt.Sprintf("%s +%.1f", w.Word, w.Weight))
		}
		if !wide {
			keywords, words = keywords[:min(len(keywords), 2)], words[:min(len(words), 3)]
		}
		example := ""
		if one.Example != "" {
			example = fmt.Sprintf("%s (%.0f %%)", one.Example, 100*one.Likeness)
		}
		t.rows = append(t.rows, []string{one.Topic, fmt.Sprintf("%.1f", one.Score), orDash(strings.Join(keywords, ", ")), orDash(strings.Join(words, ", ")), orDash(example)})
	}
	return t
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// factRows lists the facts that are known.
func factRows(f *chatops.Facts) [][]string {
	var rows [][]string
	add := func(name, value string) {
		if value != "" && value != "0" {
			rows = append(rows, []string{name, value})
		}
	}
	add("name", f.Name)
	add("email", f.Email)
	add("phone", f.Phone)
	add("city", f.City)
	add("square_meters", fmt.Sprint(f.SquareMeters))
	add("budget", fmt.Sprint(f.Budget))
	add("package", f.Package)
	return rows
}
