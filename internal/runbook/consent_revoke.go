package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newConsentRevoke makes `consent revoke`.
func newConsentRevoke(env *Env) *cobra.Command {
	c := &consentWithdraw{verb: "revoke", action: chatops.ActionRevoke}
	cmd := &cobra.Command{
		Use: "revoke EMAIL|--stdin", Short: "Withdraw every consent of a person",
		Long: "Withdraw the consent to marketing and to the processing of personal data of every\n" +
			"conversation and lead of an address, and suppress the address. The data stays: to\n" +
			"delete it, see chatops consent erase.\n\n" + stdinHelp,
		Example: "  chatops consent revoke jan@firma.example --reason 'letter of 3 March'",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.registerChange(cmd)
	return cmd
}
