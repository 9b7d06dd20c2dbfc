package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newConsentUnsubscribe makes `consent unsubscribe`.
func newConsentUnsubscribe(env *Env) *cobra.Command {
	c := &consentWithdraw{verb: "unsubscribe", action: chatops.ActionUnsubscribe}
	cmd := &cobra.Command{
		Use: "unsubscribe EMAIL|--stdin", Short: "Withdraw a person's consent to marketing",
		Long: "Withdraw the consent to marketing of every conversation and lead of an address, and\n" +
			"suppress the address, whether anything is stored about it or not. No follow-up is sent\n" +
			"from then on, not even one that a worker has begun.\n\n" + stdinHelp,
		Example: "  chatops consent unsubscribe jan@firma.example --reason 'asked by phone'\n  chatops consent unsubscribe --stdin --dry-run < address.txt",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.registerChange(cmd)
	return cmd
}
