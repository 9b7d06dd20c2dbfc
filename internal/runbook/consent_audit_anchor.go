package runbook

import (
	"context"
	"encoding/hex"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

type consentAuditAnchor struct{ out string }

// newConsentAuditAnchor makes `consent audit anchor`.
func newConsentAuditAnchor(env *Env) *cobra.Command {
	c := &consentAuditAnchor{}
	cmd := &cobra.Command{
		Use: "anchor", Short: "Write down where the record of consent ends, to keep elsewhere", Args: noArgs,
		Long: "Print the number and hash of the newest row of consent_audit_log. Whoever can write the\n" +
			"database can cut rows off its end, or make the whole chain anew; an anchor that is kept\n" +
			"where they cannot write tells. --out adds a line to a file, so that one file can hold the\n" +
			"anchors of years. An anchor holds no personal data.",
		Example: "  chatops consent audit anchor --out /mnt/worm/consent.anchors",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().StringVar(&c.out, "out", "", "file to add the anchor to")
	return cmd
}

// anchorView is the result of `consent audit anchor`.
type anchorView struct {
	Number int64     `json:"number"`
	Hash   string    `json:"hash"`
	At     timestamp `json:"at"`
	Line   string    `json:"line"` // as a file of anchors has it
}

func (c *consentAuditAnchor) run(ctx context.Context, env *Env) error {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	head, err := store.AuditHead(ctx)
	if err != nil {
		return unreachable(cfg, err)
	}
	a := consent.NewAnchor(head, env.NowFunc())
	if c.out != "" {
		if err := appendLine(c.out, a.String()); err != nil {
			return chatops.Errorf(chatops.CodeInternal, "--out: %w", err)
		}
	}
	return env.render(&anchorView{a.Number, hex.EncodeToString(a.Hash), timestamp(a.At), a.String()})
}

// appendLine adds a line to a file, which is made when it is not there, and
// waits until the disk has it.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644) //nolint:gosec // nothing in it is secret
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	if err == nil {
		err = f.Sync()
	}
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	return err
}

// sections are the line alone: what a shell adds to a file by itself.
func (a *anchorView) sections(wide bool) []section {
	if !wide {
		return []section{{text: a.Line}}
	}
	return []section{fields("number", strconv.FormatInt(a.Number, 10), "hash", a.Hash, "at", a.At.short())}
}
