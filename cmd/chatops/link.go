package main

import (
	"context"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
	"chatops/internal/server"
)

// links are what the pages of consent need besides the store.
type links struct {
	tokens *consent.Tokens
	wake   func() // says that a mail was queued
}

// consentKeys are those of the settings, or the one that was made on the first
// start and is kept in the database.
func consentKeys(ctx context.Context, cfg *config.Config, store chatops.Store) ([]chatops.ConsentKey, error) {
	if !cfg.ConsentKeys.IsZero() {
		return consent.ParseKeys(cfg.ConsentKeys.Reveal())
	}
	return store.StoredConsentKeys(ctx, consent.GenerateKey())
}

// newTokens makes what signs the links in mails.
func newTokens(ctx context.Context, cfg *config.Config, store chatops.Store) (*consent.Tokens, error) {
	keys, err := consentKeys(ctx, cfg, store)
	if err != nil {
		return nil, err
	}
	return consent.NewTokens(keys, time.Now)
}

// useLinks lets the pages of consent read signed links, ask for a confirmation
// by mail and store it.
func useLinks(opts *server.Options, store chatops.Store, l links) {
	opts.Tokens, opts.GrantFunc = l.tokens, store.GrantConsent
	opts.EnqueueFunc = func(ctx context.Context, alerts []chatops.NewAlert) (int, error) {
		added, err := store.Enqueue(ctx, alerts)
		if added > 0 {
			l.wake()
		}
		return added, err
	}
}
