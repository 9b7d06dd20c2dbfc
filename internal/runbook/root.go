package runbook

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// globals are the flags that every command has.
type globals struct {
	output     outputFormat
	noHeaders  bool
	color      colorMode
	profile    string
	configPath string
	timeout    time.Duration
	yes        bool
	noInput    bool
	reason     string
	verbose    bool
}

// Run carries out one command line (without the program's name) and returns
// the exit code. A cancelled context is an interrupt.
func Run(ctx context.Context, env *Env, args []string) int {
	env.args, env.flags, env.loaded = args, map[string]string{}, nil
	env.input, env.personal = nil, false
	root := newRoot(env)
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	return env.report(ctx, root.ExecuteContext(ctx))
}

// newRoot builds the whole tree of commands.
func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "chatops",
		Short: "Backend and runbook of the chatbot",
		Long: "chatops serves the chatbot's backend, and is the runbook for the engineer on call:\n" +
			"it shows alerts that could not be delivered and sends them again.",
		SilenceErrors: true, SilenceUsage: true,
		Version:           BuildInfo().Version,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	asGroup(root)
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return swallowed(cmd) }
	env.addGlobals(root.PersistentFlags())
	_ = root.RegisterFlagCompletionFunc("output", fixedCompletion(outputFormats...))
	_ = root.RegisterFlagCompletionFunc("color", fixedCompletion(colorModes...))
	nouns := map[string]*cobra.Command{"": root}
	for _, g := range groups() {
		parent, name, nested := strings.Cut(g.name, " ")
		if !nested {
			parent, name = "", g.name
		}
		noun := &cobra.Command{Use: name, Short: g.short, Hidden: g.hidden}
		asGroup(noun)
		nouns[g.name] = noun
		nouns[parent].AddCommand(noun)
	}
	for _, e := range catalogue() {
		cmd := e.newFunc(env)
		nouns[e.group].AddCommand(cmd)
		nouns[strings.TrimSpace(e.group+" "+cmd.Name())] = cmd
	}
	return root
}

// addGlobals registers the flags of every command.
func (e *Env) addGlobals(fs *pflag.FlagSet) {
	o := &e.opts
	*o = globals{color: "auto"}
	fs.VarP(&o.output, "output", "o", "output format: "+strings.Join(outputFormats, ", ")+" (default table on a terminal, tab-separated in a pipe)")
	fs.BoolVar(&o.noHeaders, "no-headers", false, "leave out the headers of tables")
	fs.Var(&o.color, "color", "colours: "+strings.Join(colorModes, ", "))
	fs.StringVar(&o.profile, "profile", "", "environment of the settings file to work in")
	fs.StringVar(&o.configPath, "config", "", "settings file (default ~/.config/chatops/config.toml)")
	fs.Var((*patience)(&o.timeout), "timeout", "give up after this long, such as 90s (default depends on the command)")
	fs.BoolVarP(&o.yes, "yes", "y", false, "do not ask before a change")
	fs.BoolVar(&o.noInput, "no-input", false, "never ask; refuse what would need an answer")
	fs.StringVar(&o.reason, "reason", "", "why, for the record of operator actions")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "log what is done, and show causes of errors")
	e.addSettings(fs, "")
}

// addSettings registers the flags of settings that a command has ("" for the
// ones that every command has). What is given overrides every other origin.
func (e *Env) addSettings(fs *pflag.FlagSet, command string) {
	for _, f := range config.Fields() {
		if f.Flag != "" && f.Command == command {
			fs.Var(&settingFlag{name: f.Flag, values: e.flags}, f.Flag, f.Help)
		}
	}
}

// settingFlag stores a setting's text for config.Load, which checks it.
type settingFlag struct {
	name   string
	values map[string]string
}

// Set stores the text.
func (s *settingFlag) Set(text string) error { s.values[s.name] = text; return nil }

// String returns "": the default is documented with the setting.
func (s *settingFlag) String() string { return "" }

// Type names the value in the help.
func (s *settingFlag) Type() string { return "string" }

// asGroup makes a command show its help, or name the subcommand that was meant.
func asGroup(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		err := chatops.Errorf(chatops.CodeUsage, "unknown command %q for %q", maskAddresses(args[0]), cmd.CommandPath())
		if near, ok := config.Nearest(args[0], names); ok {
			return hint(err, "did you mean: %s %s", cmd.CommandPath(), near)
		}
		return hint(err, "see: %s --help", cmd.CommandPath())
	}
}

// noArgs accepts no arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return hint(chatops.Errorf(chatops.CodeUsage, "%s takes no arguments, got %q", cmd.CommandPath(), maskAddresses(args[0])), "see: %s --help", cmd.CommandPath())
	}
	return nil
}

// fixedCompletion completes a flag from a list.
func fixedCompletion(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}
