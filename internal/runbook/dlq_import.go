package runbook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type dlqImport struct {
	status     string
	incomplete bool
	dryRun     bool
}

// newDLQImport makes `dlq import`.
func newDLQImport(env *Env) *cobra.Command {
	c := &dlqImport{}
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Store alerts that dlq export has written",
		Long: "Store alerts that chatops dlq export --payload has written: of another database, or of\n" +
			"this one before it was restored. An alert is known by its idempotency key and stored\n" +
			"once, however often it is imported. Nothing is sent by it: alerts that waited are stored\n" +
			"as failed, and chatops dlq retry sends them; with --status pending all that were not\n" +
			"delivered, discarded or cancelled are sent now. The whole file is checked first; with a\n" +
			"bad line, or without its last line, nothing is stored. --reason is required.",
		Example: "  chatops dlq import alerts.jsonl --dry-run\n  chatops dlq import alerts.jsonl --reason 'database restored, ticket 4711'",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	f := cmd.Flags()
	f.StringVar(&c.status, "status", "failed", "what becomes of alerts that waited or failed: failed, pending")
	f.BoolVar(&c.incomplete, "incomplete", false, "import a file that was cut short")
	dryRunFlag(cmd, &c.dryRun)
	_ = cmd.RegisterFlagCompletionFunc("status", fixedCompletion("failed", "pending"))
	return cmd
}

// importResult is the result of `dlq import`.
type importResult struct {
	Alerts   int64                         `json:"alerts"` // in the file
	Imported int64                         `json:"imported"`
	Known    int64                         `json:"known"` // left alone
	ByStatus map[chatops.AlertStatus]int64 `json:"by_status"`
	DryRun   bool                          `json:"dry_run"`
}

func (r *importResult) sections(bool) []section {
	return []section{fields("alerts", fmt.Sprint(r.Alerts), "become", r.become(), "imported", fmt.Sprint(r.Imported),
		"known", fmt.Sprint(r.Known), "dry_run", fmt.Sprint(r.DryRun))}
}

// become words how many alerts get which status.
func (r *importResult) become() string {
	var parts []string
	for _, status := range chatops.AlertStatuses() {
		if n := r.ByStatus[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return strings.Join(parts, ", ")
}

// check checks what needs neither the file nor a database.
func (c *dlqImport) check(env *Env, args []string) error {
	switch {
	case len(args) != 1:
		return chatops.Errorf(chatops.CodeUsage, "name one file, or - for standard input, got %d arguments", len(args))
	case c.status != string(chatops.AlertFailed) && c.status != string(chatops.AlertPending):
		return chatops.Errorf(chatops.CodeUsage, "--status %q: must be failed or pending", c.status)
	case strings.TrimSpace(env.opts.reason) == "" && !c.dryRun:
		return hint(chatops.Errorf(chatops.CodeUsage, "--reason is required: the record has to tell where these alerts come from"),
			"for example: --reason 'database restored, ticket 4711'")
	}
	return nil
}

func (c *dlqImport) run(ctx context.Context, env *Env, args []string) error {
	if err := c.check(env, args); err != nil {
		return err
	}
	cfg, err := env.settingsForChange(c.dryRun)
	if err != nil {
		return err
	}
	file, err := env.openImport(args[0])
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	r := &alertReader{waiting: chatops.AlertStatus(c.status), incomplete: c.incomplete}
	res := &importResult{ByStatus: map[chatops.AlertStatus]int64{}, DryRun: c.dryRun}
	err = r.each(ctx, file, func(a *chatops.Alert) error {
		res.ByStatus[a.Status]++
		res.Alerts++
		return nil
	})
	if err != nil {
		return env.tellBadLines(r, err)
	}
	if c.dryRun || res.Alerts == 0 {
		return env.render(res)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return chatops.Errorf(chatops.CodeInternal, "read the file again: %w", err)
	}
	err = c.store(ctx, env, r, file, res)
	if errRender := env.render(res); errRender != nil && err == nil {
		return errRender
	}
	return unreachable(cfg, err)
}

// store asks, and stores what the file holds in batches.
func (c *dlqImport) store(ctx context.Context, env *Env, r *alertReader, file io.Reader, res *importResult) error {
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	if err := env.confirm(ctx, cfg, c.change(res)); err != nil {
		return err
	}
	filter := map[string]any{"alerts": res.Alerts, "by_status": res.ByStatus, "status": c.status}
	err = env.record(ctx, store, filter, func() (string, error) {
		err := importBatches(ctx, env, store, r, file, res)
		text := fmt.Sprintf("imported %d, known %d of %d", res.Imported, res.Known, res.Alerts)
		if err != nil && res.Imported > 0 {
			err = hint(chatops.WrapError(chatops.ErrorCode(err), err, chatops.ErrorMessage(err)+": "+text), "import the file again: what is stored is left alone")
		}
		return text, err
	})
	if err == nil && res.ByStatus[chatops.AlertPending] > 0 {
		return store.Announce(ctx)
	}
	return err
}

func (c *dlqImport) change(res *importResult) string {
	text := fmt.Sprintf("import %s (%s)", chatops.Count(int(res.Alerts), "alert"), res.become())
	if n := res.ByStatus[chatops.AlertPending]; n > 0 {
		return text + fmt.Sprintf(" and send %d of them", n)
	}
	return text + "; none is sent"
}

// importBatches stores the alerts of a file.
func importBatches(ctx context.Context, env *Env, store chatops.TransferStore, r *alertReader, file io.Reader, res *importResult) error {
	var batch []chatops.Alert
	flush := func() error {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		n, err := store.ImportAlerts(ctx, batch)
		if err == nil {
			res.Imported += int64(n)
			res.Known += int64(len(batch) - n)
		}
		batch = batch[:0]
		return err
	}
	err := r.each(ctx, file, func(a *chatops.Alert) error {
		if batch = append(batch, *a); len(batch) == exportPage {
			return flush()
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	return err
}

// openImport opens a file that is read twice. Standard input is kept in a file
// of its owner meanwhile.
func (e *Env) openImport(path string) (*os.File, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, chatops.Errorf(chatops.CodeUsage, "open the export: %w", err)
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, chatops.Errorf(chatops.CodeUsage, "open the export: %s is a folder: name the file", path)
		}
		return f, nil
	}
	f, err := os.CreateTemp("", "chatops-import-*") // mode 0600
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeInternal, "keep standard input: %w", err)
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open
	if _, err = io.Copy(f, e.In); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(chatops.Errorf(chatops.CodeInternal, "keep standard input: %w", err), f.Close())
	}
	return f, nil
}

// tellBadLines names the bad lines of a file.
func (e *Env) tellBadLines(r *alertReader, err error) error {
	for _, line := range r.bad {
		e.notef("%s", line)
	}
	if more := r.badCount - len(r.bad); more > 0 {
		e.notef("and %d more", more)
	}
	return err
}
