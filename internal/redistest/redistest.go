package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"chatops/internal/testserver"
)

// EnvURL names the variable that holds a redis:// URL of a server to use
// instead of a private one.
const EnvURL = "TEST_REDIS_URL"

const advice = "\nrun `make test`, which installs Redis, or set " + EnvURL + " to a redis:// URL"

// Main is the body of TestMain in a package that uses redistest: it runs the
// tests and ends the shared server.
func Main(m testserver.M) { testserver.Main(m) }

// Wrap is Main for a TestMain that must hand its M to something else:
//
//	goleak.VerifyTestMain(redistest.Wrap(m))
func Wrap(m testserver.M) testserver.M { return testserver.Wrap(m) }

// New returns the URL of an empty database that nobody else uses until the test
// ends, and empties it then.
func New(tb testing.TB) string {
	tb.Helper()
	base, err := shared()
	if err != nil {
		tb.Fatalf("Redis for tests: %v", err)
	}
	lease, err := borrow(base)
	if err != nil {
		tb.Fatalf("Redis for tests: %v", err)
	}
	tb.Cleanup(func() {
		if err := lease.giveBack(); err != nil {
			tb.Errorf("test database is left behind: %v", err)
		}
	})
	return lease.url
}

// shared returns the URL of the shared server's database 0, which holds nothing
// but the leases on the others.
var shared = sync.OnceValues(func() (string, error) {
	if external := os.Getenv(EnvURL); external != "" {
		return withDatabase(external, 0)
	}
	server := &Server{address: testserver.Loopback, options: Options{Settings: map[string]string{"databases": "1024"}}}
	if err := server.init(); err != nil {
		return "", err
	}
	if err := server.firstStart(); err != nil {
		server.remove()
		return "", err
	}
	testserver.AtExit(server.remove)
	return server.url, nil
})

// lease is the right to one numbered database, kept as a key of database 0 so
// that several test processes can share one server.
type lease struct {
	base, url  string
	key, owner string
}

// leaseTime frees the databases of test processes that were killed.
const leaseTime = 15 * time.Minute

// borrow takes the first free database that is empty, and waits for one if all
// are taken. Databases with foreign keys in them are never touched.
func borrow(base string) (*lease, error) {
	var found *lease
	err := testserver.Poll(patience, func(ctx context.Context) error {
		return with(base, func(leases *redis.Client) error {
			n := databases(ctx, leases)
			for i := 1; i < n; i++ {
				var err error
				if found, err = try(ctx, leases, base, i); found != nil || err != nil {
					return err
				}
			}
			return fmt.Errorf("none of the %d databases is free and empty", n)
		})
	})
	return found, err
}

func try(ctx context.Context, leases *redis.Client, base string, number int) (*lease, error) {
	l := &lease{base: base, key: "chatops:test:database:" + strconv.Itoa(number), owner: uuid.NewString()}
	err := leases.SetArgs(ctx, l.key, l.owner, redis.SetArgs{Mode: "NX", TTL: leaseTime}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, nil //nolint:nilnil // taken by somebody else, which is no error
	}
	if err != nil {
		return nil, fmt.Errorf("borrow database %d: %w", number, err)
	}
	if l.url, err = withDatabase(base, number); err != nil {
		return nil, err
	}
	var size int64
	err = with(l.url, func(c *redis.Client) error {
		size, err = c.DBSize(ctx).Result()
		return err
	})
	if err == nil && size == 0 {
		return l, nil
	}
	// Not ours to empty; the lease stays, so that nobody looks here again soon.
	return nil, err
}

func (l *lease) giveBack() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := with(l.url, func(c *redis.Client) error { return c.FlushDB(ctx).Err() })
	return errors.Join(err, with(l.base, func(c *redis.Client) error {
		owner, err := c.Get(ctx, l.key).Result()
		if err != nil || owner != l.owner {
			return err
		}
		return c.Del(ctx, l.key).Err()
	}))
}

// databases asks the server how many databases it has; servers that do not
// tell have 16.
func databases(ctx context.Context, c *redis.Client) int {
	settings, err := c.ConfigGet(ctx, "databases").Result()
	if err != nil {
		return 16
	}
	n, err := strconv.Atoi(settings["databases"])
	if err != nil {
		return 16
	}
	return n
}

// with runs f with a client that lives no longer.
func with(url string, f func(*redis.Client) error) error {
	options, err := redis.ParseURL(url)
	if err != nil {
		return errors.New("not a redis:// URL") // the parser's own text may hold the password
	}
	options.PoolSize = 1
	c := redis.NewClient(options)
	defer func() { _ = c.Close() }()
	return f(c)
}
