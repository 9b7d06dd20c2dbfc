package runbook

import (
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type knowledgeSearch struct{ dir string }

// newKnowledgeSearch makes `knowledge search`.
func newKnowledgeSearch(env *Env) *cobra.Command {
	c := &knowledgeSearch{}
	cmd := &cobra.Command{
		Use: "search TEXT...", Short: "Show what a visitor who types the text would be answered, and why",
		Long: "Show what a visitor who types the text would be answered, and why: the entries\n" +
			"found with their scores (0 to 10), the keywords that match, the words that speak\n" +
			"for an entry, and the example question most like the text.",
		Args: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, "")) == "" {
				return hint(chatops.Errorf(chatops.CodeUsage, "say what the visitor types"), "such as: %s ile kosztuje metr", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return c.run(env, strings.Join(args, " ")) },
	}
	knowledgeDirFlag(cmd, &c.dir)
	return cmd
}

// knowledgeDirFlag registers --dir.
func knowledgeDirFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "dir", "", "folder of the knowledge base (default KNOWLEDGE_DIR, or the embedded one)")
	_ = cmd.MarkFlagDirname("dir")
}

func (c *knowledgeSearch) run(env *Env, text string) error {
	dir, err := env.knowledgeDir(c.dir)
	if err != nil {
		return err
	}
	answer, err := env.AskKnowledgeFunc(dir, text)
	if err != nil {
		return unfit(err, dir)
	}
	return env.render(answer)
}
