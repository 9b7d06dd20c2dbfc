package runbook

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newConfigCheck makes `config check`.
func newConfigCheck(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check every setting; exit 4 when any is wrong", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runConfigCheck(env) },
	}
}

// settingsCheck is the result of `config check`.
type settingsCheck struct {
	OK       bool          `json:"ok"`
	Problems []problemView `json:"problems"`
	Warnings []string      `json:"warnings"`
}

type problemView struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Origin   string `json:"origin"`
	Expected string `json:"expected"`
}

func runConfigCheck(env *Env) error {
	loaded, err := config.Load(env.sources())
	var bad *config.ProblemError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	check := &settingsCheck{OK: err == nil, Problems: []problemView{}, Warnings: append([]string{}, loaded.Warnings...)}
	if bad != nil {
		for _, p := range bad.Problems {
			check.Problems = append(check.Problems, problemView(p))
		}
	}
	if err := env.render(check); err != nil {
		return err
	}
	if !check.OK {
		return chatops.Errorf(chatops.CodeFinding, "%s in the settings", chatops.Count(len(check.Problems), "problem"))
	}
	return nil
}

func (c *settingsCheck) elements() []any { return pointers(c.Problems) }

func (c *settingsCheck) sections(bool) []section {
	var list []section
	if c.OK {
		list = append(list, section{text: "the settings are sound"})
	} else {
		t := section{columns: []column{{name: "key", whole: true}, {name: "value", flex: true}, {name: "origin", flex: true}, {name: "expected", whole: true}}}
		for _, p := range c.Problems {
			t.rows = append(t.rows, []string{p.Key, p.Value, p.Origin, p.Expected})
		}
		list = append(list, t)
	}
	for _, w := range c.Warnings {
		list = append(list, section{text: fmt.Sprintf("warning: %s", w)})
	}
	return list
}
