package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// How many causes are read, and how far each is counted.
const (
	causes      = 25
	causesCount = 1000
)

func checkQueue(ctx context.Context, p *Patient) (Result, error) {
	load, _, err := chatops.ReadQueueLoad(ctx, p.Store)
	if err != nil {
		return Result{}, err
	}
	text := fmt.Sprintf("%s waiting, %d of the last %s", chatops.Count(load.Waiting, "alert"), load.Fresh, chatops.Span(chatops.GrowthWindow))
	if !p.Limits.Crowded(load) && !p.Limits.Growing(load) {
		return found(nil, text), nil
	}
	if p.Limits.Growing(load) {
		text += fmt.Sprintf(", growing by %.0f a minute", load.PerMinute())
	}
	return p.tooMuch(ctx, text, "chatops dlq retry --status queued,pending --now --reason 'receiver is back'")
}

// tooMuch is what is found when too much waits: a problem, or a warning once
// somebody has acknowledged it.
func (p *Patient) tooMuch(ctx context.Context, text, command string) (Result, error) {
	cause, err := p.causeOf(ctx, func(g *chatops.AlertGroup) int64 { return g.Pending })
	if err != nil {
		return Result{}, err
	}
	alarm, err := p.Store.QueueAlarm(ctx)
	f := Finding{Problem, text, cause, command}
	if err == nil && alarm.Acknowledged() {
		f.State = Warning
		f.Text += "; acknowledged by " + chatops.Harmless(alarm.AckBy)
	}
	return found([]Finding{f}, ""), err
}

// causeOf words the largest cause, as size sees it.
func (p *Patient) causeOf(ctx context.Context, size func(*chatops.AlertGroup) int64) (string, error) {
	list, err := p.Store.AlertGroups(ctx, causes, causesCount)
	if err != nil {
		return "", err
	}
	groups := list.Groups
	var largest *chatops.AlertGroup
	for i := range groups {
		if g := &groups[i]; size(g) > 0 && (largest == nil || size(g) > size(largest)) {
			largest = g
		}
	}
	if largest == nil || largest.Sample == "" {
		return "", nil
	}
	return fmt.Sprintf("%s: %s", chatops.Count(size(largest), "alert"), chatops.Harmless(largest.Sample)), nil
}

func checkQueueAge(ctx context.Context, p *Patient) (Result, error) {
	stats, err := p.Store.QueueStats(ctx)
	if err != nil {
		return Result{}, err
	}
	if stats.OldestWaiting.IsZero() {
		return found(nil, "no alert waits"), nil
	}
	age := stats.Now.Sub(stats.OldestWaiting)
	text := "the oldest alert has waited for " + chatops.Span(age.Truncate(time.Second))
	if !p.Limits.Old(age) {
		return found(nil, text), nil
	}
	return p.tooMuch(ctx, text, "chatops dlq retry --status queued,pending --until "+minutes(p.Limits.Age)+" --now --reason 'receiver is back'")
}

// minutes is a duration as commands read it.
func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

func checkFailed(ctx context.Context, p *Patient) (Result, error) {
	stats, err := p.Store.QueueStats(ctx)
	if err != nil {
		return Result{}, err
	}
	n := stats.Total(chatops.AlertFailed)
	if n == 0 {
		return found(nil, "no alert has failed"), nil
	}
	cause, err := p.causeOf(ctx, func(g *chatops.AlertGroup) int64 { return g.Failed })
	text := fmt.Sprintf("%s failed", chatops.Count(n, "alert"))
	if !stats.OldestFailed.IsZero() {
		text += ", the oldest " + chatops.Span(stats.Now.Sub(stats.OldestFailed).Truncate(time.Second)) + " ago"
	}
	return found([]Finding{{Problem, text, cause, "chatops dlq retry --status failed --now --reason 'cause is gone'"}}, ""), err
}

func checkUnconfigured(ctx context.Context, p *Patient) (Result, error) {
	looked, err := p.Store.AlertGroups(ctx, causes, causesCount)
	if err != nil {
		return Result{}, err
	}
	groups := looked.Groups
	var list []Finding
	for i := range groups {
		g := &groups[i]
		if g.Pending == 0 || !strings.Contains(g.Sample, "is not configured") {
			continue
		}
		name := chatops.Harmless(chatops.Integration(chatops.Lane(chatops.ShownTarget(g.Target))))
		list = append(list, Finding{
			Problem, fmt.Sprintf("%s for %s held", chatops.Count(g.Pending, "alert"), name),
			"integration " + name + " is not configured where chatops serve runs; they have used up no attempt", "chatops config view --show-origin",
		})
	}
	return found(list, "no alert is held for want of a setting"), nil
}

func checkEscalation(_ context.Context, p *Patient) (Result, error) {
	var list []Finding
	s := &p.Settings
	f := Finding{Warning, "nobody is told when alerts fail", "", "chatops config view --show-origin"}
	switch {
	case s.Embedded:
		return skipped("an embedded database needs no escalation"), nil
	case !s.Escalation:
		f.Cause = "ESCALATION_EMAIL is not set"
		list = append(list, f)
	case !s.Mail:
		f.Cause = "SMTP_URL is not set"
		list = append(list, f)
	}
	return found(list, "failures are mailed to ESCALATION_EMAIL"), nil
}
