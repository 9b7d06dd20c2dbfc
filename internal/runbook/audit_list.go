package runbook

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type auditList struct {
	actor, command, since, until, after string
	limit                               int
}

// newAuditList makes `audit list`.
func newAuditList(env *Env) *cobra.Command {
	c := &auditList{}
	cmd := &cobra.Command{
		Use: "list", Short: "List what operators changed, newest first", Args: noArgs,
		Long: "List the changes that were made from the command line or the dashboard: when, by whom,\n" +
			"from which machine, with which command and filter, why, and with what result. A change\n" +
			"that still says started was cut off, or is under way.",
		Example: "  chatops audit list --since 24h\n  chatops audit list --actor ola --command 'dlq discard' -o csv",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.StringVar(&c.actor, "actor", "", "who made the change")
	f.StringVar(&c.command, "command", "", "text that the command holds, such as 'dlq retry'")
	f.StringVar(&c.since, "since", "", "begun at or after: 24h, 7d, 2026-03-01 or RFC 3339")
	f.StringVar(&c.until, "until", "", "begun before")
	f.IntVar(&c.limit, "limit", 50, "changes in a page, 1 to 1000")
	f.StringVar(&c.after, "after", "", "next_cursor of the page before")
	return cmd
}

// actionPage is the result of `audit list`.
type actionPage struct {
	Items      []actionView `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

type actionView struct {
	ID         int64     `json:"id"`
	At         timestamp `json:"at"`
	Actor      string    `json:"actor"`
	Host       string    `json:"host"`
	Command    string    `json:"command"`
	Filter     document  `json:"filter"`
	Reason     string    `json:"reason"`
	Result     string    `json:"result"`
	FinishedAt timestamp `json:"finished_at"`
}

// filter checks the command line.
func (c *auditList) filter(env *Env) (f chatops.ActionFilter, after int64, err error) {
	f.Actor, f.Command = c.actor, c.command
	if err := checkPage(c.limit); err != nil {
		return f, 0, err
	}
	now := env.NowFunc()
	if f.Since, f.Until, err = parseSpan(c.since, c.until, now); err != nil {
		return f, 0, err
	}
	if c.after != "" {
		after, err = strconv.ParseInt(c.after, 10, 64)
		if err != nil || after < 1 {
			return f, 0, errCursor(c.after)
		}
	}
	return f, after, nil
}

func (c *auditList) run(ctx context.Context, env *Env) error {
	f, after, err := c.filter(env)
	if err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	actions, more, err := store.Actions(ctx, f, after, c.limit)
	if err != nil {
		return unreachable(cfg, err)
	}
	page := &actionPage{Items: []actionView{}}
	for _, a := range actions {
		page.Items = append(page.Items, actionView{
			ID: a.ID, At: timestamp(a.At), Actor: a.Actor, Host: a.Host, Command: a.Command, Filter: document(a.Filter),
			Reason: a.Reason, Result: a.Result, FinishedAt: timestamp(a.Finished),
		})
	}
	if more {
		cursor := strconv.FormatInt(actions[len(actions)-1].ID, 10)
		page.NextCursor = &cursor
	}
	if err := env.render(page); err != nil {
		return err
	}
	env.tellPage("changes", len(page.Items), page.NextCursor)
	return nil
}

func (p *actionPage) elements() []any { return pointers(p.Items) }

func (p *actionPage) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "id", right: true, whole: true}, {name: "at"}, {name: "actor"}, {name: "host"},
		{name: "command", flex: true}, {name: "reason", flex: true}, {name: "result", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "filter", flex: true}, column{name: "finished"})
	}
	for i := range p.Items {
		a := &p.Items[i]
		row := []string{strconv.FormatInt(a.ID, 10), a.At.short(), a.Actor, a.Host, a.Command, a.Reason, a.Result}
		if wide {
			row = append(row, string(a.Filter), a.FinishedAt.short())
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}
