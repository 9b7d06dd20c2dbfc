package runbook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// importBatch is how many addresses one transaction stores.
const importBatch = 5000

// maxImport bounds the file: millions of addresses.
const maxImport = 128 << 20

type consentImport struct {
	scope, source string
	dryRun        bool
}

// newConsentImport makes `consent import`.
func newConsentImport(env *Env) *cobra.Command {
	c := &consentImport{}
	cmd := &cobra.Command{
		Use: "import FILE.csv|-", Short: "Suppress the addresses of a list, such as that of another mail program",
		Long: "Suppress every address of a CSV file: that of its column \"email\", or one address in a\n" +
			"line. Columns are separated by commas, semicolons or tabs. An address that is suppressed\n" +
			"already stays so; --dry-run counts those too. Lines that hold no address are named by their numbers and counted; the\n" +
			"others are stored, and the command ends with 6. Doing it again does no harm.",
		Example: "  chatops consent import unsubscribed.csv --source mailer --reason 'move from the old mailer'\n  chatops consent import - --dry-run < list.txt",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return hint(chatops.Errorf(chatops.CodeUsage, "%s needs one file, got %d arguments", cmd.CommandPath(), len(args)), "- reads standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&c.scope, "scope", "marketing", "what is not to be done with the addresses: marketing, all")
	f.StringVar(&c.source, "source", "import", "where the list comes from, at most 50 characters")
	dryRunFlag(cmd, &c.dryRun)
	_ = cmd.RegisterFlagCompletionFunc("scope", fixedCompletion("marketing", "all"))
	return cmd
}

// imported is the result of `consent import`.
type imported struct {
	Addresses  int       `json:"addresses"`  // different ones in the file
	Added      int       `json:"added"`      // that were not suppressed before
	Already    *int      `json:"already"`    // that were; null: a dry run could not ask the database
	Duplicates int       `json:"duplicates"` // lines that repeat an address of the file
	BadLines   int       `json:"bad_lines"`
	Bad        []badLine `json:"bad"`
	DryRun     bool      `json:"dry_run"`
}

func (c *consentImport) run(ctx context.Context, env *Env, path string) error {
	env.personal = true
	switch {
	case c.scope != "marketing" && c.scope != "all":
		return chatops.Errorf(chatops.CodeUsage, "--scope %q: must be marketing or all", maskAddresses(c.scope))
	case c.source == "" || len(c.source) > 50:
		return chatops.Errorf(chatops.CodeUsage, "--source: must be 1 to 50 characters")
	}
	raw, err := env.readInput(path, "the list")
	if err != nil {
		return err
	}
	list, err := readAddresses(raw)
	if err != nil {
		return err
	}
	for _, b := range list.bad[:min(len(list.bad), maxBadTold)] {
		env.notef("line %d: %s", b.Line, b.Problem)
	}
	if more := len(list.bad) - maxBadTold; more > 0 {
		env.notef("and %d more; -o json lists all", more)
	}
	if len(list.keys) == 0 {
		return chatops.Errorf(chatops.CodeInvalid, "the list holds no address: nothing was imported")
	}
	res := &imported{Addresses: len(list.keys), Duplicates: list.duplicates, BadLines: len(list.bad), Bad: list.bad, DryRun: c.dryRun}
	if c.dryRun {
		c.ask(ctx, env, list.keys, res)
	} else if err := c.store(ctx, env, list.keys, res); err != nil {
		return err
	}
	if err := env.render(res); err != nil {
		return err
	}
	if res.BadLines > 0 {
		return hint(chatops.Errorf(chatops.CodePartial, "%s held no address and %s skipped", chatops.Count(res.BadLines, "line"), wasWere(res.BadLines)),
			"correct them and import the file again: what is suppressed already stays so")
	}
	return nil
}

// maxBadTold is how many bad lines standard error names.
const maxBadTold = 20

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// readInput reads a file, or standard input for "-". what names it in errors.
func (e *Env) readInput(path, what string) ([]byte, error) {
	if path != "-" {
		raw, err := e.ReadFileFunc(path)
		if err != nil {
			return nil, chatops.Errorf(chatops.CodeUsage, "read %s: %w", what, err)
		}
		if len(raw) > maxImport {
			return nil, chatops.Errorf(chatops.CodeTooLarge, "%s has over %d MiB: split it", what, maxImport>>20)
		}
		return raw, nil
	}
	raw, err := io.ReadAll(io.LimitReader(e.In, maxImport+1))
	switch {
	case err != nil:
		return nil, chatops.Errorf(chatops.CodeInternal, "read standard input: %w", err)
	case len(raw) > maxImport:
		return nil, chatops.Errorf(chatops.CodeTooLarge, "%s has over %d MiB: split it", what, maxImport>>20)
	}
	return raw, nil
}

// importFilter describes the import in the record of operator actions.
type importFilter struct {
	Addresses int    `json:"addresses"`
	Scope     string `json:"scope"`
	Source    string `json:"source"`
}

// store asks and suppresses, in batches. What a failure leaves is told.
func (c *consentImport) store(ctx context.Context, env *Env, keys []string, res *imported) error {
	if _, err := env.settingsForChange(false); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	change := fmt.Sprintf("suppress %s (scope %s, source %s)", countAddresses(len(keys)), c.scope, c.source)
	if err := env.confirm(ctx, cfg, change); err != nil {
		return err
	}
	err = env.record(ctx, store, importFilter{len(keys), c.scope, c.source}, func() (string, error) {
		done := 0
		for batch := range slices.Chunk(keys, importBatch) {
			added, err := c.storeBatch(ctx, env, store, batch)
			if err != nil {
				if done > 0 {
					err = hint(err, "%d of %d addresses were stored; importing the file again goes on", done, len(keys))
				}
				return "", err
			}
			done += len(batch)
			res.Added += added
		}
		already := len(keys) - res.Added
		res.Already = &already
		return fmt.Sprintf("%d added, %d suppressed before", res.Added, already), nil
	})
	return unreachable(cfg, err)
}

// ask counts what is suppressed already. A list can be checked without a
// database too: then that is what is not told.
func (c *consentImport) ask(ctx context.Context, env *Env, keys []string, res *imported) {
	store, _, err := env.openStore(ctx)
	if err == nil {
		defer env.closing(store)
		already := 0
		for batch := range slices.Chunk(keys, importBatch) {
			var n int
			if n, err = countSuppressed(ctx, env, store, batch); err != nil {
				break
			}
			already += n
		}
		if err == nil {
			res.Already = &already
			return
		}
	}
	env.notef("note: how many are suppressed already is not known: %s", chatops.ErrorMessage(err))
}

func countSuppressed(ctx context.Context, env *Env, store chatops.PersonStore, keys []string) (int, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	return store.CountSuppressed(ctx, keys)
}

func (c *consentImport) storeBatch(ctx context.Context, env *Env, store chatops.PersonStore, keys []string) (int, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	now := env.NowFunc().UTC()
	list := make([]chatops.Suppression, len(keys))
	for i, key := range keys {
		list[i] = chatops.Suppression{EmailKey: key, Scope: c.scope, Source: c.source, CreatedAt: now}
	}
	added, err := store.AddSuppressions(ctx, list)
	if err != nil && ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	return added, err
}

func countAddresses(n int) string {
	if n == 1 {
		return "1 address"
	}
	return strconv.Itoa(n) + " addresses"
}

func (r *imported) sections(bool) []section {
	already := "unknown"
	if r.Already != nil {
		already = strconv.Itoa(*r.Already)
	}
	return []section{fields(
		"addresses", strconv.Itoa(r.Addresses), "added", strconv.Itoa(r.Added), "already", already,
		"duplicates", strconv.Itoa(r.Duplicates), "bad_lines", strconv.Itoa(r.BadLines), "dry_run", strconv.FormatBool(r.DryRun),
	)}
}
