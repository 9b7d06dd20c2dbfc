package runbook

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type dlqGroups struct {
	selection
	limit int
}

// newDLQGroups makes `dlq groups`, which has commands of its own.
func newDLQGroups(env *Env) *cobra.Command {
	c := &dlqGroups{}
	cmd := &cobra.Command{
		Use: "groups", Short: "List the causes of trouble, the largest first", Args: noArgs,
		Long: "List the causes of pending and failed alerts: how many, since when, whether it grows,\n" +
			"and what was said about them. One cause is one integration, code and wording of the\n" +
			"error; ids, times, numbers and hosts in it make no difference. Causes that are muted\n" +
			"come last, and are shown as growing when they have grown by as much again (by 10 at\n" +
			"least, by 100 at most) since. They count in the totals all the time.",
		Example: "  chatops dlq groups\n  chatops dlq groups --since 2h --target slack:alerts -o json\n" +
			"  chatops dlq groups ack 0162e7cd4702\n  chatops dlq retry --fingerprint 0162e7cd4702 --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	c.register(cmd, "pending,failed")
	cmd.Flags().IntVar(&c.limit, "limit", 50, "causes to show, 1 to 1000")
	return cmd
}

func (c *dlqGroups) run(ctx context.Context, env *Env) error {
	filter, err := c.filter(env.NowFunc(), unhappy)
	if err != nil {
		return err
	}
	if err := checkLimit(c.limit); err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	list, err := store.Causes(ctx, filter, c.limit)
	if err != nil {
		return unreachable(cfg, err)
	}
	res := &groupList{Items: []groupView{}, Total: groupTotal{Groups: list.Groups, Alerts: list.Alerts}}
	for i := range list.Causes {
		standing, err := standingOf(ctx, store, &list.Causes[i], list)
		if err != nil {
			return unreachable(cfg, err)
		}
		res.Items = append(res.Items, viewGroup(&list.Causes[i], standing))
	}
	res.order()
	if err := env.render(res); err != nil {
		return err
	}
	env.tellGroups(res)
	return nil
}

// standingOf is the state of a cause. It is that of all its alerts, whatever the
// filter of the list.
func standingOf(ctx context.Context, store chatops.CauseStore, c *chatops.Cause, list *chatops.CauseList) (chatops.Standing, error) {
	if c.Fingerprint == "" || !c.Muted(list.Now) && !c.Acknowledged(list.Now) {
		return chatops.StandingOpen, nil
	}
	state, err := store.CauseState(ctx, c.Fingerprint)
	if err != nil {
		return "", err
	}
	return state.Standing(), nil
}

// tellGroups says on a terminal what a table cannot.
func (e *Env) tellGroups(l *groupList) {
	if !e.OutTTY {
		return
	}
	known := slices.IndexFunc(l.Items, func(c groupView) bool { return c.Retry != "" })
	switch {
	case len(l.Items) == 0:
		e.notef("no alerts match")
	case known >= 0:
		e.notef("when a cause is gone, see what a retry would do: %s", l.Items[known].Retry)
	}
	if int64(len(l.Items)) < l.Total.Groups {
		e.notef("there are %d causes more: --limit shows up to %d", l.Total.Groups-int64(len(l.Items)), maxPage)
	}
}

// groupList is the result of `dlq groups`.
type groupList struct {
	Items []groupView `json:"items"`
	Total groupTotal  `json:"total"` // of all causes, those beyond --limit and muted ones too
}

type groupTotal struct {
	Groups int64 `json:"groups"`
	Alerts int64 `json:"alerts"`
	Muted  int   `json:"muted"` // of the causes shown
}

// order puts causes that are muted behind the others.
func (l *groupList) order() {
	muted := func(c *groupView) bool { return c.State == chatops.StandingMuted }
	slices.SortStableFunc(l.Items, func(a, b groupView) int {
		switch {
		case muted(&a) == muted(&b):
			return 0
		case muted(&a):
			return 1
		}
		return -1
	})
	for i := range l.Items {
		if l.Items[i].MutedUntil != nil {
			l.Total.Muted++
		}
	}
}

func (l *groupList) elements() []any { return pointers(l.Items) }

func (l *groupList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "fingerprint", whole: true}, {name: "state", colorFunc: standingColor}, {name: "count", right: true, whole: true}, {name: "trend"},
		{name: "integration"}, {name: "code"}, {name: "error", flex: true}, {name: "note", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "pending", right: true}, column{name: "failed", right: true}, column{name: "first_seen"},
			column{name: "last_seen"}, column{name: "type"}, column{name: "target"}, column{name: "sample", right: true}, column{name: "said"})
	}
	for i := range l.Items {
		c := &l.Items[i]
		row := []string{c.Fingerprint, string(c.State), strconv.FormatInt(c.Count, 10), c.Trend.words(), c.Integration, c.Code, c.Sample, c.Note}
		if wide {
			row = append(row, strconv.FormatInt(c.ByStatus[chatops.AlertPending], 10), strconv.FormatInt(c.ByStatus[chatops.AlertFailed], 10),
				c.FirstSeen.short(), c.LastSeen.short(), c.EventType, c.Target, strconv.FormatInt(c.SampleID, 10), c.said())
		}
		s.rows = append(s.rows, row)
	}
	return []section{s, fields("causes", strconv.FormatInt(l.Total.Groups, 10), "alerts", strconv.FormatInt(l.Total.Alerts, 10), "muted", strconv.Itoa(l.Total.Muted))}
}

// standingColor is the colour of a state on a terminal.
func standingColor(state string) string {
	return map[chatops.Standing]string{chatops.StandingGrowing: "red", chatops.StandingOpen: "yellow", chatops.StandingAcknowledged: "cyan"}[chatops.Standing(state)]
}
