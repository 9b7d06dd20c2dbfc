package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"chatops/internal/cache"
	"chatops/internal/chatops"
	"chatops/internal/redisclient"
	"chatops/internal/redistest"
)

// BenchmarkCacheReply reports what a repeated request costs in the database and
// in the cache, and what a first one pays for the look into the cache.
func BenchmarkCacheReply(b *testing.B) {
	const n = 500
	ctx := context.Background()
	url := durable(b).Database("once")
	store := open(b, url, 4)
	redisURL := redistest.Start(b, redistest.Options{}).URL()
	replica := func() *cache.Space {
		client, err := redisclient.Open(redisURL, redisclient.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = client.Close() })
		c, err := cache.New(cache.Options{Redis: client})
		if err != nil {
			b.Fatal(err)
		}
		return c.Space("reply")
	}
	key := func(i int) chatops.OnceKey {
		return chatops.OnceKey{Scope: "chat", Key: fmt.Sprint("k", i), Body: "b", Owner: fmt.Sprint("o", i)}
	}
	reply := make([]byte, 600)
	here := replica()
	for i := range n {
		k := key(i)
		if _, err := store.BeginOnce(ctx, k, time.Minute); err != nil {
			b.Fatal(err)
		}
		turn := &chatops.Turn{
			Conversation: chatops.Conversation{SessionID: k.Key}, UserMessage: "a", BotMessage: "b",
			Once: &chatops.OnceReply{OnceKey: k, Status: 200, Reply: []byte(`{}`), Keep: time.Hour},
		}
		if _, err := store.SaveTurn(ctx, turn); err != nil {
			b.Fatal(err)
		}
		here.Set(ctx, k.Key, reply, time.Hour)
	}
	there := replica()
	found := map[string]int{}
	look := func(where string, s *cache.Space, prefix string) func(int) {
		return func(i int) {
			if _, ok := s.Get(ctx, prefix+key(i).Key); ok {
				found[where]++
			}
		}
	}
	steps := []struct {
		name string
		do   func(i int)
	}{
		{"database", func(i int) {
			if kept, err := store.BeginOnce(ctx, key(i), time.Minute); err != nil || kept == nil {
				b.Fatal(kept, err)
			}
			found["database"]++
		}},
		{"redis", look("redis", there, "")},
		{"memory", look("memory", there, "")},
		{"unknown", look("unknown", there, "new ")},
	}
	for _, s := range steps {
		var each []float64
		for i := range n {
			start := time.Now()
			s.do(i)
			each = append(each, float64(time.Since(start).Nanoseconds())/1000)
		}
		b.Logf("%-10s p50 %8.1f us (%d of %d found)", s.name, median(each), found[s.name], n)
	}
}
