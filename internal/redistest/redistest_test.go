package redistest_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"chatops/internal/redistest"
)

// The client's pool tries for a second, after it was closed, to reach a server
// that is away.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Wrap(m), goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries = -1
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func set(t *testing.T, c *redis.Client, value string) {
	t.Helper()
	if err := c.Set(t.Context(), "key", value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, c *redis.Client) int64 {
	t.Helper()
	n, err := c.DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNew_GivesEachTestAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 20 {
		t.Run("database", func(t *testing.T) {
			t.Parallel()
			first, second := client(t, redistest.New(t)), client(t, redistest.New(t))
			set(t, first, "mine")
			if n := keys(t, second); n != 0 {
				t.Errorf("the second database holds %d keys", n)
			}
		})
	}
}

func TestServer_DemandsItsPassword(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	if err := client(t, "redis://"+s.Addr()+"/0").Ping(t.Context()).Err(); err == nil {
		t.Fatal("a client without password was let in")
	}
}

func TestServer_StartsAgainOnTheSameAddressAndEmpty(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	url, pid := s.URL(), s.Pid()
	c := client(t, url)
	set(t, c, "lost")
	s.Stop()
	if s.Pid() != 0 || syscall.Kill(pid, 0) == nil {
		t.Fatalf("process %d outlived its stop", pid)
	}
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Fatal("a stopped server answered")
	}
	s.Start()
	if s.URL() != url {
		t.Fatalf("URL changed from %s to %s", url, s.URL())
	}
	if n := keys(t, client(t, url)); n != 0 {
		t.Errorf("it kept %d keys", n)
	}
}

func TestServer_PersistentKeepsItsDataAcrossKill(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Persistent: true})
	set(t, client(t, s.URL()), "kept")
	s.Kill()
	s.Start()
	if got := client(t, s.URL()).Get(t.Context(), "key").Val(); got != "kept" {
		t.Errorf("key = %q", got)
	}
}

func TestServer_PauseFreezesUntilResume(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Settings: map[string]string{"maxmemory": "5mb"}})
	c := client(t, s.URL())
	set(t, c, "before")
	s.Pause()
	answered := make(chan error, 1)
	go func() { answered <- c.Ping(t.Context()).Err() }()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.Resume()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if got := c.ConfigGet(t.Context(), "maxmemory").Val()["maxmemory"]; got != "5242880" {
		t.Errorf("maxmemory = %s", got)
	}
}

func TestServer_IsRemovedEvenWhilePaused(t *testing.T) {
	t.Parallel()
	var pid int
	t.Run("inner", func(t *testing.T) { // its cleanup must have run below
		s := redistest.Start(t, redistest.Options{})
		pid = s.Pid()
		s.Pause()
	})
	if syscall.Kill(pid, 0) == nil {
		t.Fatalf("process %d outlived its test", pid)
	}
}
