package runbook

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type consentExport struct {
	whose
	purpose, format, out string
}

// exportFormats are the forms of an export.
var exportFormats = []string{"json", "csv"}

// newConsentExport makes `consent export`.
func newConsentExport(env *Env) *cobra.Command {
	c := &consentExport{}
	cmd := &cobra.Command{
		Use: "export EMAIL|--stdin", Short: "Write everything that is stored about a person (RODO art. 15, 20)",
		Long: "Write everything that is stored about a person, to be handed to them: JSON, whose consent\n" +
			"records have the shape of ISO/IEC TS 27560, or CSV that is safe to open in a spreadsheet.\n" +
			"The export is on record, with its purpose, before anything is written. A file is made for\n" +
			"its owner alone, and an existing one is not overwritten.\n\n" + stdinHelp,
		Example: "  chatops consent export jan@firma.example --purpose 'request of 3 March' --out jan.json\n" +
			"  chatops consent export --stdin --purpose 'request of 3 March' --format csv --out jan.csv < address.txt",
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd)
	registerPurpose(cmd, &c.purpose)
	cmd.Flags().StringVar(&c.format, "format", "json", "json or csv")
	cmd.Flags().StringVar(&c.out, "out", "", "file to write (default standard output)")
	_ = cmd.RegisterFlagCompletionFunc("format", fixedCompletion(exportFormats...))
	return cmd
}

func (c *consentExport) run(ctx context.Context, env *Env, args []string) error {
	if err := checkPurpose(c.purpose); err != nil {
		return err
	}
	if c.format != "json" && c.format != "csv" {
		return chatops.Errorf(chatops.CodeUsage, "--format %q: must be json or csv", maskAddresses(c.format))
	}
	key, err := c.address(ctx, env, args)
	if err != nil {
		return err
	}
	if c.out != "" { // found out before the export is on record
		if _, err := os.Lstat(c.out); err == nil {
			return chatops.Errorf(chatops.CodeUsage, "--out: the file exists; nothing was written")
		}
	}
	p, err := env.openPeople(ctx)
	if err != nil {
		return err
	}
	defer env.closing(p)
	s := p.subject(key)
	person, err := p.access(ctx, env, s, "consent export", c.purpose)
	switch {
	case err != nil:
		return err
	case person == nil:
		return unknownPerson()
	}
	status, err := p.status(ctx, env, s)
	if err != nil {
		return err
	}
	raw, err := c.encode(newExport(s.key, person, status, env.NowFunc()))
	if err != nil {
		return err
	}
	if c.out != "" {
		if err := writeNew(c.out, raw); err != nil {
			return chatops.Errorf(chatops.CodeInternal, "--out: %w", err)
		}
		env.notef("wrote %d bytes; delete the file once the person has it", len(raw))
		return nil
	}
	_, err = env.Out.Write(raw)
	return unwritten(err)
}

func (c *consentExport) encode(x *export) ([]byte, error) {
	if c.format == "csv" {
		return encodeCSV(x.sections(true), true)
	}
	return encodeJSON(x, "  ")
}

// writeNew writes a file that only its owner may read. A file that cannot be
// written whole is removed.
func writeNew(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}
