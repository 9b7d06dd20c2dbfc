package runbook

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/drill"
)

// newDrillList makes `drill list`.
func newDrillList(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Show the drills there are", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return env.render(listDrills(env.Operations)) },
	}
}

// drillList is the result of `drill list`.
type drillList struct {
	Drills []drillItem `json:"drills"`
}

// drillItem is a drill. Section is where the document speaks of its symptom.
type drillItem struct {
	Name    string `json:"name"`
	Symptom string `json:"symptom"`
	Section string `json:"section"`
}

func listDrills(document string) *drillList {
	list := &drillList{}
	for _, d := range drill.All() {
		item := drillItem{Name: d.Name, Symptom: d.Symptom}
		if steps, err := drill.Repair(document, d.Name); err == nil {
			item.Section = steps.Section
		}
		list.Drills = append(list.Drills, item)
	}
	return list
}

func (l *drillList) elements() []any { return pointers(l.Drills) }

func (l *drillList) sections(wide bool) []section {
	s := section{columns: []column{{name: "drill", whole: true}, {name: "symptom", flex: true}}}
	if wide {
		s.columns = append(s.columns, column{name: "section of docs/operations.md", flex: true})
	}
	for _, d := range l.Drills {
		row := []string{d.Name, d.Symptom}
		if wide {
			row = append(row, d.Section)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}

type drillRun struct{ auto, keep bool }

// newDrill makes `drill NAME` and `drill list`.
func newDrill(env *Env) *cobra.Command {
	c := &drillRun{}
	cmd := &cobra.Command{
		Use: "drill NAME", Short: "Practise an incident in a private installation",
		Long: "Start a private installation in a folder of its own, with played receivers and on loopback\n" +
			"ports, break something, and tell you the symptom and not the cause. Find and repair it in\n" +
			"another terminal with the real commands; the drill sees when it is repaired, and says how\n" +
			"long it took from the symptom to your first command and to the repair. Nothing else on\n" +
			"this machine is touched, and Ctrl-C removes everything.\n\n" +
			"--auto plays the repair itself, by the commands that docs/operations.md gives for the\n" +
			"symptom. --timeout ends a drill that is not repaired (30m, with --auto 1m). Exit 0: it\n" +
			"was repaired. Exit 4: it was not.",
		Example:           "  chatops drill list\n  chatops drill slack-outage\n  chatops drill breaker-stuck --auto",
		ValidArgsFunction: cobra.FixedCompletions(drill.Names(), cobra.ShellCompDirectiveNoFileComp),
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	cmd.Flags().BoolVar(&c.auto, "auto", false, "play the repair by the commands of docs/operations.md")
	cmd.AddCommand(newDrillList(env))
	cmd.Flags().BoolVar(&c.keep, "keep", false, "leave the folder with its database and log")
	return cmd
}

// drillResult is the result of `drill NAME`.
type drillResult struct {
	Drill    string   `json:"drill"`
	Repaired bool     `json:"repaired"`
	Left     string   `json:"left"`              // what was still to be done
	Detect   *float64 `json:"seconds_to_detect"` // null: no command was typed
	Repair   *float64 `json:"seconds_to_repair"` // null: it was not repaired
	Commands []string `json:"commands"`          // that were typed, in order
	Folder   string   `json:"folder,omitempty"`  // where it was kept
}

func (r *drillResult) sections(bool) []section {
	seconds := func(s *float64) string {
		if s == nil {
			return ""
		}
		return chatops.Span(time.Duration(*s * float64(time.Second)))
	}
	s := fields("drill", r.Drill, "repaired", fmt.Sprint(r.Repaired), "time to detect", seconds(r.Detect), "time to repair", seconds(r.Repair), "commands", fmt.Sprint(len(r.Commands)))
	if r.Left != "" {
		s.rows = append(s.rows, []string{"left", r.Left})
	}
	if r.Folder != "" {
		s.rows = append(s.rows, []string{"folder", r.Folder})
	}
	return []section{s}
}

func (c *drillRun) run(ctx context.Context, env *Env, args []string) error {
	if len(args) != 1 {
		return hint(chatops.Errorf(chatops.CodeUsage, "name one drill"), "see what there is: chatops drill list")
	}
	d, ok := drill.Find(args[0])
	if !ok {
		return hint(chatops.Errorf(chatops.CodeNotFound, "drill %q: not found", args[0]), "known are: %s", strings.Join(drill.Names(), ", "))
	}
	folder, err := os.MkdirTemp("", "chatops-drill-")
	if err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "drill: make a folder: %w", err)
	}
	if !c.keep {
		defer func() { _ = os.RemoveAll(folder) }()
	}
	wait := 30 * time.Minute
	if c.auto {
		wait = time.Minute
	}
	res, err := c.play(ctx, env, &d, folder, wait)
	if err != nil {
		return cmp.Or[error](env.interrupted(ctx), err)
	}
	if c.keep {
		res.Folder = folder
	}
	if err := env.render(res); err != nil {
		return err
	}
	if !c.auto && !c.keep {
		env.notef("close the other terminal: the place of its settings is gone")
	}
	switch {
	case ctx.Err() != nil:
		return env.interrupted(ctx)
	case !res.Repaired:
		return chatops.Errorf(chatops.CodeFinding, "not repaired: %s", res.Left)
	}
	return nil
}

// interrupted is the error of a context that has ended, or nil.
func (e *Env) interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return chatops.Errorf(chatops.CodeInterrupted, "interrupted: the drill was ended")
}
