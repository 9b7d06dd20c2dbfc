package main

import (
	"os"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newChat makes the service that answers visitors. wake is called when a turn
// has queued alerts; answerer may be nil.
func newChat(cfg *config.Config, store chatops.Store, k *chat.Knowledge, answerer chat.Answerer, replies chat.Cache, wake func()) (*chat.Service, error) {
	opts := chat.Options{
		Store:          store,
		Once:           store,
		Replies:        replies,
		Leads:          store,
		Texts:          store,
		Knowledge:      k,
		Answerer:       answerer,
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
	return chat.New(opts)
}

// loadKnowledge reads the knowledge base that the settings name, or the
// embedded one.
func loadKnowledge(cfg *config.Config) (*chat.Knowledge, error) {
	if cfg.KnowledgeDir == "" {
		return chat.LoadKnowledge(chat.Embedded())
	}
	return chat.LoadKnowledge(os.DirFS(cfg.KnowledgeDir))
}
