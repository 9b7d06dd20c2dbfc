package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/doctor"
)

// checkTimeout bounds each check.
const checkTimeout = 10 * time.Second

type doctorCommand struct {
	names        []string
	watch, probe bool
}

// newDoctor makes `doctor`.
func newDoctor(env *Env) *cobra.Command {
	c := &doctorCommand{}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for every known symptom, its cause and what repairs it", Args: noArgs,
		Long: "Check everything that the runbook knows, side by side: settings, database, schema, disk,\n" +
			"replicas, clocks, breakers, queue, limits, Redis, jobs, follow-ups, consent and its record.\n" +
			"Each finding comes with its cause and the command that repairs it. Nothing is changed.\n\n" +
			"ok needs nobody, and skipped has nothing to look at; a warning is not broken yet, or was\n" +
			"ordered by somebody; unknown could not be found out. Exit 0: everything is ok or skipped.\n" +
			"Exit 4: there is a warning, a problem or something unknown. Exit 5: the database does not\n" +
			"answer; what does not need it was checked all the same.\n\n" +
			"Checks: " + wrapWords(doctor.Names(), 88) + ".",
		Example: "  chatops doctor\n  chatops doctor --check queue,breakers -o json\n  chatops doctor --probe\n  chatops doctor --watch",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&c.names, "check", nil, "only these checks; may be repeated")
	f.BoolVar(&c.watch, "watch", false, "look again every two seconds and show what has changed, until Ctrl-C")
	f.BoolVar(&c.probe, "probe", false, "connect to each integration that is configured here, sending no message")
	_ = cmd.RegisterFlagCompletionFunc("check", fixedCompletion(doctor.Names()...))
	return cmd
}

// wrapWords lists words in lines of a width.
func wrapWords(words []string, width int) string {
	var b strings.Builder
	column := len("Checks: ")
	for i, word := range words {
		if i > 0 {
			b.WriteByte(',')
			if column+len(word)+2 > width {
				b.WriteByte('\n')
				column = 0
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(word)
		column += len(word) + 2
	}
	return b.String()
}

func (c *doctorCommand) run(ctx context.Context, env *Env) error {
	checks, unknown := doctor.Choose(c.names)
	if len(unknown) > 0 {
		return hint(chatops.Errorf(chatops.CodeUsage, "--check %q: there is no such check", unknown[0]), "checks are: %s", strings.Join(doctor.Names(), ", "))
	}
	env.noteForDrill()
	first, err := c.examine(ctx, env, checks)
	if err != nil {
		return err
	}
	if err := env.render(first); err != nil {
		return err
	}
	if c.watch {
		return c.keepWatching(ctx, env, checks, first)
	}
	return first.verdict()
}

// keepWatching examines again and again, and shows what has changed.
func (c *doctorCommand) keepWatching(ctx context.Context, env *Env, checks []doctor.Check, last *examination) error {
	for chatops.Sleep(ctx, watchEvery) {
		now, err := c.examine(ctx, env, checks)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		changes := now.since(last)
		last = now
		if len(changes.Checks) == 0 {
			continue
		}
		if err := env.show(changes, false, false); err != nil {
			return err
		}
	}
	return &quiet{chatops.Errorf(chatops.CodeInterrupted, "interrupted")}
}

// examination is the result of `doctor`.
type examination struct {
	At     timestamp    `json:"at"`
	State  doctor.State `json:"state"` // the worst of all
	Checks []checkView  `json:"checks"`
}

// checkView is one check. Findings are empty where all is well.
type checkView struct {
	Name     string        `json:"name"`
	State    doctor.State  `json:"state"`
	Text     string        `json:"text"`
	Findings []findingView `json:"findings"`
	TookMS   float64       `json:"took_ms"`

	was doctor.State // what it was at the look before; "" where nothing changed
}

// findingView is something that is not as it should be.
type findingView struct {
	State   doctor.State `json:"state"`
	Text    string       `json:"text"`
	Cause   string       `json:"cause"`
	Command string       `json:"command"`
}

// viewExamination shows results; place completes a command for where it is typed.
func viewExamination(at time.Time, results []doctor.Result, place func(string) string) *examination {
	e := &examination{At: timestamp(at), State: doctor.Worst(results), Checks: make([]checkView, len(results))}
	for i, r := range results {
		v := checkView{Name: r.Name, State: r.State, Text: r.Text, Findings: []findingView{}, TookMS: float64(r.Took.Microseconds()) / 1000}
		for _, f := range r.Findings {
			v.Findings = append(v.Findings, findingView{f.State, f.Text, f.Cause, place(f.Command)})
		}
		e.Checks[i] = v
	}
	return e
}

// since is what has changed since another look: states, and what is to be done.
func (e *examination) since(last *examination) *examination {
	changes := &examination{At: e.At, State: e.State, Checks: []checkView{}}
	for i, now := range e.Checks {
		if was := &last.Checks[i]; was.State != now.State || !slices.Equal(was.commands(), now.commands()) {
			now.was = was.State
			changes.Checks = append(changes.Checks, now)
		}
	}
	return changes
}

func (v *checkView) commands() []string {
	var list []string
	for _, f := range v.Findings {
		list = append(list, f.Command)
	}
	return list
}

// verdict is the error of an examination that found something.
func (e *examination) verdict() error {
	var bad []string
	for _, v := range e.Checks {
		if v.Name == doctor.NameDatabase && v.State == doctor.Problem {
			f := v.Findings[0]
			return chatops.Errorf(chatops.CodeUnavailable, "%s: %s", f.Text, f.Cause)
		}
		if !v.State.Sound() {
			bad = append(bad, v.Name+" ("+string(v.State)+")")
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return chatops.Errorf(chatops.CodeFinding, "%d of %d checks need you: %s", len(bad), len(e.Checks), strings.Join(bad, ", "))
}

func (e *examination) elements() []any { return pointers(e.Checks) }

func (e *examination) sections(wide bool) []section {
	t := section{columns: []column{
		{name: "check", whole: true}, {name: "state", whole: true, colorFunc: stateOfHealth}, {name: "finding", flex: true},
	}}
	if wide {
		t.columns = append(t.columns, column{name: "cause", flex: true}, column{name: "command", whole: true}, column{name: "took", right: true})
	}
	var advice []string
	for _, v := range e.Checks {
		state := string(v.State)
		if v.was != "" && v.was != v.State {
			state = string(v.was) + " -> " + state
		}
		row := []string{v.Name, state, v.Text}
		if wide {
			worst := findingView{}
			if len(v.Findings) > 0 {
				worst = v.Findings[0]
			}
			row = append(row, worst.Cause, worst.Command, fmt.Sprintf("%.1f ms", v.TookMS))
		}
		t.rows = append(t.rows, row)
		for _, f := range v.Findings {
			advice = append(advice, f.advice(v.Name))
		}
	}
	list := []section{t}
	if len(advice) > 0 && !wide {
		list = append(list, section{title: "what to do", text: strings.Join(advice, "\n")})
	}
	return list
}

// advice is a finding with its cause and what repairs it.
func (f *findingView) advice(check string) string {
	text := check + ": " + f.Text
	if f.Cause != "" {
		text += "\n  cause   " + f.Cause
	}
	return text + "\n  repair  " + f.Command
}

func stateOfHealth(state string) string {
	_, now, changed := strings.Cut(state, " -> ")
	if !changed {
		now = state
	}
	return map[string]string{"ok": "green", "warning": "yellow", "unknown": "magenta", "problem": "red"}[now]
}
