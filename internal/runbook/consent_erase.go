package runbook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// eraseTimeout bounds one erasure: a person with years of conversations takes
// longer than a look.
const eraseTimeout = 2 * time.Minute

type consentErase struct {
	personChange
	wait string
}

// newConsentErase makes `consent erase`.
func newConsentErase(env *Env) *cobra.Command {
	c := &consentErase{}
	cmd := &cobra.Command{
		Use: "erase EMAIL|--stdin", Short: "Delete what is stored about a person (RODO art. 17)",
		Long: "Delete the conversations, leads, alerts and follow-ups of an address, and ask those who\n" +
			"were given the data to delete it too. What stays: audit rows without personal data, so\n" +
			"that the chain still verifies, and a digest of the address, so that it is not written to\n" +
			"when it comes back. This cannot be undone: the receipt is all that tells what was done,\n" +
			"so keep it (-o json). Recipients that cannot be asked are named: tell them by hand.\n\n" + stdinHelp,
		Example: "  chatops consent erase jan@firma.example --dry-run\n" +
			"  chatops consent erase --stdin --reason 'request of 3 March' --wait 30s --yes -o json < address.txt > receipt.json",
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.registerChange(cmd)
	cmd.Flags().StringVar(&c.wait, "wait", "", "wait up to so long, such as 30s, for the recipients' answers; exit 6 when one has not deleted")
	return cmd
}

func (c *consentErase) run(ctx context.Context, env *Env, args []string) error {
	wait, err := parseWait(c.wait)
	if err != nil {
		return err
	}
	p, s, err := c.begin(ctx, env, args)
	if err != nil {
		return err
	}
	defer env.closing(p)
	person, err := p.access(ctx, env, s, "consent erase", c.why(env))
	switch {
	case err != nil:
		return err
	case person == nil:
		return unknownPerson()
	}
	plan, err := c.erase(ctx, env, p, s, true)
	if err != nil {
		return unreachable(p.cfg, err)
	}
	receipt := viewReceipt(s, plan, env.NowFunc(), true)
	if !c.dryRun {
		if receipt, err = c.change(ctx, env, p, s, plan); err != nil {
			return unreachable(p.cfg, err)
		}
		if wait > 0 {
			err = receipt.await(ctx, env, p, wait)
		}
	}
	receipt.tell(env)
	if errRender := env.render(receipt); errRender != nil {
		return errRender
	}
	return err
}

// parseWait reads --wait; "" is not to wait.
func parseWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, ok := parseDuration(text)
	if !ok {
		return 0, chatops.Errorf(chatops.CodeUsage, "--wait %q: must be a duration such as 30s or 2m", text)
	}
	return d, nil
}

// change asks and erases.
func (c *consentErase) change(ctx context.Context, env *Env, p *people, s subject, plan *chatops.ErasureReceipt) (*receiptView, error) {
	if err := env.confirmWord(ctx, p.cfg, "erase "+s.masked+" for good: "+wordErased(plan.Tables), "erase"); err != nil {
		return nil, err
	}
	var view *receiptView
	err := env.record(ctx, p, personFilter{s.digest}, func() (string, error) {
		done, err := c.erase(ctx, env, p, s, false)
		if err != nil {
			return "", err
		}
		view = viewReceipt(s, done, env.NowFunc(), false)
		if err := p.Announce(ctx); err != nil { // the sweep finds the requests anyway
			env.notef("note: the servers were not woken: %s", chatops.ErrorMessage(err))
		}
		return "erased: " + wordErased(done.Tables), nil
	})
	return view, err
}

func (c *consentErase) erase(ctx context.Context, env *Env, p *people, s subject, dryRun bool) (*chatops.ErasureReceipt, error) {
	ctx, cancel := env.timeout(ctx, eraseTimeout)
	defer cancel()
	return p.ErasePerson(ctx, chatops.Erasure{
		EmailKey: s.key, DryRun: dryRun, Origin: env.origin(), MondayDeletion: true,
	})
}

// wordErased names tables and how many of their rows are touched.
func wordErased(tables []chatops.ErasedTable) string {
	var words []string
	for _, t := range tables {
		if t.Rows > 0 {
			words = append(words, fmt.Sprintf("%d of %s", t.Rows, t.Table))
		}
	}
	if words == nil {
		return "no rows"
	}
	return strings.Join(words, ", ")
}
