package runbook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// causeChange is what is said about one cause: what `dlq groups note`, `ack`,
// `mute` and `unmute` share.
type causeChange struct {
	verb   chatops.CauseVerb
	period string // --for
	text   string // --text
	remove bool
	dryRun bool
}

// newDLQGroupsNote makes `dlq groups note`.
func newDLQGroupsNote(env *Env) *cobra.Command {
	c := &causeChange{verb: chatops.CauseNote}
	cmd := c.command(env, &cobra.Command{
		Use: "note FINGERPRINT", Short: "Write a note beside a cause",
		Long: "Write a note beside a cause, for whoever looks next. It replaces the note before;\n" +
			"--remove takes it away.",
		Example: "  chatops dlq groups note 0162e7cd4702 --text 'Slack ticket 4711, they work on it'\n  chatops dlq groups note 0162e7cd4702 --remove",
	})
	cmd.Flags().StringVar(&c.text, "text", "", "the note")
	cmd.Flags().BoolVar(&c.remove, "remove", false, "take the note away")
	return cmd
}

// newDLQGroupsAck makes `dlq groups ack`.
func newDLQGroupsAck(env *Env) *cobra.Command {
	c := &causeChange{verb: chatops.CauseAck}
	return c.command(env, &cobra.Command{
		Use: "ack FINGERPRINT", Short: "Say that you are at a cause",
		Long: "Say that you are at a cause. No mail is sent about it for 24 hours, unless it grows by\n" +
			"as much again (by 10 alerts at least, by 100 at most).",
		Example: "  chatops dlq groups ack 0162e7cd4702",
	})
}

// newDLQGroupsMute makes `dlq groups mute`.
func newDLQGroupsMute(env *Env) *cobra.Command {
	c := &causeChange{verb: chatops.CauseMute}
	cmd := c.command(env, &cobra.Command{
		Use: "mute FINGERPRINT", Short: "Send no mail about a cause for a time",
		Long: "Send no mail about a cause, and list it last, until --for has passed. Its alerts are\n" +
			"delivered, counted and listed as before. When it grows by as much again (by 10 alerts\n" +
			"at least, by 100 at most) it is shown as growing, and mails are sent again.",
		Example: "  chatops dlq groups mute 0162e7cd4702 --for 12h --reason 'channel is restored on Monday'",
	})
	cmd.Flags().StringVar(&c.period, "for", "", "how long, such as 30m, 12h or 3d (required)")
	return cmd
}

// newDLQGroupsUnmute makes `dlq groups unmute`.
func newDLQGroupsUnmute(env *Env) *cobra.Command {
	c := &causeChange{verb: chatops.CauseUnmute}
	return c.command(env, &cobra.Command{
		Use: "unmute FINGERPRINT", Short: "End the mute of a cause",
		Example: "  chatops dlq groups unmute 0162e7cd4702",
	})
}

// command completes a command of this kind.
func (c *causeChange) command(env *Env, cmd *cobra.Command) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) }
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return env.completeFingerprints(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
	}
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// order checks the command line.
func (c *causeChange) order(env *Env, args []string) (*chatops.CauseOrder, error) {
	if len(args) != 1 {
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "name one cause by its fingerprint, got %d arguments", len(args)), "see what there is: chatops dlq groups")
	}
	o := &chatops.CauseOrder{Fingerprint: args[0], Verb: c.verb, Actor: env.Actor, Text: strings.TrimSpace(c.text)}
	switch {
	case c.verb == chatops.CauseNote && c.remove == (o.Text != ""):
		return nil, chatops.Errorf(chatops.CodeUsage, "give the note by --text, or --remove to take it away")
	case c.verb == chatops.CauseMute:
		lasts, err := parseFor(c.period)
		if err != nil {
			return nil, err
		}
		if lasts == 0 {
			return nil, chatops.Errorf(chatops.CodeUsage, "--for is missing: a mute needs an end, such as 12h")
		}
		o.For, o.Text = lasts, env.opts.reason
	}
	return o, o.Validate()
}

func (c *causeChange) run(ctx context.Context, env *Env, args []string) error {
	o, err := c.order(env, args)
	if err != nil {
		return err
	}
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	state, err := store.CauseState(ctx, o.Fingerprint)
	if err != nil {
		return unreachable(cfg, err)
	}
	n, err := store.CountAlerts(ctx, chatops.AlertFilter{Fingerprint: o.Fingerprint})
	if err != nil {
		return unreachable(cfg, err)
	}
	if n == 0 && state.CauseMark == (chatops.CauseMark{Fingerprint: state.Fingerprint}) {
		return hint(chatops.Errorf(chatops.CodeNotFound, "cause %s: no alert has it", o.Fingerprint), "see what there is: chatops dlq groups --status all")
	}
	res := &causeMarked{Fingerprint: o.Fingerprint, Said: string(c.verb), Alerts: n, State: state.Standing(), DryRun: c.dryRun}
	if !c.dryRun {
		if err := env.confirm(ctx, cfg, fmt.Sprintf("%s cause %s (%s)%s", c.verb, o.Fingerprint, chatops.Count(n, "alert"), lasting(o.For))); err != nil {
			return err
		}
		if err := c.carryOut(ctx, env, store, o, res); err != nil {
			return unreachable(cfg, err)
		}
	}
	return env.render(res)
}

// carryOut stores what was said and puts it on record.
func (c *causeChange) carryOut(ctx context.Context, env *Env, store chatops.Store, o *chatops.CauseOrder, res *causeMarked) error {
	filter := map[string]any{"fingerprint": o.Fingerprint, "verb": o.Verb, "for_seconds": o.For.Seconds()}
	return env.record(ctx, store, filter, func() (string, error) {
		if _, err := store.MarkCause(ctx, *o); err != nil {
			return "", err
		}
		state, err := store.CauseState(ctx, o.Fingerprint)
		if err != nil {
			return "", err
		}
		res.State = state.Standing()
		if state.Muted(state.Now) {
			res.MutedUntil = timestamp(state.MutedUntil)
		}
		return "cause is " + string(res.State), nil
	})
}

// causeMarked is the result of saying something about a cause.
type causeMarked struct {
	Fingerprint string           `json:"fingerprint"`
	Said        string           `json:"said"`
	Alerts      int64            `json:"alerts"`
	State       chatops.Standing `json:"state"`
	MutedUntil  timestamp        `json:"muted_until"`
	DryRun      bool             `json:"dry_run"`
}

func (r *causeMarked) sections(bool) []section {
	return []section{fields("fingerprint", r.Fingerprint, "said", r.Said, "alerts", fmt.Sprint(r.Alerts), "state", string(r.State),
		"muted_until", r.MutedUntil.short(), "dry_run", fmt.Sprint(r.DryRun))}
}

// completeTimeout bounds what is asked of the database for a completion.
const completeTimeout = 2 * time.Second

// completeFingerprints asks the database for causes, briefly: who completes a
// word does not wait.
func (e *Env) completeFingerprints(ctx context.Context) []cobra.Completion {
	ctx, cancel := e.timeout(ctx, completeTimeout)
	defer cancel()
	store, _, err := e.openStore(ctx)
	if err != nil {
		return nil
	}
	defer e.closing(store)
	list, err := store.AlertGroups(ctx, 25, 1)
	if err != nil {
		return nil
	}
	groups := list.Groups
	var found []cobra.Completion
	for i := range groups {
		if g := &groups[i]; g.Fingerprint != "" {
			found = append(found, cobra.CompletionWithDesc(chatops.Harmless(g.Fingerprint), chatops.Harmless(g.Sample)))
		}
	}
	return found
}
