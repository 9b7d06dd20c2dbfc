package runbook

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type dlqAck struct{ dryRun bool }

// newDLQAck makes `dlq ack`.
func newDLQAck(env *Env) *cobra.Command {
	c := &dlqAck{}
	cmd := &cobra.Command{
		Use: "ack", Short: "Acknowledge the alarm of the queue", Args: noArgs,
		Long: "Say that you know that too much waits. The alarm is raised, by mail to ESCALATION_EMAIL,\n" +
			"when more alerts wait than DLQ_ALERT_WAITING, one waits for DLQ_ALERT_AGE_MINUTES, or they\n" +
			"grow by DLQ_ALERT_GROWTH a minute. It is told once, and again when what waits has doubled\n" +
			"since, or when it was over and comes back. An acknowledged one is a warning of chatops\n" +
			"doctor, and no problem. Without an alarm nothing is done.",
		Example: "  chatops dlq ack --reason 'Slack is down, ticket 4711'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// alarmView is the result of `dlq ack`.
type alarmView struct {
	Raised   bool      `json:"raised"`
	RaisedAt timestamp `json:"raised_at"`
	Waiting  int64     `json:"waiting"` // when it was told last, or acknowledged
	Oldest   float64   `json:"oldest_seconds"`
	Told     int       `json:"told"`
	AckBy    string    `json:"acknowledged_by"`
	AckAt    timestamp `json:"acknowledged_at"`
	Reason   string    `json:"reason"`
	DryRun   bool      `json:"dry_run"`
}

func (v *alarmView) sections(bool) []section {
	return []section{fields(
		"raised", strconv.FormatBool(v.Raised), "raised_at", v.RaisedAt.short(), "waiting", strconv.FormatInt(v.Waiting, 10),
		"told", strconv.Itoa(v.Told), "acknowledged_by", v.AckBy, "acknowledged_at", v.AckAt.short(), "reason", v.Reason, "dry_run", strconv.FormatBool(v.DryRun),
	)}
}

func (c *dlqAck) run(ctx context.Context, env *Env) error {
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	alarm, err := store.QueueAlarm(ctx)
	if err != nil {
		return unreachable(cfg, err)
	}
	load, now, err := chatops.ReadQueueLoad(ctx, store)
	if err != nil {
		return unreachable(cfg, err)
	}
	if alarm.Raised() && !c.dryRun {
		if alarm.Acknowledged() {
			env.notef("note: %s has acknowledged it already: this replaces it", alarm.AckBy)
		}
		if err := env.confirm(ctx, cfg, fmt.Sprintf("acknowledge 1 alarm: %d alerts waiting", load.Waiting)); err != nil {
			return err
		}
		alarm.Acknowledge(load, env.Actor, env.opts.reason, now)
		err := env.record(ctx, store, map[string]any{"waiting": load.Waiting}, func() (string, error) {
			return "acknowledged", store.SaveQueueAlarm(ctx, alarm, nil)
		})
		if err != nil {
			return unreachable(cfg, err)
		}
	}
	if !alarm.Raised() {
		env.notef("no alarm is raised: %d alerts waiting", load.Waiting)
	}
	return env.render(&alarmView{
		Raised: alarm.Raised(), RaisedAt: timestamp(alarm.RaisedAt), Waiting: alarm.Waiting, Oldest: alarm.Oldest.Seconds(), Told: alarm.Told,
		AckBy: alarm.AckBy, AckAt: timestamp(alarm.AckAt), Reason: alarm.AckReason, DryRun: c.dryRun,
	})
}
