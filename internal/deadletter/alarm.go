package deadletter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// JobAlarm is the name of the job that calls Alarm.Watch.
const JobAlarm = "queue_alarm"

// AlarmStore is what the alarm needs of a store.
type AlarmStore interface {
	chatops.QueueReader
	chatops.QueueAlarmStore
	AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error)
}

// Alarm tells people, once, that the queue needs somebody.
type Alarm struct {
	Store   AlarmStore
	Limits  chatops.QueueLimits
	Email   string // who is told; "": the log only
	Replica string
	Log     *slog.Logger
}

// Watch looks at the queue and raises the alarm, or ends it, and says what it saw.
func (a *Alarm) Watch(ctx context.Context) (string, error) {
	load, now, err := chatops.ReadQueueLoad(ctx, a.Store)
	if err != nil {
		return "", err
	}
	alarm, err := a.Store.QueueAlarm(ctx)
	if err != nil {
		return "", err
	}
	tell, changed := alarm.Judge(load, &a.Limits, now)
	seen := fmt.Sprintf("%d alerts waiting, oldest %s", load.Waiting, chatops.Span(load.Oldest.Truncate(time.Second)))
	if !changed {
		return seen, nil
	}
	var mail []chatops.NewAlert
	if tell && a.Email != "" {
		if mail, err = a.mail(ctx, alarm, load); err != nil {
			return "", err
		}
	}
	if err := a.Store.SaveQueueAlarm(ctx, alarm, mail); err != nil {
		return "", err
	}
	switch {
	case tell:
		a.Log.Error("delivery: the queue needs somebody", "waiting", load.Waiting, "oldest", load.Oldest.String(), "fresh", load.Fresh, "told", a.Email != "")
		return seen + ": alarm raised", nil
	default:
		a.Log.Info("delivery: the alarm of the queue is over")
		return seen + ": alarm over", nil
	}
}

// mail is the escalation; its key holds the alarm and how often it was told, so
// that it is queued once.
func (a *Alarm) mail(ctx context.Context, alarm *chatops.QueueAlarm, load *chatops.QueueLoad) ([]chatops.NewAlert, error) {
	const causes, countTo = 5, 1000
	groups, err := a.Store.AlertGroups(ctx, causes, countTo)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(AlarmMail(load, &a.Limits, groups.Groups, a.Replica))
	if err != nil {
		return nil, err
	}
	return []chatops.NewAlert{{
		EventType: chatops.EventEscalation, Target: "mailto:" + a.Email, Payload: payload,
		IdempotencyKey: fmt.Sprintf("queue-alarm:%d:%d", alarm.RaisedAt.UnixMicro(), alarm.Told),
	}}, nil
}

// AlarmMail writes the mail that tells an operator about the queue: how much
// waits, why, and the commands to run.
func AlarmMail(l *chatops.QueueLoad, q *chatops.QueueLimits, groups []chatops.AlertGroup, replica string) chatops.EmailPayload {
	var b strings.Builder
	b.WriteString("Alerts wait to be delivered, and more of them than usual. None is lost.\n\n")
	line := func(name, value string) { fmt.Fprintf(&b, "%-14s%s\n", name+":", value) }
	line("Waiting", fmt.Sprintf("%d (alarm above %d)", l.Waiting, q.Waiting))
	line("Oldest", fmt.Sprintf("%s (alarm from %s)", chatops.Span(l.Oldest.Truncate(time.Second)), chatops.Span(q.Age)))
	line("Growing", fmt.Sprintf("%.0f a minute (alarm from %.0f)", l.PerMinute(), q.Growth))
	line("Reported by", Redact(replica))
	for i := range groups {
		g := &groups[i]
		more := ""
		if g.More {
			more = " or more"
		}
		fmt.Fprintf(&b, "%s%d%s to %s: %s\n", map[bool]string{true: "\nCauses:\n  ", false: "  "}[i == 0], g.Total(), more, Redact(chatops.Lane(g.Target)), shorten(Redact(g.Sample), 120))
	}
	b.WriteString(`
What is wrong, and what repairs it:
  chatops doctor
  chatops dlq groups
  chatops breaker status

When the cause is gone, see what a retry would do, then send them again:
  chatops dlq retry --status queued,pending --dry-run
  chatops dlq retry --status queued,pending --now

Say that you are at it, so that nobody else begins:
  chatops dlq ack --reason "..."

This is told once. It is told again when what waits has doubled, or when it was
over and comes back.
`)
	return chatops.EmailPayload{
		Subject: fmt.Sprintf("[chatops] %s waiting, oldest %s", chatops.Count(l.Waiting, "alert"), chatops.Span(l.Oldest.Truncate(time.Second))),
		Text:    b.String(),
	}
}
