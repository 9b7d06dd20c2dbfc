package runbook

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type consentLookup struct {
	whose
	purpose string
	reveal  bool
}

// newConsentLookup makes `consent lookup`.
func newConsentLookup(env *Env) *cobra.Command {
	c := &consentLookup{}
	cmd := &cobra.Command{
		Use: "lookup EMAIL|--stdin", Short: "Show what is stored about a person, and their consent",
		Long: "Show the consent of a person, and which conversations, leads and audit rows there are.\n" +
			"The look-up is on record, with its purpose, before anything is shown. Personal data are\n" +
			"masked without --reveal. Exit 3: nothing is stored about the address.\n\n" + stdinHelp,
		Example: "  chatops consent lookup jan@firma.example --purpose 'ticket 4711: says he still gets mail'\n" +
			"  chatops consent lookup --stdin --purpose 'RODO art. 15' --reveal -o json < address.txt",
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd)
	registerPurpose(cmd, &c.purpose)
	cmd.Flags().BoolVar(&c.reveal, "reveal", false, "show personal data in full")
	return cmd
}

func registerPurpose(cmd *cobra.Command, purpose *string) {
	cmd.Flags().StringVar(purpose, "purpose", "", "why the data is looked at, for the record (required)")
	_ = cmd.RegisterFlagCompletionFunc("purpose", cobra.NoFileCompletions)
}

// checkPurpose wants a purpose that says something.
func checkPurpose(purpose string) error {
	switch {
	case strings.TrimSpace(purpose) == "":
		return hint(chatops.Errorf(chatops.CodeUsage, "--purpose is required: every look at personal data is on record with why"),
			"for example: --purpose 'ticket 4711: asks what we store (RODO art. 15)'")
	case utf8.RuneCountInString(purpose) > maxPurpose:
		return chatops.Errorf(chatops.CodeUsage, "--purpose: must be at most %d characters", maxPurpose)
	}
	return nil
}

func (c *consentLookup) run(ctx context.Context, env *Env, args []string) error {
	if err := checkPurpose(c.purpose); err != nil {
		return err
	}
	key, err := c.address(ctx, env, args)
	if err != nil {
		return err
	}
	p, err := env.openPeople(ctx)
	if err != nil {
		return err
	}
	defer env.closing(p)
	s := p.subject(key)
	person, err := p.access(ctx, env, s, "consent lookup", c.purpose)
	switch {
	case err != nil:
		return err
	case person == nil:
		return unknownPerson()
	}
	status, err := p.status(ctx, env, s)
	if err != nil {
		return err
	}
	if err := env.render(viewPerson(s, person, status, c.reveal)); err != nil {
		return err
	}
	if env.OutTTY && !c.reveal {
		env.notef("personal data is masked: --reveal shows it")
	}
	return nil
}

// status is the consent in force; none of an address that only alerts name.
func (p *people) status(ctx context.Context, env *Env, s subject) (*chatops.ConsentStatus, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	status, err := p.ConsentStatus(ctx, s.key)
	switch {
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return &chatops.ConsentStatus{}, nil
	case err != nil:
		return nil, unreachable(p.cfg, err)
	}
	return status, nil
}
