package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/breaker"
	"chatops/internal/chat"
	"chatops/internal/config"
	"chatops/internal/runbook"
)

// hasModel reports whether a language model is configured.
func hasModel(cfg *config.Config) bool { return !cfg.LLMURL.IsZero() || !cfg.LLMKey.IsZero() }

// newAnswerer makes the client of the language model where one is configured,
// and what releases it. The breaker is there from the start, so that health and
// metrics show it before the first question.
func newAnswerer(cfg *config.Config, log *slog.Logger, k *chat.Knowledge, breakers *breaker.Set, answers chat.Cache, metrics prometheus.Registerer) (chat.Answerer, func(), error) {
	if !hasModel(cfg) {
		return nil, func() {}, nil
	}
	model, err := chat.NewLLM(chat.LLMOptions{
		BaseURL: cfg.LLMURL.Reveal(), APIKey: cfg.LLMKey.Reveal(), Model: cfg.LLMModel, Version: runbook.Version(),
		TotalTimeout: cfg.LLMTimeout, IdleTimeout: cfg.LLMIdle,
		Knowledge: k, Breaker: breakers.Get("llm"), Cache: answers, Log: log, Registerer: metrics,
	})
	if err != nil {
		return nil, nil, err
	}
	return model, model.Close, nil
}
