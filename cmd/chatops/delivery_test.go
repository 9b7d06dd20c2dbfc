package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
)

// `dlq retry --now` delivers in a process of its own. With keys that only the
// database holds it did not know the people who were erased before.
func TestDeliver_KnowsWhoWasErased(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	settings := map[string]string{"DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db")}
	loaded, err := config.Load(config.Sources{LookupEnvFunc: func(name string) (string, bool) {
		value, ok := settings[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := loaded.Config
	if err := prepareSchema(ctx, cfg, log); err != nil {
		t.Fatal(err)
	}
	open := func() chatops.Store {
		store, err := openStore(ctx, cfg, log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	const anna = "anna@example.pl"
	serving := open()
	if _, err := serving.StoredConsentKeys(ctx, consent.GenerateKey()); err != nil {
		t.Fatal(err)
	}
	if _, err := serving.WithdrawConsent(ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: anna}); err != nil {
		t.Fatal(err)
	}
	if _, err := serving.ErasePerson(ctx, chatops.Erasure{EmailKey: anna}); err != nil {
		t.Fatal(err)
	}
	typed := open()
	if _, err := typed.ConsentStatus(ctx, anna); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Fatalf("a process without the keys: %v", err)
	}
	delivering, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- deliver(delivering, cfg, log, typed) }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if s, err := typed.ConsentStatus(ctx, anna); err == nil && s.IsUnsubscribed {
			break
		}
		select {
		case <-look.C:
		case err := <-ended:
			t.Fatalf("deliver ended: %v", err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
