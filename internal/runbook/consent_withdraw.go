package runbook

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// personChange is a change of what is stored about one person: what the
// commands that make one share.
type personChange struct {
	whose
	dryRun bool
}

func (c *personChange) registerChange(cmd *cobra.Command) {
	c.register(cmd)
	dryRunFlag(cmd, &c.dryRun)
}

// begin reads the address and opens the store. The caller closes it.
func (c *personChange) begin(ctx context.Context, env *Env, args []string) (*people, subject, error) {
	key, err := c.address(ctx, env, args)
	if err != nil {
		return nil, subject{}, err
	}
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return nil, subject{}, err
	}
	p, err := env.openPeople(ctx)
	if err != nil {
		return nil, subject{}, err
	}
	return p, p.subject(key), nil
}

// why is the purpose of looking at a person's data before a change of it: how
// much is stored is told, so it is on record like any look-up.
func (c *personChange) why(env *Env) string {
	why := "to change it"
	if c.dryRun {
		why = "dry run"
	}
	if env.opts.reason != "" {
		why += ": " + env.opts.reason
	}
	return truncateRunes(why, maxPurpose)
}

func truncateRunes(text string, limit int) string {
	if r := []rune(text); len(r) > limit {
		return string(r[:limit])
	}
	return text
}

// personFilter names the person in the record of operator actions.
type personFilter struct {
	Subject string `json:"subject"` // digest of the address
}

// origin is who asked, for the audit log.
func (e *Env) origin() chatops.ConsentOrigin {
	return chatops.ConsentOrigin{UserAgent: "chatops, operator " + e.Actor, Reason: e.opts.reason}
}

// consentWithdraw withdraws consent: `consent unsubscribe` and `consent revoke`.
type consentWithdraw struct {
	personChange
	verb   string
	action chatops.ConsentAction
}

// withdrawal is the result of a withdrawal.
type withdrawal struct {
	Email         string                `json:"email"`
	Action        chatops.ConsentAction `json:"action"`
	Conversations int                   `json:"conversations"` // whose consent it changes
	Leads         int                   `json:"leads"`
	Changed       int                   `json:"changed"` // conversations and leads that were changed
	Suppressed    bool                  `json:"suppressed"`
	DryRun        bool                  `json:"dry_run"`
}

func (c *consentWithdraw) run(ctx context.Context, env *Env, args []string) error {
	p, s, err := c.begin(ctx, env, args)
	if err != nil {
		return err
	}
	defer env.closing(p)
	person, err := p.access(ctx, env, s, "consent "+c.verb, c.why(env))
	if err != nil {
		return err
	}
	res := c.count(s, person)
	if person == nil {
		env.notef("note: nothing is stored about this address; it is suppressed all the same")
	}
	if !c.dryRun {
		if err := c.withdraw(ctx, env, p, s, res); err != nil {
			return unreachable(p.cfg, err)
		}
	}
	return env.render(res)
}

// count is what a withdrawal would change.
func (c *consentWithdraw) count(s subject, p *chatops.Person) *withdrawal {
	res := &withdrawal{Email: s.masked, Action: c.action, DryRun: c.dryRun}
	if p == nil {
		return res
	}
	all := c.action == chatops.ActionRevoke
	for i := range p.Conversations {
		if p.Conversations[i].MarketingConsent || all && p.Conversations[i].RODOConsent {
			res.Conversations++
		}
	}
	for i := range p.Leads {
		if p.Leads[i].MarketingConsent || all && p.Leads[i].RODOConsent {
			res.Leads++
		}
	}
	res.Suppressed = p.Suppression != nil
	return res
}

// withdraw asks and withdraws.
func (c *consentWithdraw) withdraw(ctx context.Context, env *Env, p *people, s subject, res *withdrawal) error {
	change := fmt.Sprintf("%s %s: withdraw consent of %s and %s, suppress the address",
		c.verb, s.masked, chatops.Count(res.Conversations, "conversation"), chatops.Count(res.Leads, "lead"))
	if err := env.confirm(ctx, p.cfg, change); err != nil {
		return err
	}
	return env.record(ctx, p, personFilter{s.digest}, func() (string, error) {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		changed, err := p.WithdrawConsent(ctx, chatops.ConsentWithdrawal{Action: c.action, EmailKey: s.key, Origin: env.origin()})
		if err != nil {
			return "", err
		}
		res.Changed, res.Suppressed = changed, true
		return fmt.Sprintf("%d conversations and leads changed, suppressed", changed), nil
	})
}

func (w *withdrawal) sections(bool) []section {
	return []section{fields(
		"email", w.Email, "action", string(w.Action), "conversations", strconv.Itoa(w.Conversations), "leads", strconv.Itoa(w.Leads),
		"changed", strconv.Itoa(w.Changed), "suppressed", strconv.FormatBool(w.Suppressed), "dry_run", strconv.FormatBool(w.DryRun),
	)}
}
