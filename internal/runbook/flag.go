package runbook

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// patience is the value of --timeout; 0 is the command's own.
type patience time.Duration

// Set reads a duration.
func (p *patience) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		var days bool
		if d, days = parseDuration(text); !days || text == "" {
			d = -1
		}
	}
	if d < 0 {
		return errors.New("must be a duration such as 90s or 5m")
	}
	*p = patience(d)
	return nil
}

// String is "" for the command's own.
func (p *patience) String() string {
	if *p == 0 {
		return ""
	}
	return time.Duration(*p).String()
}

// Type names the value in the help.
func (p *patience) Type() string { return "duration" }

// swallowed refuses a flag that another one has taken for its value, as in
// "--reason --dry-run": what it was for would be lost.
func swallowed(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, value := range flagValues(f) {
			name, isFlag := strings.CutPrefix(value, "--")
			name, _, _ = strings.Cut(name, "=")
			if isFlag && err == nil && cmd.Flags().Lookup(name) != nil {
				err = hint(chatops.Errorf(chatops.CodeUsage, "--%s has taken the flag --%s for its value: nothing was done", f.Name, name), "give --%s a value", f.Name)
			}
		}
	})
	return err
}

// flagValues are what a flag was given: one value, or those of a list.
func flagValues(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

// flagError words a flag that cannot be parsed.
func flagError(cmd *cobra.Command, err error) error {
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return err
	}
	usage := chatops.Errorf(chatops.CodeUsage, "%s", err.Error())
	var unknown *pflag.NotExistError
	if asNotExist(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near, ok := config.Nearest(unknown.GetSpecifiedName(), names); ok {
			return hint(usage, "did you mean: --%s", near)
		}
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if form := valueForm(bad.GetFlag()); form != "" {
			usage = chatops.Errorf(chatops.CodeUsage, "--%s %q: must be %s", bad.GetFlag().Name, bad.GetValue(), form)
		}
	}
	return hint(usage, "see: %s --help", cmd.CommandPath())
}

// valueForm is what the values of a flag look like, "" where the flag says so
// itself.
func valueForm(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "true or false"
	case "float64":
		return "a number"
	}
	return ""
}
