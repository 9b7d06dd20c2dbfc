package redistest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"chatops/internal/testserver"
)

// MasterName is what Sentinels call the master they watch over.
const MasterName = "chatops"

// Sentinels are a master, its replica, and three Sentinels that make the replica
// the master when the master is gone for half a second.
type Sentinels struct {
	Master, Replica *Server
	Watchers        []*Server
}

// StartSentinels returns a master, a replica and Sentinels that know each other,
// which belong to this test alone.
func StartSentinels(tb testing.TB) *Sentinels {
	tb.Helper()
	password := rand.Text()
	s := &Sentinels{Master: Start(tb, Options{password: password, Settings: map[string]string{"masterauth": password}})}
	host, port, err := net.SplitHostPort(s.Master.Addr())
	if err != nil {
		tb.Fatal(err)
	}
	s.Replica = Start(tb, Options{
		password: password, Settings: map[string]string{"masterauth": password, "replicaof": host + " " + port},
		more: func(own *Server) []string { return []string{"replica-announce-ip " + own.address} },
	})
	guard := rand.Text()
	for range 3 {
		s.Watchers = append(s.Watchers, Start(tb, Options{sentinel: true, password: guard, more: func(own *Server) []string {
			return []string{
				"sentinel announce-ip " + own.address,
				"sentinel monitor " + MasterName + " " + host + " " + port + " 2",
				"sentinel auth-pass " + MasterName + " " + password,
				"sentinel down-after-milliseconds " + MasterName + " 500",
				"sentinel failover-timeout " + MasterName + " 2000",
				"sentinel sentinel-pass " + guard,
			}
		}}))
	}
	if err := testserver.Poll(patience, s.acquainted); err != nil {
		tb.Fatalf("Sentinels: %v\n%s", err, s.Watchers[0].Log())
	}
	return s
}

// URL is the address of the master by way of the Sentinels.
func (s *Sentinels) URL() string {
	hosts := make([]string, len(s.Watchers))
	for i, w := range s.Watchers {
		hosts[i] = w.Addr()
	}
	return "redis+sentinel://" + url.UserPassword("", s.Master.password).String() + "@" + strings.Join(hosts, ",") + "/" + MasterName +
		"/0?sentinel_password=" + url.QueryEscape(s.Watchers[0].password)
}

// acquainted reports whether every Sentinel knows the others and the replica,
// and the replica has the master's data: from then on a failover works.
func (s *Sentinels) acquainted(ctx context.Context) error {
	for _, w := range s.Watchers {
		if err := w.knowsAll(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) knowsAll(ctx context.Context) error {
	c := redis.NewSentinelClient(&redis.Options{Addr: s.Addr(), Password: s.password, PoolSize: 1})
	defer func() { _ = c.Close() }()
	master, err := c.Master(ctx, MasterName).Result()
	if err != nil {
		return err
	}
	replicas, err := c.Replicas(ctx, MasterName).Result()
	if err != nil {
		return err
	}
	if n := master["num-other-sentinels"]; n != "2" || master["flags"] != "master" || len(replicas) != 1 {
		return fmt.Errorf("a Sentinel knows %s others and %d replicas of a %s", n, len(replicas), master["flags"])
	}
	if r := replicas[0]; r["flags"] != "slave" || r["master-link-status"] != "ok" {
		return fmt.Errorf("a Sentinel sees a %s whose link to its master is %s", r["flags"], r["master-link-status"])
	}
	return nil
}
