package runbook

import (
	"cmp"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/drill"
)

// exercise is a drill that is under way.
type exercise struct {
	env   *Env
	drill *drill.Drill
	rng   *drill.Range
	vars  map[string]string // of the installation and its commands
	cfg   *config.Config
	told  time.Time // when the symptom was told
}

// play runs the installation, breaks it, and waits for the repair. The time for
// it begins when the symptom is told.
func (c *drillRun) play(ctx context.Context, env *Env, d *drill.Drill, folder string, wait time.Duration) (*drillResult, error) {
	r, err := drill.Open(ctx, d, folder)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	x := &exercise{env: env, drill: d, rng: r, vars: r.Settings()}
	maps.Copy(x.vars, map[string]string{"HOME": folder, drillVariable: folder, "CHATOPS_ACTOR": env.Actor})
	stop, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	evidence, err := d.Break(ctx, r)
	if err != nil {
		return nil, err
	}
	if left, err := d.Left(ctx, r); err != nil || left == "" {
		return nil, cmp.Or[error](err, chatops.Errorf(chatops.CodeInternal, "drill %s: nothing is broken", d.Name))
	}
	x.told = env.NowFunc()
	if err := x.tell(evidence, c.auto); err != nil {
		return nil, err
	}
	within, cancel := env.timeout(ctx, wait)
	defer cancel()
	if c.auto {
		if err := x.repair(within); err != nil {
			return nil, err
		}
	}
	return x.wait(within, c.auto)
}

func (x *exercise) lookup(name string) (string, bool) { v, ok := x.vars[name]; return v, ok }

// tell says what the engineer is to know.
func (x *exercise) tell(evidence string, auto bool) error {
	file := filepath.Join(x.rng.Folder, "env")
	if err := x.link(); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(x.exports()), 0o600); err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "drill: write the environment: %w", err)
	}
	e := x.env
	e.sayf("drill %s, with %s in %s\n\n%s\n", x.drill.Name, x.rng.Uses(), x.rng.Folder, e.paragraph(x.drill.Symptom))
	for line := range strings.Lines(evidence) {
		e.sayf("  | %s\n", chatops.Harmless(strings.TrimRight(line, "\n")))
	}
	if auto {
		e.sayf("\n")
		return nil
	}
	e.sayf("\nIn another terminal, make it the place where commands work, and repair it:\n\n  . %s\n  cd %s\n  chatops doctor\n\n", quoteWord(file), quoteWord(x.rng.Folder))
	e.sayf("The time runs. Ctrl-C gives up and removes everything.\n")
	return nil
}

// paragraph breaks a text into lines as wide as a terminal, which would break it
// inside of words. Elsewhere it stays one line.
func (e *Env) paragraph(text string) string {
	if !e.ErrTTY || e.Width <= 0 {
		return text
	}
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+width > e.Width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	return b.String()
}

// commands is the folder of the program, under the name that documents give it.
func (x *exercise) commands() string { return filepath.Join(x.rng.Folder, "bin") }

// link makes the commands of the other terminal this very program, wherever it
// lies and whatever its file is called.
func (x *exercise) link() error {
	program, err := os.Executable()
	if err == nil {
		err = os.Mkdir(x.commands(), 0o700)
	}
	if err == nil {
		err = os.Symlink(program, filepath.Join(x.commands(), "chatops"))
	}
	if err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "drill: link the program: %w", err)
	}
	return nil
}

// exports is a shell script that makes a terminal one of the installation. Other
// settings of the terminal are taken away: they may be those of a real one.
func (x *exercise) exports() string {
	var b strings.Builder
	for _, f := range config.Fields() {
		if _, ours := x.vars[f.Env]; !ours {
			b.WriteString("unset " + f.Env + " " + f.Env + "_FILE\n")
		}
	}
	b.WriteString("unset CHATOPS_PROFILE XDG_CONFIG_HOME\n")
	b.WriteString("export PATH=" + quoteWord(x.commands()) + ":\"$PATH\"\n")
	for _, name := range slices.Sorted(maps.Keys(x.vars)) {
		b.WriteString("export " + name + "=" + quoteWord(x.vars[name]) + "\n")
	}
	return b.String()
}

// wait looks until all is repaired, or the time is over.
func (x *exercise) wait(ctx context.Context, auto bool) (*drillResult, error) {
	const lookEvery, quickly = time.Second, 50 * time.Millisecond
	every := lookEvery
	if auto {
		every = quickly
	}
	res := &drillResult{Drill: x.drill.Name}
	for {
		left, err := x.drill.Left(ctx, x.rng)
		if ctx.Err() == nil && err != nil {
			left = chatops.ErrorMessage(err)
		}
		if ctx.Err() == nil || res.Left == "" {
			res.Left = left
		}
		if drill.Spoilt(err) {
			break
		}
		if err == nil && left == "" {
			res.Repaired, res.Repair, res.Left = true, seconds(x.env.NowFunc().Sub(x.told)), ""
			break
		}
		if !chatops.Sleep(ctx, every) {
			break
		}
	}
	res.Commands, res.Detect = x.typed()
	return res, nil
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// repair types the commands that the document gives.
func (x *exercise) repair(ctx context.Context) error {
	steps, err := drill.Repair(x.env.Operations, x.drill.Name)
	if err != nil {
		return err
	}
	for _, command := range steps.Commands {
		x.env.sayf("$ %s\n", command)
		if err := x.typeCommand(ctx, command, x.env.Err); err != nil {
			return err
		}
	}
	return nil
}

// typeCommand carries out one command as if it had been typed in the folder of
// the drill, and writes what it says to out. What changes something is confirmed.
func (x *exercise) typeCommand(ctx context.Context, command string, out io.Writer) error {
	words, input := drill.Words(command, func(name string) string { return x.vars[name] })
	if len(words) == 0 || words[0] != "chatops" {
		return x.rng.Command(ctx, words)
	}
	inner := *x.env
	inner.LookupEnvFunc = x.lookup
	inner.In, inner.Out, inner.Err = strings.NewReader(""), out, out
	inner.InTTY, inner.OutTTY, inner.ErrTTY = false, false, false
	if input != "" {
		f, err := os.Open(filepath.Join(x.rng.Folder, input))
		if err != nil {
			return chatops.Errorf(chatops.CodeInvalid, "drill: %w", err)
		}
		defer func() { _ = f.Close() }()
		inner.In = io.Reader(f)
	}
	code := Run(ctx, &inner, append(words[1:], "--yes", "-o", "table"))
	if code != exitOK && code != exitFinding { // a finding is what is looked for
		return chatops.Errorf(chatops.CodeInternal, "drill: %s ended with %d", command, code)
	}
	return nil
}
