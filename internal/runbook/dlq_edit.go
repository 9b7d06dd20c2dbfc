package runbook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type dlqEdit struct {
	sets    []string
	payload string
	dryRun  bool
}

// newDLQEdit makes `dlq edit`.
func newDLQEdit(env *Env) *cobra.Command {
	c := &dlqEdit{}
	cmd := &cobra.Command{
		Use: "edit ID", Short: "Send a failed alert again with another payload", Args: oneID,
		Long: "Correct the payload of a failed alert and send it. The original is kept, discarded, and\n" +
			"linked with the alert that replaces it; chatops dlq show tells of both. The new one has\n" +
			"an idempotency key of its own, so receivers take it for another message. The payload\n" +
			"must keep the form of its type. Without --set and --payload the editor of VISUAL or\n" +
			"EDITOR is opened. The difference is shown on the terminal and nowhere else. Off unless\n" +
			"DLQ_EDIT is true; --reason is required.",
		Example: "  chatops dlq edit 17 --set fields.city=Gdańsk --reason 'typing error of the visitor'\n  chatops dlq edit 17 --payload corrected.json --reason 'ticket 4711'",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args[0]) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.sets, "set", nil, "PATH=VALUE: a field that there is, such as fields.city=Gdańsk; repeated")
	f.StringVar(&c.payload, "payload", "", "file with the whole payload; - is standard input")
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// editResult is the result of `dlq edit`.
type editResult struct {
	ID         int64  `json:"id"`
	ReplacedBy *int64 `json:"replaced_by"` // null in a dry run
	Lines      int    `json:"lines"`       // of the payload that differ
	DryRun     bool   `json:"dry_run"`
}

func (r *editResult) sections(bool) []section {
	by := ""
	if r.ReplacedBy != nil {
		by = fmt.Sprint(*r.ReplacedBy)
	}
	return []section{fields("id", fmt.Sprint(r.ID), "replaced_by", by, "lines", fmt.Sprint(r.Lines), "dry_run", fmt.Sprint(r.DryRun))}
}

// check checks what needs no database.
func (c *dlqEdit) check(env *Env) (*config.Config, error) {
	cfg, err := env.settings()
	switch {
	case err != nil:
		return nil, err
	case cfg.Profile.ReadOnly && !c.dryRun:
		return nil, refuseReadOnly(cfg)
	case !cfg.DLQEdit:
		return nil, hint(chatops.Errorf(chatops.CodeRefused, "payloads are not edited here: nothing was changed"), "DLQ_EDIT=true allows it")
	case len(c.sets) > 0 && c.payload != "":
		return nil, chatops.Errorf(chatops.CodeUsage, "give --set or --payload, not both")
	case len(c.sets) == 0 && c.payload == "" && (!env.InTTY || env.opts.noInput):
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "there is no terminal for an editor"), "give --set or --payload")
	case strings.TrimSpace(env.opts.reason) == "" && !c.dryRun:
		return nil, chatops.Errorf(chatops.CodeUsage, "--reason is required: the record has to tell why a payload was changed")
	}
	return cfg, nil
}

func (c *dlqEdit) run(ctx context.Context, env *Env, word string) error {
	id, err := parseID(word)
	if err != nil {
		return err
	}
	if _, err := c.check(env); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	alert, err := editedAlert(ctx, env, store, id)
	if err != nil {
		return unreachable(cfg, err)
	}
	payload, err := c.change(ctx, env, alert)
	if err != nil {
		return err
	}
	payload = bytes.TrimSpace(payload)
	if err := alert.CheckEdit(payload); err != nil {
		return err
	}
	diff := diffLines(ordered(alert.Payload), ordered(payload))
	res := &editResult{ID: id, Lines: len(diff), DryRun: c.dryRun}
	if len(diff) == 0 {
		env.notef("the payload is the same: nothing was changed")
		return env.render(res)
	}
	env.showDiff(diff)
	if !c.dryRun {
		if err := c.replace(ctx, env, cfg, store, &chatops.AlertEdit{AlertID: id, Payload: payload, Actor: env.Actor, Reason: env.opts.reason}, res); err != nil {
			return unreachable(cfg, err)
		}
	}
	return env.render(res)
}

