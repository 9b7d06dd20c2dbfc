package runbook

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type followupDue struct {
	limit  int
	reveal bool
}

// newFollowupDue makes `followup due`.
func newFollowupDue(env *Env) *cobra.Command {
	c := &followupDue{}
	cmd := &cobra.Command{
		Use: "due", Short: "List the follow-ups that would be planned now", Args: noArgs,
		Long: "List the follow-ups that the next run of the job would plan, the longest silent\n" +
			"people first. Addresses are masked; --reveal shows them, and is written down.",
		Example: "  chatops followup due\n  chatops followup due -o json --limit 1000",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().IntVar(&c.limit, "limit", 50, "follow-ups to show, 1 to 1000")
	cmd.Flags().BoolVar(&c.reveal, "reveal", false, "show whole addresses")
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
	if c.limit < 1 || c.limit > maxPage {
		return chatops.Errorf(chatops.CodeUsage, "--limit %d: must be 1 to %d", c.limit, maxPage)
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
		// On record before anything is shown.
		err := env.record(ctx, store, map[string]any{"followups": len(due)}, func() (string, error) {
			return count(len(due), "address") + " shown", nil
		})
		if err != nil {
			return err
		}
	}
	if len(due) == 0 && env.OutTTY {
		env.notef("no follow-up is due")
	}
	return env.render(list)
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
