package runbook

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// maxPage is the most alerts that one list shows.
const maxPage = 1000

// unhappy are the statuses that an operator looks for when not saying so.
var unhappy = []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}

type dlqList struct {
	selection
	limit int
	after string
}

// newDLQList makes `dlq list`.
func newDLQList(env *Env) *cobra.Command {
	c := &dlqList{}
	cmd := &cobra.Command{
		Use: "list", Short: "List alerts, newest first", Args: noArgs,
		Example: "  chatops dlq list\n  chatops dlq list --status failed --target slack:alerts --since 24h\n  chatops dlq list --status all -o json --limit 200",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	c.register(cmd, "pending,failed")
	cmd.Flags().IntVar(&c.limit, "limit", 50, "alerts in a page, 1 to 1000")
	cmd.Flags().StringVar(&c.after, "after", "", "next_cursor of the page before")
	return cmd
}

// alertPage is the result of `dlq list`.
type alertPage struct {
	Items      []alertItem `json:"items"`
	NextCursor *string     `json:"next_cursor"`
}

func (c *dlqList) run(ctx context.Context, env *Env) error {
	filter, err := c.filter(env.NowFunc(), unhappy)
	if err != nil {
		return err
	}
	if err := checkPage(c.limit); err != nil {
		return err
	}
	after, err := decodeCursor(c.after)
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
	alerts, next, err := store.Alerts(ctx, filter, after, c.limit)
	if err != nil {
		return unreachable(cfg, err)
	}
	page := &alertPage{Items: make([]alertItem, len(alerts))}
	for i := range alerts {
		page.Items[i] = viewAlert(&alerts[i], cfg.DLQRetries)
	}
	if next != nil {
		text := encodeCursor(next)
		page.NextCursor = &text
	}
	if err := env.render(page); err != nil {
		return err
	}
	env.tellPage("alerts", len(page.Items), page.NextCursor)
	return nil
}

func (p *alertPage) elements() []any { return pointers(p.Items) }

func (p *alertPage) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "id", right: true, whole: true}, {name: "status", colorFunc: statusColor}, {name: "type", flex: true},
		{name: "target", flex: true}, {name: "retries", right: true}, {name: "created"}, {name: "error", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "last_attempt"}, column{name: "next_attempt"}, column{name: "delivered"}, column{name: "fingerprint"})
	}
	for i := range p.Items {
		a := &p.Items[i]
		row := []string{strconv.FormatInt(a.ID, 10), string(a.Status), a.EventType, a.Target, a.retries(), a.CreatedAt.short(), a.ErrorMessage}
		if wide {
			row = append(row, a.LastAttemptAt.short(), a.NextAttemptAt.short(), a.DeliveredAt.short(), a.Fingerprint)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}
