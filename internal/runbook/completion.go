package runbook

import (
	"io"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

// newCompletion makes `completion`.
func newCompletion(*Env) *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print the completion script of a shell",
		Long: "Print the completion script of a shell. Packages install it; by hand:\n\n" +
			"  bash        source <(chatops completion bash)\n" +
			"  zsh         chatops completion zsh > \"${fpath[1]}/_chatops\"\n" +
			"  fish        chatops completion fish | source\n" +
			"  powershell  chatops completion powershell | Out-String | Invoke-Expression",
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return chatops.Errorf(chatops.CodeUsage, "name one shell: bash, zsh, fish or powershell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return unwritten(writeCompletion(cmd.Root(), args[0], cmd.OutOrStdout()))
		},
	}
}

// writeCompletion writes a shell's script.
func writeCompletion(root *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return chatops.Errorf(chatops.CodeUsage, "unknown shell %q: must be bash, zsh, fish or powershell", shell)
}
