package redistest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"chatops/internal/redistest"
	"chatops/internal/testserver"
)

func TestSentinels_MakeTheReplicaTheMaster(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	set(t, client(t, s.Master.URL()), "kept")
	replica := client(t, s.Replica.URL())
	await(t, func(ctx context.Context) error { return replica.Get(ctx, "key").Err() })
	s.Master.Kill()
	await(t, func(ctx context.Context) error { return replica.Set(ctx, "key", "new", 0).Err() })
}

func TestCluster_ServesEverySlotFromSeveralNodes(t *testing.T) {
	t.Parallel()
	s := redistest.StartCluster(t)
	first := s.Nodes[0]
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{first.Addr()}, Password: first.Password()})
	t.Cleanup(func() { _ = c.Close() })
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := c.Set(t.Context(), key, key, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range s.Nodes {
		if keys(t, client(t, node.URL())) == 0 {
			t.Errorf("node %s holds no key", node.Addr())
		}
	}
}

func await(t *testing.T, ready func(context.Context) error) {
	t.Helper()
	if err := testserver.Poll(30*time.Second, ready); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
}
