package runbook

import (
	"errors"

	"github.com/spf13/cobra"

	"chatops/internal/config"
)

// newConfigView makes `config view`.
func newConfigView(env *Env) *cobra.Command {
	origin := false
	cmd := &cobra.Command{
		Use: "view", Short: "Show every setting in force, secrets redacted", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runConfigView(env, origin) },
	}
	cmd.Flags().BoolVar(&origin, "show-origin", false, "show where each value comes from")
	return cmd
}

// settingsView is the result of `config view`.
type settingsView struct {
	Profile  *string       `json:"profile"`
	File     *string       `json:"file"`
	Settings []settingView `json:"settings"`
	origin   bool
}

type settingView struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin,omitempty"`
	Source string `json:"source,omitempty"`
}

// runConfigView shows the settings even when some are bad, and then reports
// those: this is where an operator looks for the cause.
func runConfigView(env *Env, origin bool) error {
	loaded, err := config.Load(env.sources())
	var problems *config.ProblemError
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	env.loaded = loaded
	view := &settingsView{origin: origin, Settings: []settingView{}}
	if name := loaded.Config.Profile.Name; name != "" {
		view.Profile = &name
	}
	if loaded.Path != "" {
		view.File = &loaded.Path
	}
	for _, s := range loaded.Settings {
		one := settingView{Name: s.Env, Value: s.Shown}
		if origin {
			one.Origin, one.Source = string(s.Origin), s.Detail
		}
		view.Settings = append(view.Settings, one)
	}
	if errRender := env.render(view); errRender != nil {
		return errRender
	}
	for _, w := range loaded.Warnings {
		env.notef("warning: %s", w)
	}
	return err
}

func (v *settingsView) elements() []any { return pointers(v.Settings) }

func (v *settingsView) sections(bool) []section {
	t := section{columns: []column{{name: "name", whole: true}, {name: "value", flex: true}}}
	if v.origin {
		t.columns = append(t.columns, column{name: "origin"}, column{name: "source", flex: true})
	}
	for _, s := range v.Settings {
		row := []string{s.Name, s.Value}
		if v.origin {
			row = append(row, s.Origin, s.Source)
		}
		t.rows = append(t.rows, row)
	}
	return []section{t}
}
