package runbook

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

type followupDue struct {
	limit   int
	reveal  bool
	purpose string
}

// newFollowupDue makes `followup due`.
func newFollowupDue(env *Env) *cobra.Command {
	c := &followupDue{}
	cmd := &cobra.Command{
		Use: "due", Short: "List the follow-ups that would be planned now", Args: noArgs,
		Long: "List the follow-ups that the next run of the job would plan, the longest silent\n" +
			"people first. Addresses are masked; --reveal shows them, once the look at each person\n" +
			"is on record with its purpose, where consent access-log shows it.",
		Example: "  chatops followup due\n  chatops followup due -o json --limit 1000\n" +
			"  chatops followup due --reveal --purpose 'ticket 4711: who gets the test mail'",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().IntVar(&c.limit, "limit", 50, "follow-ups to show, 1 to 1000")
	cmd.Flags().BoolVar(&c.reveal, "reveal", false, "show whole addresses")
	cmd.Flags().StringVar(&c.purpose, "purpose", "", "why whole addresses are looked at, for the record (required with --reveal)")
	_ = cmd.RegisterFlagCompletionFunc("purpose", cobra.NoFileCompletions)
	return cmd
}

// dueItem is a follow-up that is due.
type dueItem struct {
	ConversationID int64     `json:"conversation_id"`
	Number         int       `json:"followup_number"`
	Email          string    `json:"email"`
	Language       string    `json:"language"`
	SilentSince    timestamp `json:"silent_since"`
	DueAt          timestamp `json:"due_at"`
}

// dueList is the result of `followup due`.
type dueList struct {
	Items []dueItem `json:"items"`
}

func (c *followupDue) run(ctx context.Context, env *Env) error {
	if err := checkLimit(c.limit); err != nil {
		return err
	}
	switch {
	case c.reveal:
		if err := checkPurpose(c.purpose); err != nil {
			return err
		}
	case c.purpose != "":
		return chatops.Errorf(chatops.CodeUsage, "--purpose: nothing personal is shown without --reveal")
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	due, err := store.DueFollowups(ctx, chatops.DueQuery{Schedule: cfg.FollowupSchedule(), Limit: c.limit})
	if err != nil {
		return unreachable(cfg, err)
	}
	list := &dueList{Items: make([]dueItem, len(due))}
	for i := range due {
		d := &due[i]
		list.Items[i] = dueItem{
			ConversationID: d.ConversationID, Number: d.Number, Email: d.Email, Language: d.Language,
			SilentSince: timestamp(d.SilentSince), DueAt: timestamp(d.DueAt),
		}
		if !c.reveal {
			list.Items[i].Email = maskEmail(d.Email)
		}
	}
	if c.reveal {
		p, err := newPeople(ctx, store, cfg)
		if err != nil {
			return err
		}
		if err := c.note(ctx, env, p, due); err != nil {
			return err
		}
	}
	if len(due) == 0 && env.OutTTY {
		env.notef("no follow-up is due")
	}
	return env.render(list)
}

// note puts on record whose addresses will be shown, each person once.
func (c *followupDue) note(ctx context.Context, env *Env, p *people, due []chatops.DueFollowup) error {
	env.personal = true
	seen := map[string]bool{}
	for i := range due {
		s := p.subject(consent.KeyOf(due[i].Email))
		if seen[s.key] {
			continue
		}
		seen[s.key] = true
		if err := p.noteAccess(ctx, env, s, "followup due", c.purpose); err != nil {
			return err
		}
	}
	return nil
}

func (l *dueList) elements() []any { return pointers(l.Items) }

func (l *dueList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "conversation", right: true, whole: true}, {name: "number", right: true}, {name: "email", flex: true},
		{name: "silent_since"}, {name: "due_at"},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "language"})
	}
	for i := range l.Items {
		d := &l.Items[i]
		row := []string{
			strconv.FormatInt(d.ConversationID, 10), strconv.Itoa(d.Number), d.Email, d.SilentSince.short(), d.DueAt.short(),
		}
		if wide {
			row = append(row, d.Language)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}
