package main

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"chatops/internal/chatops"
)

func TestPoolCollector_ShowsEveryPoolOfTheStore(t *testing.T) {
	t.Parallel()
	c := poolCollector{func() []chatops.PoolStats {
		return []chatops.PoolStats{
			{Name: "read", Max: 6, Open: 3, InUse: 2, Waits: 7, Waited: 1500 * time.Millisecond}, {Name: "write", Max: 1, Open: 1},
		}
	}}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	want := `
# HELP chatops_store_pool_connections_in_use Connections that work for somebody now.
# TYPE chatops_store_pool_connections_in_use gauge
chatops_store_pool_connections_in_use{pool="read"} 2
chatops_store_pool_connections_in_use{pool="write"} 0
# HELP chatops_store_pool_connections_max Connections that there may be to the database.
# TYPE chatops_store_pool_connections_max gauge
chatops_store_pool_connections_max{pool="read"} 6
chatops_store_pool_connections_max{pool="write"} 1
# HELP chatops_store_pool_connections_open Connections that there are to the database.
# TYPE chatops_store_pool_connections_open gauge
chatops_store_pool_connections_open{pool="read"} 3
chatops_store_pool_connections_open{pool="write"} 1
# HELP chatops_store_pool_wait_seconds_total How long calls waited for a connection, together.
# TYPE chatops_store_pool_wait_seconds_total counter
chatops_store_pool_wait_seconds_total{pool="read"} 1.5
chatops_store_pool_wait_seconds_total{pool="write"} 0
# HELP chatops_store_pool_waits_total Calls that had to wait for a connection.
# TYPE chatops_store_pool_waits_total counter
chatops_store_pool_waits_total{pool="read"} 7
chatops_store_pool_waits_total{pool="write"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
