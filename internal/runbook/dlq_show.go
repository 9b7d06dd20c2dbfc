package runbook

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newDLQShow makes `dlq show`.
func newDLQShow(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one alert with its payload and every attempt", Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error { return runDLQShow(cmd.Context(), env, args[0]) },
	}
}

// oneID accepts exactly one argument.
func oneID(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return hint(chatops.Errorf(chatops.CodeUsage, "%s needs one alert id, got %d arguments", cmd.CommandPath(), len(args)), "see: chatops dlq list")
	}
	return nil
}

// alertDetail is the result of `dlq show`.
type alertDetail struct {
	alertItem
	IdempotencyKey string        `json:"idempotency_key"`
	MessageID      string        `json:"message_id,omitempty"` // of a mail, up to the @
	OperationID    *string       `json:"operation_id"`
	Attempts       []attemptView `json:"attempts"`
	Payload        document      `json:"payload"`
	Replaces       int64         `json:"replaces,omitempty"` // by dlq edit
	ReplacedBy     int64         `json:"replaced_by,omitempty"`
}

func runDLQShow(ctx context.Context, env *Env, word string) error {
	id, err := parseID(word)
	if err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	alert, attempts, err := store.Alert(ctx, id)
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return hint(chatops.Errorf(chatops.CodeNotFound, "alert %d: not found", id), "see: chatops dlq list --status all")
	}
	if err != nil {
		return unreachable(cfg, err)
	}
	detail := &alertDetail{
		alertItem: viewAlert(alert, cfg.DLQRetries), IdempotencyKey: alert.IdempotencyKey,
		Attempts: viewAttempts(attempts), Payload: document(alert.Payload),
	}
	if chatops.Integration(alert.Lane()) == "email" {
		detail.MessageID = alert.MessageID()
	}
	lineage, err := store.AlertLineage(ctx, id)
	if err != nil {
		return unreachable(cfg, err)
	}
	detail.Replaces, detail.ReplacedBy = lineage.Replaces, lineage.ReplacedBy
	if alert.OperationID != "" {
		detail.OperationID = &alert.OperationID
	}
	return env.render(detail)
}

func (d *alertDetail) sections(bool) []section {
	operation := ""
	if d.OperationID != nil {
		operation = *d.OperationID
	}
	list := []section{fields(
		"id", strconv.FormatInt(d.ID, 10), "status", string(d.Status), "event_type", d.EventType, "target", d.Target,
		"retries", d.retries(), "error_message", d.ErrorMessage, "fingerprint", d.Fingerprint,
		"created_at", d.CreatedAt.String(), "last_attempt_at", d.LastAttemptAt.String(),
		"next_attempt_at", d.NextAttemptAt.String(), "delivered_at", d.DeliveredAt.String(),
		"idempotency_key", d.IdempotencyKey, "operation_id", operation,
	)}
	if d.MessageID != "" {
		list[0].rows = append(list[0].rows, []string{"message_id", d.MessageID})
	}
	for _, link := range []struct {
		name string
		id   int64
	}{{"replaces", d.Replaces}, {"replaced_by", d.ReplacedBy}} {
		if link.id != 0 {
			list[0].rows = append(list[0].rows, []string{link.name, strconv.FormatInt(link.id, 10)})
		}
	}
	attempts := section{title: "attempts", columns: []column{
		{name: "started"}, {name: "ms", right: true}, {name: "outcome"}, {name: "http", right: true}, {name: "error", flex: true}, {name: "replica", flex: true},
	}}
	for _, a := range d.Attempts {
		status := ""
		if a.HTTPStatus != nil {
			status = strconv.Itoa(*a.HTTPStatus)
		}
		attempts.rows = append(attempts.rows, []string{a.StartedAt.String(), strconv.FormatFloat(a.DurationMS, 'f', -1, 64), a.Outcome, status, a.Error, a.Replica})
	}
	if len(attempts.rows) > 0 {
		list = append(list, attempts)
	}
	return append(list, section{title: "payload", text: d.Payload.pretty()})
}

// pretty is the document with line breaks, or as it is when it is not JSON.
func (d document) pretty() string {
	var b bytes.Buffer
	if json.Indent(&b, d, "", "  ") != nil {
		return string(d)
	}
	return string(escapeHarmful(b.Bytes()))
}
