package main

import (
	"os"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newChat makes the service that answers visitors. wake is called when a turn
// has queued alerts.
func newChat(cfg *config.Config, store chatops.ConversationStore, wake func()) (*chat.Service, error) {
	opts := chat.Options{
		Store:          store,
		ConsentMode:    cfg.ConsentMode,
		SlackLeadScore: cfg.SlackLeadScore,
		AdminEmail:     cfg.AdminEmail,
		WakeFunc:       wake,
	}
	if cfg.SlackLeadScore == 0 {
		opts.SlackLeadScore = -1 // the service's 0 means its default
	}
	for _, hook := range cfg.Webhooks {
		opts.Webhooks = append(opts.Webhooks, hook.Name)
	}
	if cfg.KnowledgeDir != "" {
		k, err := chat.LoadKnowledge(os.DirFS(cfg.KnowledgeDir))
		if err != nil {
			return nil, err
		}
		opts.Knowledge = k
	}
	return chat.New(opts)
}
