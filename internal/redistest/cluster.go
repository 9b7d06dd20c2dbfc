package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"chatops/internal/testserver"
)

// Cluster is a Redis Cluster of three masters without replicas.
type Cluster struct{ Nodes []*Server }

const (
	clusterNodes = 3
	clusterSlots = 16384
)

// StartCluster returns a Cluster that serves every slot and belongs to this test
// alone.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	password, c := rand.Text(), &Cluster{}
	for range clusterNodes {
		bus := 0 // stays the same when the node starts again
		c.Nodes = append(c.Nodes, Start(tb, Options{
			password: password,
			Settings: map[string]string{
				"masterauth": password, "cluster-enabled": "yes", "cluster-node-timeout": "2000",
			},
			more: func(own *Server) []string {
				if bus == 0 {
					var err error
					bus, err = testserver.FreePort(own.address)
					own.check("find a port for", err)
				}
				return []string{"cluster-announce-ip " + own.address, "cluster-port " + strconv.Itoa(bus)}
			},
		}))
	}
	for i, node := range c.Nodes {
		err := with(node.url, func(client *redis.Client) error {
			return c.join(tb.Context(), client, i)
		})
		node.check("join", err)
	}
	if err := testserver.Poll(patience, c.complete); err != nil {
		tb.Fatalf("Redis Cluster: %v\n%s", err, c.Nodes[0].Log())
	}
	return c
}

// URL is the address of the Cluster by its first two nodes.
func (c *Cluster) URL() string {
	return "redis+cluster://" + url.UserPassword("", c.Nodes[0].password).String() + "@" + c.Nodes[0].Addr() + "," + c.Nodes[1].Addr()
}

// join gives a node its part of the slots and introduces it to the first node.
func (c *Cluster) join(ctx context.Context, client *redis.Client, i int) error {
	from, to := i*clusterSlots/clusterNodes, (i+1)*clusterSlots/clusterNodes-1
	if err := client.ClusterAddSlotsRange(ctx, from, to).Err(); err != nil {
		return err
	}
	first := c.Nodes[0]
	bus, err := busPort(ctx, first)
	if err != nil || i == 0 {
		return err
	}
	return client.Do(ctx, "cluster", "meet", first.address, first.port, bus).Err()
}

// busPort asks a node where the other nodes reach it.
func busPort(ctx context.Context, s *Server) (string, error) {
	var port string
	err := with(s.url, func(c *redis.Client) error {
		settings, err := c.ConfigGet(ctx, "cluster-port").Result()
		port = settings["cluster-port"]
		return err
	})
	return port, err
}

func (c *Cluster) complete(ctx context.Context) error {
	for _, node := range c.Nodes {
		err := with(node.url, func(client *redis.Client) error {
			text, err := client.ClusterInfo(ctx).Result()
			if err == nil && (!strings.Contains(text, "cluster_state:ok") || !strings.Contains(text, "cluster_size:3")) {
				err = errors.New("a node does not see the whole cluster")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
