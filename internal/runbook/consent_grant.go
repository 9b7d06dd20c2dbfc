package runbook

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// grantChannels are the ways in which a person can say it to an operator.
var grantChannels = []string{"phone", "mail", "letter", "in_person", "other"}

type consentGrant struct {
	personChange
	marketing, rodo bool
	channel         string
	text            int64
}

// newConsentGrant makes `consent grant`.
func newConsentGrant(env *Env) *cobra.Command {
	c := &consentGrant{}
	cmd := &cobra.Command{
		Use: "grant EMAIL|--stdin", Short: "Record a consent that a person gave to an operator",
		Long: "Give consent to every conversation and lead of an address, and lift its suppression.\n" +
			"Whoever processes data has to be able to show that consent was given (RODO art. 7):\n" +
			"--reason says when and how, and --text which wording the person agreed to: a number of\n" +
			"chatops consent texts list.\n\n" + stdinHelp,
		Example: "  chatops consent grant jan@firma.example --marketing --channel phone --reason 'called on 3 March, call 4711'",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.registerChange(cmd)
	f := cmd.Flags()
	f.BoolVar(&c.marketing, "marketing", false, "consent to marketing, such as follow-ups")
	f.BoolVar(&c.rodo, "rodo", false, "consent to the processing of personal data")
	f.StringVar(&c.channel, "channel", "other", "how it was given: "+strings.Join(grantChannels, ", "))
	f.Int64Var(&c.text, "text", 0, "number of the consent text that was agreed to")
	_ = cmd.RegisterFlagCompletionFunc("channel", fixedCompletion(grantChannels...))
	return cmd
}

// check checks what can be checked before anything is opened.
func (c *consentGrant) check(reason string) error {
	switch {
	case !c.marketing && !c.rodo:
		return chatops.Errorf(chatops.CodeUsage, "which consent? give --marketing, --rodo or both")
	case !slices.Contains(grantChannels, c.channel):
		return chatops.Errorf(chatops.CodeUsage, "--channel %q: must be one of %s", maskAddresses(c.channel), strings.Join(grantChannels, ", "))
	case c.text < 0:
		return chatops.Errorf(chatops.CodeUsage, "--text %d: must be the number of a consent text", c.text)
	case strings.TrimSpace(reason) == "":
		return hint(chatops.Errorf(chatops.CodeUsage, "--reason is required: a consent has to be proved later"),
			"for example: --reason 'called on 3 March, recording 4711'")
	}
	return nil
}

// granted is the result of `consent grant`.
type granted struct {
	Email         string `json:"email"`
	Marketing     bool   `json:"marketing"`
	RODO          bool   `json:"rodo"`
	Conversations int    `json:"conversations"` // whose consent it changes
	Leads         int    `json:"leads"`
	Changed       int    `json:"changed"`
	Unsuppressed  bool   `json:"unsuppressed"` // a suppression is lifted
	DryRun        bool   `json:"dry_run"`
}

func (c *consentGrant) run(ctx context.Context, env *Env, args []string) error {
	if err := c.check(env.opts.reason); err != nil {
		return err
	}
	p, s, err := c.begin(ctx, env, args)
	if err != nil {
		return err
	}
	defer env.closing(p)
	text, err := c.wording(ctx, env, p)
	if err != nil {
		return unreachable(p.cfg, err)
	}
	person, err := p.access(ctx, env, s, "consent grant", c.why(env))
	switch {
	case err != nil:
		return err
	case person == nil:
		return unknownPerson()
	}
	res := c.count(s, person)
	if !c.dryRun {
		if err := c.grant(ctx, env, p, s, text, res); err != nil {
			return unreachable(p.cfg, err)
		}
	}
	return env.render(res)
}

// wording is the text that --text names; empty when it names none. It has to
// be of a consent that is given.
func (c *consentGrant) wording(ctx context.Context, env *Env, p *people) (*chatops.ConsentText, error) {
	if c.text == 0 {
		return &chatops.ConsentText{}, nil
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	if err := ensureTexts(ctx, p.cfg, p); err != nil {
		return nil, err
	}
	t, err := p.ConsentText(ctx, c.text)
	const fix = "the numbers: chatops consent texts list"
	switch {
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "--text %d: there is no such consent text", c.text), fix)
	case err != nil:
		return nil, err
	case t.Kind == chatops.KindMarketing && !c.marketing || t.Kind == chatops.KindRODO && !c.rodo:
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "--text %d is a text of the %s consent, which is not given here", c.text, t.Kind), fix)
	}
	return t, nil
}

// count is what the consent would change.
func (c *consentGrant) count(s subject, p *chatops.Person) *granted {
	res := &granted{Email: s.masked, Marketing: c.marketing, RODO: c.rodo, Unsuppressed: p.Suppression != nil, DryRun: c.dryRun}
	for i := range p.Conversations {
		if c.marketing && !p.Conversations[i].MarketingConsent || c.rodo && !p.Conversations[i].RODOConsent {
			res.Conversations++
		}
	}
	for i := range p.Leads {
		if c.marketing && !p.Leads[i].MarketingConsent || c.rodo && !p.Leads[i].RODOConsent {
			res.Leads++
		}
	}
	return res
}

func (c *consentGrant) grant(ctx context.Context, env *Env, p *people, s subject, text *chatops.ConsentText, res *granted) error {
	change := fmt.Sprintf("grant %s to %s: %s and %s", wordConsent(c.marketing, c.rodo), s.masked,
		chatops.Count(res.Conversations, "conversation"), chatops.Count(res.Leads, "lead"))
	if res.Unsuppressed {
		change += ", lift the suppression"
	}
	if text.ID != 0 {
		change += fmt.Sprintf(", by text %d (%s, %s, version %d)", text.ID, text.Kind, text.Locale, text.Version)
	}
	if err := env.confirm(ctx, p.cfg, change); err != nil {
		return err
	}
	return env.record(ctx, p, personFilter{s.digest}, func() (string, error) {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		changed, err := p.GrantConsent(ctx, chatops.ConsentGrant{
			EmailKey: s.key, Marketing: c.marketing, RODO: c.rodo, Text: *text, Origin: env.origin(),
			Notes: "channel=" + c.channel + "; operator=" + env.Actor,
		})
		res.Changed = changed
		return fmt.Sprintf("%d conversations and leads changed", changed), err
	})
}

func (g *granted) sections(bool) []section {
	return []section{fields(
		"email", g.Email, "marketing", strconv.FormatBool(g.Marketing), "rodo", strconv.FormatBool(g.RODO),
		"conversations", strconv.Itoa(g.Conversations), "leads", strconv.Itoa(g.Leads), "changed", strconv.Itoa(g.Changed),
		"unsuppressed", strconv.FormatBool(g.Unsuppressed), "dry_run", strconv.FormatBool(g.DryRun),
	)}
}
