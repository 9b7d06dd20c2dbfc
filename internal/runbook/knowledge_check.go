package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newKnowledgeCheck makes `knowledge check`.
func newKnowledgeCheck(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "check [DIR]", Short: "Look for mistakes in the knowledge base; exit 4 when there are any",
		Long: "Look for mistakes in the knowledge base of a folder, of KNOWLEDGE_DIR, or the\n" +
			"embedded one: unknown topics, missing translations, entries that no question\n" +
			"reaches, doubled keywords, amounts that contradict the price list or the other\n" +
			"language, unknown placeholders, empty answers, answers in the wrong language.",
		Args: atMostOne("DIR"),
		RunE: func(_ *cobra.Command, args []string) error { return runKnowledgeCheck(env, args) },
	}
}

// atMostOne accepts one argument or none.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return hint(chatops.Errorf(chatops.CodeUsage, "%s takes one %s, got %d arguments", cmd.CommandPath(), name, len(args)), "see: %s --help", cmd.CommandPath())
		}
		return nil
	}
}

// knowledgeReport is the result of `knowledge check`.
type knowledgeReport struct {
	OK       bool               `json:"ok"`
	Dir      string             `json:"dir"` // "" for the embedded one
	Findings []KnowledgeFinding `json:"findings"`
}

func runKnowledgeCheck(env *Env, args []string) error {
	given := ""
	if len(args) > 0 {
		given = args[0]
	}
	dir, err := env.knowledgeDir(given)
	if err != nil {
		return err
	}
	findings, err := env.CheckKnowledgeFunc(dir)
	if err != nil {
		return err
	}
	r := &knowledgeReport{OK: len(findings) == 0, Dir: dir, Findings: append([]KnowledgeFinding{}, findings...)}
	if err := env.render(r); err != nil {
		return err
	}
	if !r.OK {
		return chatops.Errorf(chatops.CodeFinding, "%s in %s", chatops.Count(len(findings), "finding"), dirOrEmbedded(dir))
	}
	return nil
}

func (r *knowledgeReport) elements() []any { return pointers(r.Findings) }

func (r *knowledgeReport) sections(bool) []section {
	if r.OK {
		return []section{{text: dirOrEmbedded(r.Dir) + " is sound"}}
	}
	t := section{columns: []column{
		{name: "file", whole: true}, {name: "entry", whole: true}, {name: "kind", whole: true, colorFunc: func(string) string { return "yellow" }},
		{name: "problem", flex: true}, {name: "fix", flex: true},
	}}
	for i := range r.Findings {
		f := &r.Findings[i]
		t.rows = append(t.rows, []string{f.File, f.Entry, f.Kind, f.Problem, f.Fix})
	}
	return []section{t}
}