// editedAlert reads the alert, which has to be failed.
func editedAlert(ctx context.Context, env *Env, store chatops.AlertStore, id int64) (*chatops.Alert, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	alert, _, err := store.Alert(ctx, id)
	switch {
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return nil, hint(chatops.Errorf(chatops.CodeNotFound, "alert %d: not found", id), "see: chatops dlq list --status all")
	case err != nil:
		return nil, err
	case alert.Status != chatops.AlertFailed:
		return nil, chatops.Errorf(chatops.CodeConflict, "alert %d is %s: only failed alerts are edited", id, alert.Status)
	}
	return alert, alert.CheckEdit(alert.Payload)
}

// replace asks, replaces the alert and puts it on record, without the payload.
func (c *dlqEdit) replace(ctx context.Context, env *Env, cfg *config.Config, store chatops.Store, e *chatops.AlertEdit, res *editResult) error {
	change := fmt.Sprintf("replace alert %d by one whose payload differs in %s, and send that", e.AlertID, chatops.Count(res.Lines, "line"))
	if err := env.confirm(ctx, cfg, change); err != nil {
		return err
	}
	err := env.record(ctx, store, chatops.AlertFilter{IDs: []int64{e.AlertID}}, func() (string, error) {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		made, err := store.ReplaceAlert(ctx, *e)
		if err != nil {
			return "", err
		}
		res.ReplacedBy = &made
		return fmt.Sprintf("alert %d is replaced by %d", e.AlertID, made), nil
	})
	if err != nil {
		return err
	}
	return store.Announce(ctx)
}

// change makes the new payload.
func (c *dlqEdit) change(ctx context.Context, env *Env, a *chatops.Alert) (json.RawMessage, error) {
	switch {
	case c.payload != "":
		return env.readInput(c.payload, "the payload")
	case len(c.sets) == 0:
		return env.editor(ctx, document(a.Payload).pretty())
	}
	object, ok := decodeNumbers(a.Payload).(map[string]any)
	if !ok {
		return nil, chatops.Errorf(chatops.CodeInvalid, "the payload is no JSON object; give the whole of it by --payload")
	}
	for _, set := range c.sets {
		path, value, ok := strings.Cut(set, "=")
		if !ok || path == "" {
			return nil, chatops.Errorf(chatops.CodeUsage, "--set: must be PATH=VALUE, such as fields.city=Gdańsk")
		}
		if err := setField(object, strings.Split(path, "."), value); err != nil {
			return nil, err
		}
	}
	raw, err := encodeJSON(object, "")
	if err != nil {
		return nil, err
	}
	return raw[:len(raw)-1], nil // the line break
}

// setField changes a field that there is. What was a text stays one.
func setField(object map[string]any, path []string, value string) error {
	was, ok := object[path[0]]
	if !ok {
		return hint(chatops.Errorf(chatops.CodeUsage, "--set: the payload has no field %q", path[0]), "give the whole payload by --payload to add one")
	}
	if len(path) > 1 {
		inner, ok := was.(map[string]any)
		if !ok {
			return chatops.Errorf(chatops.CodeUsage, "--set: the field %q holds no others", path[0])
		}
		return setField(inner, path[1:], value)
	}
	if _, text := was.(string); text {
		object[path[0]] = value
		return nil
	}
	if !json.Valid([]byte(value)) {
		return chatops.Errorf(chatops.CodeUsage, "--set: the field %q is no text, and the value no JSON", path[0])
	}
	object[path[0]] = json.RawMessage(value)
	return nil
}

// decodeNumbers decodes JSON and keeps every digit of its numbers; nil when it is
// none.
func decodeNumbers(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

// ordered is a payload in lines, its fields in alphabetical order.
func ordered(raw json.RawMessage) string {
	if v := decodeNumbers(raw); v != nil {
		if text, err := encodeJSON(v, "  "); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return document(raw).pretty()
}
