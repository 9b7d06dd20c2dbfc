package sender

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// logSender stands in for an integration that is not configured: it writes that
// there was an alert and counts it as delivered. Personal data stays out of the
// log, so the content is told by its outline.
type logSender struct {
	name      string
	log       *slog.Logger
	followups Followups
}

func newLogSender(name string, o *Options) *logSender {
	return &logSender{name: name, log: o.Log, followups: o.Email.Followups}
}

func (l *logSender) Integration() string { return l.name }

func (l *logSender) Policy() chatops.LanePolicy { return chatops.LanePolicy{Parallel: 1} }

// Send writes one line.
func (l *logSender) Send(ctx context.Context, alert *chatops.Alert) error {
	if l.followups == nil || alert.EventType != chatops.EventFollowup {
		return l.write(ctx, alert)
	}
	once := &onceMail{followups: l.followups, alert: alert.ID}
	return once.settle(ctx, once.pass(ctx, func() error { return l.write(ctx, alert) }))
}

func (l *logSender) write(ctx context.Context, alert *chatops.Alert) error {
	var payload map[string]json.RawMessage
	if f := decodePayload(l.name, alert, &payload); f != nil {
		return f
	}
	if ctx.Err() != nil {
		return networkFailure(ctx, l.name, "write to the log", ctx.Err(), false)
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, l.name+" is not configured, the alert is only logged",
		slog.String("integration", l.name),
		slog.Int64("alert_id", alert.ID),
		slog.String("event_type", alert.EventType),
		slog.String("target", maskTarget(alert.Target)),
		slog.String("payload", outline(payload)),
	)
	return nil
}

// maskTarget hides the local part of an address.
func maskTarget(target string) string {
	if address, isMail := strings.CutPrefix(target, "mailto:"); isMail {
		_, domain, _ := strings.Cut(address, "@")
		return "mailto:***@" + domain
	}
	return target
}

// outline tells what a payload holds without telling it: "item_name: 12
// characters, fields: 8 entries".
func outline(payload map[string]json.RawMessage) string {
	parts := make([]string, 0, len(payload))
	for _, name := range slices.Sorted(maps.Keys(payload)) {
		var text string
		var object map[string]json.RawMessage
		var list []json.RawMessage
		raw := payload[name]
		shown := shortCode(name)
		switch {
		case shown == "":
			continue // not a field name of ours; it might be data
		case json.Unmarshal(raw, &text) == nil:
			parts = append(parts, fmt.Sprintf("%s: %d characters", shown, utf8.RuneCountInString(text)))
		case json.Unmarshal(raw, &object) == nil:
			parts = append(parts, fmt.Sprintf("%s: %d entries", shown, len(object)))
		case json.Unmarshal(raw, &list) == nil:
			parts = append(parts, fmt.Sprintf("%s: %d entries", shown, len(list)))
		default:
			parts = append(parts, shown+": a value")
		}
	}
	return strings.Join(parts, ", ")
}
