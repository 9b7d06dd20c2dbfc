package runbook

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// Dashboard is a dashboard that is to be shown.
type Dashboard struct {
	Config  *config.Config
	Refresh time.Duration
	Write   bool // changes are allowed
	Plain   bool // lines instead of a screen
	Colour  bool
	ASCII   bool // the terminal shows no other characters
	// RecordTo is a new file in which everything that is seen is kept, Replay such
	// a file that is shown instead, from the moment At on; "" for none.
	RecordTo, Replay, At string
	In                   io.Reader
	Out                  io.Writer
	// RunFunc carries out another command in the same environment. It returns
	// the exit code, the output and the last thing that was said; tell is called
	// with each line that is said meanwhile.
	RunFunc func(ctx context.Context, args []string, tell func(line string)) (code int, out []byte, said string)
}

// Replayed is what a record is of.
type Replayed struct {
	Version, Environment, Host string
	From, Until                time.Time
	Cut                        bool // its last line is not whole
}

// minRefresh is the shortest pause between two looks.
const minRefresh = 500 * time.Millisecond

type dashboard struct {
	refresh              time.Duration
	write, plain, once   bool
	recordTo, replay, at string
	paced                bool // --refresh was given
}

// newDashboard makes `dashboard`.
func newDashboard(env *Env) *cobra.Command {
	c := &dashboard{}
	cmd := &cobra.Command{
		Use: "dashboard", Short: "Show the queue, breakers, limits, jobs and replicas live", Args: noArgs,
		Long: "Show in one screen what is broken, since when, whether it grows, and which key leads to\n" +
			"what repairs it: the queue, the causes of trouble, breakers, limits, jobs and replicas.\n" +
			"Press ? for the keys. Nothing is changed without --write, and then only after a question\n" +
			"that names the environment and the exact count.\n\n" +
			"Each part is read by itself. What is no longer fresh is dimmed and called STALE or ERROR;\n" +
			"what is not known is called unknown.\n\n" +
			"--plain writes a line at each refresh instead, for screen readers and logs; so it does\n" +
			"without a terminal and with TERM=dumb. --once shows everything once, in any format.\n\n" +
			"--record keeps everything that is shown in a new file, but for single alerts; --replay\n" +
			"shows such a file as if it happened now, and needs no database. The file names clients\n" +
			"that were refused by their address: only its owner may read it.",
		Example: "  chatops dashboard\n  chatops dashboard --write --profile prod --record incident.jsonl\n  chatops dashboard --once -o json\n" +
			"  chatops dashboard --replay incident.jsonl\n  chatops dashboard --replay incident.jsonl --once --at 12:30:05",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.paced = cmd.Flags().Changed("refresh")
			return c.run(cmd.Context(), env)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&c.refresh, "refresh", 2*time.Second, "pause between two looks")
	f.BoolVar(&c.write, "write", false, "allow changes: retry, discard, reset, trip, set, block, run")
	f.BoolVar(&c.plain, "plain", false, "write lines instead of drawing a screen")
	f.BoolVar(&c.once, "once", false, "look once, show everything and end")
	f.StringVar(&c.recordTo, "record", "", "keep everything that is shown in this new `file`")
	f.StringVar(&c.replay, "replay", "", "show this `file` instead of what is now")
	f.StringVar(&c.at, "at", "", "`moment` of a replay: RFC 3339, a time of day in UTC, or 90s from its beginning")
	return cmd
}

func (c *dashboard) run(ctx context.Context, env *Env) error {
	if err := c.check(env); err != nil {
		return err
	}
	cfg, err := env.settingsForChange(!c.write)
	if err == nil && c.replay == "" {
		err = missingFile(cfg)
	}
	if err != nil {
		return err
	}
	d := &Dashboard{
		Config: cfg, Refresh: c.refresh, Write: c.write, Plain: c.plain || !env.drawable(), Colour: env.colored(env.OutTTY), ASCII: !env.unicode(),
		RecordTo: c.recordTo, Replay: c.replay, At: c.at, In: env.In, Out: env.Out, RunFunc: env.runInside,
	}
	if !c.once {
		return unreachable(cfg, env.DashboardFunc(ctx, d))
	}
	s, replayed, err := env.LookFunc(ctx, d)
	if err != nil {
		return unreachable(cfg, err)
	}
	view := viewSituation(cfg, s)
	view.Replay = viewReplayed(c.replay, replayed)
	if err := env.render(view); err != nil || replayed != nil {
		return err
	}
	return view.verdict(cfg)
}

// check refuses what makes no sense together.
func (c *dashboard) check(env *Env) error {
	switch {
	case c.refresh < minRefresh:
		return chatops.Errorf(chatops.CodeUsage, "--refresh %s: must be %s or more", c.refresh, minRefresh)
	case c.replay != "" && (c.write || c.recordTo != "" || c.paced):
		return chatops.Errorf(chatops.CodeUsage, "--replay shows the past at its own pace: give it without --write, --record and --refresh")
	case c.at != "" && c.replay == "":
		return chatops.Errorf(chatops.CodeUsage, "--at %s: the moment of a record: give it with --replay", c.at)
	case c.once && (c.plain || c.write):
		return chatops.Errorf(chatops.CodeUsage, "--once looks once and changes nothing: give it without --plain and --write")
	case !c.once && env.opts.output != "":
		return hint(chatops.Errorf(chatops.CodeUsage, "--output %s: a dashboard goes on and on", env.opts.output), "look once: chatops dashboard --once -o %s", env.opts.output)
	}
	return nil
}

// drawable reports that there is a terminal which can be drawn on.
func (e *Env) drawable() bool {
	kind := e.getenv("TERM")
	return e.InTTY && e.OutTTY && kind != "" && kind != "dumb"
}

// unicode reports that the terminal shows more than ASCII, as its locale says.
func (e *Env) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := e.getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
