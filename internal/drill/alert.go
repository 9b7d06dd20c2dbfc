package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

// queue queues alerts about made-up leads, whose keys hold a name.
func (r *Range) queue(ctx context.Context, n int, name, eventType, target string, payload func(i int) any) error {
	list := make([]chatops.NewAlert, n)
	for i := range list {
		raw, err := json.Marshal(payload(i))
		if err != nil {
			return err
		}
		list[i] = chatops.NewAlert{EventType: eventType, Target: target, Payload: raw, IdempotencyKey: fmt.Sprintf("drill:%s:%d", name, i)}
	}
	if _, err := r.Store.Enqueue(ctx, list); err != nil {
		return err
	}
	return r.Store.Announce(ctx)
}

func (r *Range) queueSlack(ctx context.Context, n int) error {
	return r.queue(ctx, n, "slack", chatops.EventSlackAlert, "slack:alerts", func(i int) any {
		return chatops.SlackPayload{Text: fmt.Sprintf("New lead no. %d", i+1)}
	})
}

// undelivered says how many of n alerts a receiver lacks, and whether it got any
// twice.
func (r *Range) undelivered(ctx context.Context, to *receiver, n int) (string, error) {
	open, err := r.statuses(ctx, chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed)
	once, twice := to.got()
	switch {
	case err != nil:
		return "", err
	case twice > 0:
		return "", spoilt("%s came twice", chatops.Count(twice, "alert"))
	case open > 0 || once < n:
		return fmt.Sprintf("%d of %d alerts arrived", once, n), nil
	}
	return "", nil
}

func slackOutage() Drill {
	const leads = 12
	return Drill{
		Name:    "slack-outage",
		Symptom: "Sales: nothing came on Slack this morning, though there were leads. Slack had an outage; its status page is green again.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.slack.fail(true)
			defer r.slack.fail(false)
			if err := r.queueSlack(ctx, leads); err != nil {
				return "", err
			}
			return "", r.failed(ctx, leads)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			return r.undelivered(ctx, &r.slack.receiver, leads)
		},
	}
}

func mondayErrors() Drill {
	const leads = 3
	return Drill{
		Name:     "monday-errors",
		Symptom:  "You got the mail below. Sales have meanwhile put a label back on the board that somebody had deleted.",
		Settings: map[string]string{"ESCALATION_EMAIL": "oncall@firma.example"},
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.monday.fail(true)
			defer r.monday.fail(false)
			err := r.queue(ctx, leads, "monday", chatops.EventMondayItem, chatops.TargetMondayLeads, func(i int) any {
				return chatops.MondayPayload{ItemName: fmt.Sprintf("Lead %d", i+1), ExternalID: fmt.Sprintf("drill-%d", i)}
			})
			if err != nil {
				return "", err
			}
			err = await(ctx, "the mail", func() (bool, error) {
				n, err := r.statuses(ctx, chatops.AlertFailed)
				return n == leads && len(r.mail.received()) > 0, err
			})
			if err != nil {
				return "", err
			}
			return mailText(r.mail.received()[0]), nil
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			return r.undelivered(ctx, &r.monday.receiver, leads)
		},
	}
}

// mailText is what a person sees of a mail: its subject and its text.
func mailText(raw string) string {
	head, text, _ := strings.Cut(raw, "\n\n")
	if subject := field(head, "Subject"); subject != "" {
		return "Subject: " + subject + "\n\n" + strings.TrimSpace(text)
	}
	return strings.TrimSpace(text)
}

// field is a field of a mail's head, "" where there is none.
func field(raw, name string) string {
	head, _, _ := strings.Cut(raw, "\n\n")
	for line := range strings.Lines(head) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func breakerStuck() Drill {
	const leads = 5
	return Drill{
		Name:    "breaker-stuck",
		Symptom: "Sales: nothing has come on Slack since last night. Slack works: they write to each other there.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			order := &chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerTripped, Actor: "night-shift", Reason: "Slack maintenance, back in ten minutes"}
			if err := r.Store.OrderBreaker(ctx, order); err != nil {
				return "", err
			}
			if err := r.obeyed(ctx, order.Revision); err != nil {
				return "", err
			}
			return "", r.queueSlack(ctx, leads)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			c, err := r.Store.Controls(ctx)
			if err != nil {
				return "", err
			}
			for _, o := range c.Breakers {
				if o.Mode == chatops.BreakerTripped {
					return "a breaker is still tripped", nil
				}
			}
			return r.undelivered(ctx, &r.slack.receiver, leads)
		},
	}
}

// obeyed waits until the installation has seen an order.
func (r *Range) obeyed(ctx context.Context, revision int64) error {
	return await(ctx, "obedience", func() (bool, error) {
		list, err := r.Store.Instances(ctx)
		return len(list) > 0 && list[0].Revision >= revision, err
	})
}
