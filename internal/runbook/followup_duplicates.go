package runbook

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// repairTimeout bounds --fix: an index over a big table takes its time.
const repairTimeout = 30 * time.Minute

type followupDuplicates struct {
	fix, dryRun bool
	limit       int
}

// newFollowupDuplicates makes `followup duplicates`.
func newFollowupDuplicates(env *Env) *cobra.Command {
	c := &followupDuplicates{}
	cmd := &cobra.Command{
		Use: "duplicates", Short: "Look for follow-ups that exist twice; exit 4 when there are any", Args: noArgs,
		Long: "Tell whether the constraint uq_conversation_followup is there and which pairs of\n" +
			"conversation and number exist more than once. --fix moves all but the earliest of\n" +
			"each pair into adoption_archive and restores the constraint; others go on writing\n" +
			"meanwhile. Exit 4: something was found.",
		Example: "  chatops followup duplicates\n  chatops followup duplicates --fix --reason 'constraint was dropped'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().BoolVar(&c.fix, "fix", false, "archive all but the earliest of each pair and restore the constraint")
	cmd.Flags().IntVar(&c.limit, "limit", 10_000, "pairs to show, 1 to 1000000")
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// duplicateItem is a pair that exists more than once.
type duplicateItem struct {
	ConversationID int64   `json:"conversation_id"`
	Number         int     `json:"followup_number"`
	Count          int     `json:"count"`
	IDs            []int64 `json:"ids"`
}

// duplicateReport is the result of `followup duplicates`.
type duplicateReport struct {
	ConstraintPresent bool            `json:"constraint_present"`
	Duplicates        []duplicateItem `json:"duplicates"`

	pairs, extra int // all of them, also those that are not shown
}

func (c *followupDuplicates) run(ctx context.Context, env *Env) error {
	if c.limit < 1 || c.limit > 1_000_000 {
		return chatops.Errorf(chatops.CodeUsage, "--limit %d: must be 1 to 1000000", c.limit)
	}
	if c.fix {
		if _, err := env.settingsForChange(c.dryRun); err != nil {
			return err
		}
	}
	ctx, cancel := env.timeout(ctx, repairTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	r, err := c.look(ctx, store)
	if err != nil {
		return unreachable(cfg, err)
	}
	if err := env.render(r); err != nil {
		return err
	}
	if shown := len(r.Duplicates); shown < r.pairs {
		env.notef("there are %d more pairs: --limit", r.pairs-shown)
	}
	switch {
	case r.sound():
		return nil
	case c.fix && !c.dryRun:
		return c.repair(ctx, env, cfg, store, r)
	}
	return hint(chatops.Errorf(chatops.CodeFinding, "%s", r.finding()), "archive the extras and restore the constraint: chatops followup duplicates --fix")
}

// look collects what there is, up to the limit.
func (c *followupDuplicates) look(ctx context.Context, store chatops.FollowupStore) (*duplicateReport, error) {
	r := &duplicateReport{Duplicates: []duplicateItem{}}
	constraint, err := store.FollowupDuplicates(ctx, func(d chatops.FollowupDuplicate) error {
		r.pairs++
		r.extra += d.Count - 1
		if len(r.Duplicates) < c.limit {
			r.Duplicates = append(r.Duplicates, duplicateItem{d.ConversationID, d.Number, d.Count, d.IDs})
		}
		return nil
	})
	r.ConstraintPresent = constraint
	return r, err
}

func (c *followupDuplicates) repair(ctx context.Context, env *Env, cfg *config.Config, store chatops.Store, r *duplicateReport) error {
	change := fmt.Sprintf("archive %d extra rows of followup_event and restore uq_conversation_followup", r.extra)
	if err := env.confirm(ctx, cfg, change); err != nil {
		return err
	}
	filter := map[string]any{"pairs": r.pairs, "extra": r.extra, "constraint_present": r.ConstraintPresent}
	err := env.record(ctx, store, filter, func() (string, error) {
		archived, err := store.FixFollowupDuplicates(ctx)
		done := fmt.Sprintf("%d rows archived", archived)
		if err != nil {
			env.notef("%s before it went wrong; run it again", done)
			return "", err
		}
		return done + ", constraint restored", nil
	})
	if err != nil {
		return unreachable(cfg, err)
	}
	after, err := c.look(ctx, store)
	if err != nil {
		return unreachable(cfg, err)
	}
	if !after.sound() {
		return chatops.Errorf(chatops.CodeFinding, "afterwards still: %s", after.finding())
	}
	env.notef("archived the extras, restored uq_conversation_followup")
	return nil
}

func (r *duplicateReport) sound() bool { return r.ConstraintPresent && r.pairs == 0 }

// finding says in a line what is wrong.
func (r *duplicateReport) finding() string {
	var parts []string
	if !r.ConstraintPresent {
		parts = append(parts, "uq_conversation_followup is missing")
	}
	if r.pairs > 0 {
		parts = append(parts, fmt.Sprintf("%s with %s", chatops.Count(r.pairs, "duplicated pair"), chatops.Count(r.extra, "extra row")))
	}
	return strings.Join(parts, ", ")
}

func (r *duplicateReport) elements() []any { return pointers(r.Duplicates) }

func (r *duplicateReport) sections(bool) []section {
	state := "constraint uq_conversation_followup is there"
	if !r.ConstraintPresent {
		state = "constraint uq_conversation_followup is missing"
	}
	if r.pairs == 0 {
		return []section{{text: state + "; no duplicates"}}
	}
	t := section{columns: []column{
		{name: "conversation", right: true, whole: true}, {name: "number", right: true}, {name: "count", right: true}, {name: "ids", flex: true},
	}}
	for i := range r.Duplicates {
		d := &r.Duplicates[i]
		ids := make([]string, len(d.IDs))
		for j, id := range d.IDs {
			ids[j] = strconv.FormatInt(id, 10)
		}
		t.rows = append(t.rows, []string{
			strconv.FormatInt(d.ConversationID, 10), strconv.Itoa(d.Number), strconv.Itoa(d.Count), strings.Join(ids, ","),
		})
	}
	return []section{{text: state}, t}
}
