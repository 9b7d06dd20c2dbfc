package runbook

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type consentTextsList struct{ kind, locale string }

// newConsentTextsList makes `consent texts list`.
func newConsentTextsList(env *Env) *cobra.Command {
	c := &consentTextsList{}
	cmd := &cobra.Command{
		Use: "list", Short: "Show the wordings that people agree to, and which one is in use",
		Long: "Show every version of the wordings that people agree to. The number is what the audit\n" +
			"log names and what chatops consent grant --text takes. \"current\" is what the pages show.",
		Example: "  chatops consent texts list\n  chatops consent texts list --kind marketing --locale pl -o json",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	registerKind(cmd, &c.kind, "only this consent: ")
	cmd.Flags().StringVar(&c.locale, "locale", "", "only this language, such as pl")
	return cmd
}

// registerKind adds the flag --kind of a consent text.
func registerKind(cmd *cobra.Command, into *string, help string) {
	names := kindNames()
	cmd.Flags().StringVar(into, "kind", "", help+strings.Join(names, ", "))
	_ = cmd.RegisterFlagCompletionFunc("kind", fixedCompletion(names...))
}

func kindNames() []string {
	var names []string
	for _, p := range chatops.ConsentKinds() {
		names = append(names, string(p))
	}
	return names
}

// checkKind refuses a kind that does not exist.
func checkKind(kind string) error {
	if names := kindNames(); !slices.Contains(names, kind) {
		return chatops.Errorf(chatops.CodeUsage, "--kind %q: must be one of %s", kind, strings.Join(names, ", "))
	}
	return nil
}

// openTexts opens the store with the built-in wordings in it, as a server has
// it. The caller closes it.
func (e *Env) openTexts(ctx context.Context) (chatops.Store, *config.Config, error) {
	ctx, cancel := e.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := e.openStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := ensureTexts(ctx, cfg, store); err != nil {
		e.closing(store)
		return nil, nil, unreachable(cfg, err)
	}
	return store, cfg, nil
}

// ensureTexts stores the built-in wordings where there is none, but for a
// profile that may only read.
func ensureTexts(ctx context.Context, cfg *config.Config, store chatops.ConsentTextStore) error {
	if cfg.Profile.ReadOnly {
		return nil
	}
	return store.EnsureConsentTexts(ctx, chatops.BuiltInConsentTexts())
}

// textList is the result of `consent texts list`.
type textList struct {
	Items []textView `json:"items"`
}

type textView struct {
	ID        int64     `json:"id"`
	Kind      string    `json:"kind"`
	Locale    string    `json:"locale"`
	Version   int       `json:"version"`
	State     string    `json:"state"` // current, future, replaced
	ValidFrom timestamp `json:"valid_from"`
	Text      string    `json:"text"`
}

func (c *consentTextsList) run(ctx context.Context, env *Env) error {
	if c.kind != "" {
		if err := checkKind(c.kind); err != nil {
			return err
		}
	}
	store, cfg, err := env.openTexts(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	texts, err := store.ConsentTexts(ctx)
	if err != nil {
		return unreachable(cfg, err)
	}
	list := &textList{Items: []textView{}}
	for _, v := range viewTexts(texts, env.NowFunc()) {
		if (c.kind == "" || v.Kind == c.kind) && (c.locale == "" || v.Locale == c.locale) {
			list.Items = append(list.Items, v)
		}
	}
	if len(list.Items) == 0 && env.OutTTY {
		env.notef("no such texts")
	}
	return env.render(list)
}

// viewTexts tells which version of each text is in use. The list is in the
// order of the versions.
func viewTexts(texts []chatops.ConsentText, now time.Time) []textView {
	views := make([]textView, len(texts))
	current := map[string]int{}
	for i, t := range texts {
		views[i] = textView{t.ID, string(t.Kind), t.Locale, t.Version, "replaced", timestamp(t.ValidFrom), t.Body}
		if t.ValidFrom.After(now) {
			views[i].State = "future"
			continue
		}
		name := views[i].Kind + " " + t.Locale
		if before, ok := current[name]; ok {
			views[before].State = "replaced"
		}
		views[i].State, current[name] = "current", i
	}
	return views
}

func (l *textList) elements() []any { return pointers(l.Items) }

func (l *textList) sections(bool) []section {
	s := section{columns: []column{
		{name: "id", right: true, whole: true}, {name: "kind", whole: true}, {name: "locale"}, {name: "version", right: true}, {name: "state"},
		{name: "valid_from"}, {name: "text", flex: true},
	}}
	for _, t := range l.Items {
		s.rows = append(s.rows, []string{
			strconv.FormatInt(t.ID, 10), t.Kind, t.Locale, strconv.Itoa(t.Version), t.State, t.ValidFrom.short(),
			strings.Join(strings.Fields(t.Text), " "),
		})
	}
	return []section{s}
}
