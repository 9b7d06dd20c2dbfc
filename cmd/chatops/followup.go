package main

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/followup"
)

// followupEvery is how often follow-ups are planned.
const followupEvery = 5 * time.Minute

// planFollowups returns the job that plans follow-ups. Without links that end
// them none are planned: such mails are not allowed.
func planFollowups(
	cfg *config.Config, log *slog.Logger, store chatops.Store, k *chat.Knowledge, tokens *consent.Tokens, wake func(),
) func(ctx context.Context) (string, error) {
	planner := newPlanner(cfg, log, store, k, tokens, wake)
	return func(ctx context.Context) (string, error) {
		if len(cfg.FollowupSchedule()) == 0 {
			return "off: FOLLOWUP_SCHEDULE", nil
		}
		if cfg.PublicURL == "" {
			return "off: mails need a link to unsubscribe, set PUBLIC_URL", nil
		}
		return planner.Run(ctx)
	}
}

func newPlanner(
	cfg *config.Config, log *slog.Logger, store chatops.Store, k *chat.Knowledge, tokens *consent.Tokens, wake func(),
) *followup.Planner {
	return followup.New(followup.Options{
		Store: store, Schedule: cfg.FollowupSchedule(), WakeFunc: wake, Log: log,
		TextFunc: func(language, name string, number int) followup.Text {
			t := k.Followup(chat.Lang(language), name, number)
			return followup.Text{Subject: t.Subject, Body: t.Body, Footer: t.Footer, Unsubscribe: t.Unsubscribe}
		},
		KeyFunc: func(address string) (string, bool) {
			a, ok := consent.ParseEmail(address)
			return a.Key, ok
		},
		LinkFunc: func(emailKey string) string {
			return strings.TrimSuffix(cfg.PublicURL, "/") + "/unsubscribe?token=" +
				url.QueryEscape(tokens.Sign(chatops.PurposeUnsubscribe, emailKey, time.Time{}))
		},
	})
}
