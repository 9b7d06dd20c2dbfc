package runbook

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type consentAccessLog struct {
	whose
	limit int
}

// newConsentAccessLog makes `consent access-log`.
func newConsentAccessLog(env *Env) *cobra.Command {
	c := &consentAccessLog{}
	cmd := &cobra.Command{
		Use: "access-log [EMAIL|--stdin]", Short: "Show who looked at personal data, when and why",
		Long: "Show the look-ups of personal data, newest first: of one address, or of all. The log\n" +
			"names people by a digest that only the consent keys can make; an export of alerts with\n" +
			"their payloads may be about anybody, and is shown for every address.\n\n" + stdinHelp,
		Example: "  chatops consent access-log\n  chatops consent access-log jan@firma.example -o json",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd)
	cmd.Flags().IntVar(&c.limit, "limit", 50, "look-ups to show, 1 to 1000")
	return cmd
}

// accessList is the result of `consent access-log`.
type accessList struct {
	Items []accessView `json:"items"`
}

type accessView struct {
	ID      int64     `json:"id"`
	At      timestamp `json:"at"`
	Actor   string    `json:"actor"`
	Command string    `json:"command"`
	Purpose string    `json:"purpose"`
	Subject string    `json:"subject"`
}

func (c *consentAccessLog) run(ctx context.Context, env *Env, args []string) error {
	if err := checkLimit(c.limit); err != nil {
		return err
	}
	key := ""
	if c.stdin || len(args) > 0 {
		var err error
		if key, err = c.address(ctx, env, args); err != nil {
			return err
		}
	}
	p, err := env.openPeople(ctx)
	if err != nil {
		return err
	}
	defer env.closing(p)
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	subjects := []string{""}
	if key != "" {
		// Those of older keys too, and looks at what may be about everybody.
		subjects = append(p.marks.Of(key), anybody)
	}
	var entries []chatops.AccessEntry
	for _, subject := range subjects {
		some, err := p.AccessLog(ctx, subject, c.limit)
		if err != nil {
			return unreachable(p.cfg, err)
		}
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, func(a, b chatops.AccessEntry) int { return int(b.ID - a.ID) })
	list := &accessList{Items: []accessView{}}
	for _, e := range entries[:min(len(entries), c.limit)] {
		list.Items = append(list.Items, accessView{e.ID, timestamp(e.At), e.Actor, e.Command, e.Purpose, e.Subject})
	}
	if len(list.Items) == 0 && env.OutTTY {
		env.notef("no look-ups")
	}
	return env.render(list)
}

func (l *accessList) elements() []any { return pointers(l.Items) }

func (l *accessList) sections(wide bool) []section {
	s := section{columns: []column{
		{name: "id", right: true, whole: true}, {name: "at"}, {name: "actor"}, {name: "command", flex: true}, {name: "purpose", flex: true},
	}}
	if wide {
		s.columns = append(s.columns, column{name: "subject", flex: true})
	}
	for _, a := range l.Items {
		row := []string{strconv.FormatInt(a.ID, 10), a.At.short(), a.Actor, a.Command, a.Purpose}
		if wide {
			row = append(row, a.Subject)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}
