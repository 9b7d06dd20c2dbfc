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
	In      io.Reader
	Out     io.Writer
	// RunFunc carries out another command in the same environment. It returns
	// the exit code, the output and the last thing that was said; tell is called
	// with each line that is said meanwhile.
	RunFunc func(ctx context.Context, args []string, tell func(line string)) (code int, out []byte, said string)
}

// minRefresh is the shortest pause between two looks.
const minRefresh = 500 * time.Millisecond

type dashboard struct {
	refresh            time.Duration
	write, plain, once bool
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
			"without a terminal and with TERM=dumb. --once shows everything once, in any format.",
		Example: "  chatops dashboard\n  chatops dashboard --write --profile prod\n  chatops dashboard --once -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.DurationVar(&c.refresh, "refresh", 2*time.Second, "pause between two looks")
	f.BoolVar(&c.write, "write", false, "allow changes: retry, discard, reset, trip, set, block, run")
	f.BoolVar(&c.plain, "plain", false, "write lines instead of drawing a screen")
	f.BoolVar(&c.once, "once", false, "look once, show everything and end")
	return cmd
}

func (c *dashboard) run(ctx context.Context, env *Env) error {
	switch {
	case c.refresh < minRefresh:
		return chatops.Errorf(chatops.CodeUsage, "--refresh %s: must be %s or more", c.refresh, minRefresh)
	case c.once && (c.plain || c.write):
		return chatops.Errorf(chatops.CodeUsage, "--once looks once and changes nothing: give it without --plain and --write")
	case !c.once && env.opts.output != "":
		return hint(chatops.Errorf(chatops.CodeUsage, "--output %s: a dashboard goes on and on", env.opts.output), "look once: chatops dashboard --once -o %s", env.opts.output)
	}
	cfg, err := env.settings()
	if err == nil && c.write {
		err = refuseReadOnly(cfg)
	}
	if err == nil {
		err = missingFile(cfg)
	}
	if err != nil {
		return err
	}
	d := &Dashboard{
		Config: cfg, Refresh: c.refresh, Write: c.write, Plain: c.plain || !env.drawable(), Colour: env.colored(env.OutTTY), ASCII: !env.unicode(),
		In: env.In, Out: env.Out, RunFunc: env.runInside,
	}
	if !c.once {
		return unreachable(cfg, env.DashboardFunc(ctx, d))
	}
	s, err := env.LookFunc(ctx, d)
	if err != nil {
		return unreachable(cfg, err)
	}
	view := viewSituation(cfg, s)
	if err := env.render(view); err != nil {
		return err
	}
	return view.verdict(cfg)
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
