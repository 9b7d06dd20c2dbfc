package runbook

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// exportPage is how many alerts are in memory at once.
const exportPage = 1000

// anybody is the subject of a look at data that may be about everybody.
const anybody = "*"

type dlqExport struct {
	selection
	payload bool
	purpose string
	out     string
}

// newDLQExport makes `dlq export`.
func newDLQExport(env *Env) *cobra.Command {
	c := &dlqExport{}
	cmd := &cobra.Command{
		Use: "export", Short: "Write every alert that matches, as JSON lines or CSV", Args: noArgs,
		Long: "Write every alert that matches, newest first: JSON lines, or with -o csv a table that is\n" +
			"safe to open in a spreadsheet. However many they are, a thousand are in memory at once.\n" +
			"Payloads hold personal data: --payload adds them, needs a --purpose, and is on record\n" +
			"before anything is written. Standard error tells how many were written, and an export\n" +
			"that was cut short does not end with 0; with --payload the last of the JSON lines is\n" +
			"{\"exported\":N}, which chatops dlq import looks for. A file is made for its owner alone,\n" +
			"appears when it is whole, and an existing one is not overwritten.",
		Example: "  chatops dlq export --status failed -o csv --output-file failed.csv\n" +
			"  chatops dlq export --since 24h --payload --purpose 'ticket 4711: moved to the new database' --output-file alerts.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	c.register(cmd, "pending,failed")
	f := cmd.Flags()
	f.BoolVar(&c.payload, "payload", false, "write the payloads too; needs --purpose")
	registerPurpose(cmd, &c.purpose)
	f.Lookup("purpose").Usage = "why the payloads are looked at, for the record (required with --payload)"
	f.StringVar(&c.out, "output-file", "", "file to write (default standard output)")
	return cmd
}

// check checks what needs no database.
func (c *dlqExport) check(env *Env) (csv bool, err error) {
	switch env.opts.output {
	case "", "jsonl":
	case "csv":
		csv = true
	default:
		return false, chatops.Errorf(chatops.CodeUsage, "--output %s: an export is jsonl or csv", env.opts.output)
	}
	if c.payload {
		err = checkPurpose(c.purpose)
	} else if c.purpose != "" {
		err = chatops.Errorf(chatops.CodeUsage, "--purpose without --payload: nothing personal is written, so nothing goes on record")
	}
	if err == nil && c.out != "" {
		err = checkAbsent(c.out)
	}
	return csv, err
}

func (c *dlqExport) run(ctx context.Context, env *Env) error {
	filter, err := c.filter(env.NowFunc(), unhappy)
	if err != nil {
		return err
	}
	csv, err := c.check(env)
	if err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	if c.payload {
		if err := c.onRecord(ctx, env, store, filter); err != nil {
			return unreachable(cfg, err)
		}
	}
	var n int64
	write := func(w io.Writer) error {
		x := newExportWriter(w, csv, c.payload, !env.opts.noHeaders, cfg.DLQRetries)
		var err error
		n, err = exportAlerts(ctx, env, store, filter, x)
		return err
	}
	if c.out == "" {
		err = write(env.Out)
	} else {
		err = writeAtomically(c.out, write)
	}
	if err != nil {
		if n > 0 && !isClosedPipe(err) {
			env.notef("the export is incomplete: it was cut short after %s", chatops.Count(n, "alert"))
		}
		return unreachable(cfg, err)
	}
	env.notef("exported %s", chatops.Count(n, "alert"))
	return nil
}

// onRecord writes down who looks at the payloads, before they do.
func (c *dlqExport) onRecord(ctx context.Context, env *Env, store chatops.PersonStore, filter chatops.AlertFilter) error {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	command := "dlq export --payload"
	if words := describe(filter); words != "" {
		command += " (" + words + ")"
	}
	return store.LogAccess(ctx, chatops.AccessEntry{Actor: env.Actor, Command: maskAddresses(command), Purpose: strings.TrimSpace(c.purpose), Subject: anybody})
}

// exportAlerts writes page after page and returns how many alerts it wrote. The
// pages begin where the one before ended, so an alert that changes meanwhile is
// written once or, when it no longer matches, not at all.
func exportAlerts(ctx context.Context, env *Env, store chatops.AlertStore, filter chatops.AlertFilter, x *exportWriter) (n int64, err error) {
	var after chatops.AlertCursor
	for {
		page, next, err := exportedPage(ctx, env, store, filter, after)
		if err != nil {
			return n, err
		}
		for i := range page {
			if err := x.write(&page[i]); err != nil {
				return n, unwritten(err)
			}
		}
		if err := x.flush(); err != nil {
			return n, unwritten(err)
		}
		n += int64(len(page))
		if next == nil {
			return n, unwritten(x.end(n))
		}
		after = *next
	}
}

func exportedPage(ctx context.Context, env *Env, store chatops.AlertStore, filter chatops.AlertFilter, after chatops.AlertCursor) ([]chatops.Alert, *chatops.AlertCursor, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	return store.Alerts(ctx, filter, after, exportPage)
}
