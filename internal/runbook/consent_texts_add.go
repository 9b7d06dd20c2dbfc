package runbook

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type consentTextsAdd struct {
	kind, locale, validFrom string
	stdin, dryRun           bool
}

// newConsentTextsAdd makes `consent texts add`.
func newConsentTextsAdd(env *Env) *cobra.Command {
	c := &consentTextsAdd{}
	cmd := &cobra.Command{
		Use: "add FILE|--stdin", Short: "Add a new version of a wording that people agree to",
		Long: "Add a wording as the next version of its kind and language. The pages show it within\n" +
			"seconds of --valid-from, and what people agree to from then on is recorded with its\n" +
			"number. Versions are never changed or removed: consents that were given before stay on\n" +
			"record with the words they were given to, and go on holding. The chat page and the page\n" +
			"that confirms are in pl and en; other languages are for operators (consent grant --text).",
		Example: "  chatops consent texts add marketing.txt --kind marketing --locale pl --reason 'wording of the lawyers, ticket 12'\n" +
			"  chatops consent texts add --stdin --kind rodo --locale en --valid-from 2027-01-01 < rodo.txt",
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	registerKind(cmd, &c.kind, "what is agreed to: ")
	f := cmd.Flags()
	f.StringVar(&c.locale, "locale", "", "language of the wording, such as pl")
	f.StringVar(&c.validFrom, "valid-from", "", "moment from which it is shown, such as 2027-01-01 or 2027-01-01T08:00:00Z (default now)")
	f.BoolVar(&c.stdin, "stdin", false, "read the wording from standard input")
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// textAdded is the result of `consent texts add`.
type textAdded struct {
	ID        int64     `json:"id"` // 0 in a dry run
	Kind      string    `json:"kind"`
	Locale    string    `json:"locale"`
	Version   int       `json:"version"`
	ValidFrom timestamp `json:"valid_from"`
	Text      string    `json:"text"`
	DryRun    bool      `json:"dry_run"`
}

func (c *consentTextsAdd) run(ctx context.Context, env *Env, args []string) error {
	t, err := c.read(env, args)
	if err != nil {
		return err
	}
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	store, cfg, err := env.openTexts(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	res, err := c.add(ctx, env, cfg, store, t)
	if err != nil {
		return unreachable(cfg, err)
	}
	return env.render(res)
}

// read checks everything that needs no database.
func (c *consentTextsAdd) read(env *Env, args []string) (*chatops.ConsentText, error) {
	path := "-"
	switch {
	case c.stdin && len(args) > 0:
		return nil, chatops.Errorf(chatops.CodeUsage, "give the wording in a file or with --stdin, not both")
	case !c.stdin && len(args) != 1:
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "which wording? give one file, got %d arguments", len(args)), "--stdin reads it from standard input")
	case c.locale == "":
		return nil, chatops.Errorf(chatops.CodeUsage, "--locale is required: the language of the wording, such as pl")
	case !c.stdin:
		path = args[0]
	}
	if err := checkKind(c.kind); err != nil {
		return nil, err
	}
	t := &chatops.ConsentText{Kind: chatops.ConsentKind(c.kind), Locale: c.locale}
	var err error
	if t.ValidFrom, err = c.moment(env.NowFunc()); err != nil {
		return nil, err
	}
	raw, err := env.readInput(path, "the wording")
	if err != nil {
		return nil, err
	}
	t.Body = strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\ufeff"))
	return t, t.Validate()
}

// moment reads --valid-from. A wording cannot have been shown before it was
// added.
func (c *consentTextsAdd) moment(now time.Time) (time.Time, error) {
	if c.validFrom == "" {
		return time.Time{}, nil
	}
	for _, form := range momentForms {
		t, err := time.Parse(form, c.validFrom)
		switch {
		case err != nil || t.Year() < 1:
		case t.Before(now):
			return time.Time{}, hint(chatops.Errorf(chatops.CodeUsage, "--valid-from %s is in the past", c.validFrom), "leave it out: the wording holds at once")
		default:
			return t.UTC(), nil
		}
	}
	return time.Time{}, chatops.Errorf(chatops.CodeUsage,
		"--valid-from %q: must be a date (2027-01-01) or an RFC 3339 time (2027-01-01T08:00:00Z)", c.validFrom)
}

// textFilter describes the change in the record of operator actions.
type textFilter struct {
	Kind    string `json:"kind"`
	Locale  string `json:"locale"`
	Version int    `json:"version"`
}

// add asks and stores.
func (c *consentTextsAdd) add(ctx context.Context, env *Env, cfg *config.Config, store chatops.Store, t *chatops.ConsentText) (*textAdded, error) {
	last, err := lastText(ctx, env, store, t)
	if err != nil {
		return nil, err
	}
	if last.Body == t.Body {
		return nil, chatops.Errorf(chatops.CodeInvalid, "this is the wording of version %d already: nothing was added", last.Version)
	}
	res := &textAdded{Kind: c.kind, Locale: c.locale, Version: last.Version + 1, ValidFrom: timestamp(t.ValidFrom), Text: t.Body, DryRun: c.dryRun}
	if t.ValidFrom.IsZero() {
		res.ValidFrom = timestamp(env.NowFunc().UTC().Truncate(time.Second))
	}
	if c.dryRun {
		return res, nil
	}
	change := fmt.Sprintf("add version %d of the %s consent in %s, %s, valid from %s",
		res.Version, c.kind, c.locale, chatops.Count(len([]rune(t.Body)), "character"), res.ValidFrom.short())
	if err := env.confirm(ctx, cfg, change); err != nil {
		return nil, err
	}
	err = env.record(ctx, store, textFilter{c.kind, c.locale, res.Version}, func() (string, error) {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		stored, err := store.AddConsentText(ctx, t)
		if err != nil {
			return "", err
		}
		res.ID, res.Version, res.ValidFrom = stored.ID, stored.Version, timestamp(stored.ValidFrom)
		return fmt.Sprintf("text %d, version %d", stored.ID, stored.Version), nil
	})
	return res, err
}

// lastText is the newest version of a text, empty when there is none.
func lastText(ctx context.Context, env *Env, store chatops.ConsentTextStore, t *chatops.ConsentText) (chatops.ConsentText, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	texts, err := store.ConsentTexts(ctx)
	var last chatops.ConsentText
	for _, known := range texts {
		if known.Kind == t.Kind && known.Locale == t.Locale {
			last = known
		}
	}
	return last, err
}

func (a *textAdded) sections(bool) []section {
	return []section{fields(
		"id", strconv.FormatInt(a.ID, 10), "kind", a.Kind, "locale", a.Locale, "version", strconv.Itoa(a.Version),
		"valid_from", a.ValidFrom.short(), "text", strings.Join(strings.Fields(a.Text), " "), "dry_run", strconv.FormatBool(a.DryRun),
	)}
}
