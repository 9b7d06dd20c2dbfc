package runbook

import (
	"context"
	"encoding/hex"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

type consentAuditVerify struct{ anchor string }

// newConsentAuditVerify makes `consent audit verify`.
func newConsentAuditVerify(env *Env) *cobra.Command {
	c := &consentAuditVerify{}
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that no row of the record of consent was changed, added or removed", Args: noArgs,
		Long: "Read the whole consent_audit_log and check its chain of hashes. Every finding is named by\n" +
			"its number in the chain, and the command ends with 4. Rows whose personal data was erased\n" +
			"verify like all others. With --anchor it also finds that the newest rows were cut off, or\n" +
			"that the whole chain was made anew, since the anchor was written.",
		Example: "  chatops consent audit verify\n  chatops consent audit verify --anchor /mnt/worm/consent.anchors",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().StringVar(&c.anchor, "anchor", "", "file of anchors, as chatops consent audit anchor makes it")
	return cmd
}

// chainReport is the result of `consent audit verify`.
type chainReport struct {
	OK       bool           `json:"ok"`
	Rows     int64          `json:"rows"`   // in the chain
	Erased   int64          `json:"erased"` // of these, without their personal data
	Before   int64          `json:"before"` // from before the chain
	Head     chainHead      `json:"head"`
	Anchors  int            `json:"anchors"` // that were checked
	Total    int            `json:"total"`   // findings, also those that are not listed
	Findings []chainFinding `json:"findings"`
}

// chainHead is the end of the chain.
type chainHead struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// chainFinding is something that is not as it was written.
type chainFinding struct {
	Number  int64  `json:"number"` // in the chain; 0: none
	Last    int64  `json:"last"`   // of several rows that are missing
	ID      int64  `json:"id"`     // in the table; 0: it is not there
	Problem string `json:"problem"`
}

func (c *consentAuditVerify) run(ctx context.Context, env *Env) error {
	anchors, err := env.readAnchors(c.anchor)
	if err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	ctx, cancel := env.timeout(ctx, 0) // years of rows take their time
	defer cancel()
	found, err := consent.Verify(ctx, store, anchors...)
	if err != nil {
		return unreachable(cfg, err)
	}
	report := viewChain(found)
	if err := env.render(report); err != nil {
		return err
	}
	if report.OK {
		return nil
	}
	return hint(chatops.Errorf(chatops.CodeFinding, "the record of consent is not as it was written: %s", chatops.Count(report.Total, "finding")),
		"keep the database as it is, and compare with a backup: docs/operations.md says how")
}

// readAnchors reads a file of anchors; none without a name.
func (e *Env) readAnchors(path string) ([]consent.Anchor, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := e.ReadFileFunc(path)
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeUsage, "--anchor: %w", err)
	}
	return consent.ParseAnchors(string(raw))
}

func viewChain(r *consent.Report) *chainReport {
	v := &chainReport{
		OK: r.OK(), Rows: r.Rows, Erased: r.Erased, Before: r.Before, Anchors: r.Anchors, Total: r.Total,
		Head: chainHead{r.Head.Number, hex.EncodeToString(r.Head.Hash)}, Findings: make([]chainFinding, len(r.Findings)),
	}
	for i, f := range r.Findings {
		v.Findings[i] = chainFinding{f.Number, f.Last, f.ID, string(f.Kind)}
	}
	return v
}

func (r *chainReport) sections(bool) []section {
	list := []section{fields(
		"ok", strconv.FormatBool(r.OK), "rows", strconv.FormatInt(r.Rows, 10), "erased", strconv.FormatInt(r.Erased, 10),
		"before the chain", strconv.FormatInt(r.Before, 10), "head", strconv.FormatInt(r.Head.Number, 10), "hash", r.Head.Hash,
		"anchors", strconv.Itoa(r.Anchors), "findings", strconv.Itoa(r.Total),
	)}
	s := section{title: "findings", columns: []column{{name: "row", right: true, whole: true}, {name: "id", right: true}, {name: "problem", flex: true}}}
	for _, f := range r.Findings {
		row := strconv.FormatInt(f.Number, 10)
		if f.Last > f.Number {
			row += "-" + strconv.FormatInt(f.Last, 10)
		}
		s.rows = append(s.rows, []string{row, strconv.FormatInt(f.ID, 10), f.Problem})
	}
	if len(s.rows) > 0 {
		list = append(list, s)
	}
	return list
}
