package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chatops/internal/pgtest"
)

var (
	rounds = flag.Int("rounds", 3, "rounds of every measurement; medians are reported")
	large  = flag.Bool("large", false, "also run the sizes of 1,000,000 rows and more")
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// durable starts a PostgreSQL server set up as a production server of this size
// would be: every commit is flushed.
func durable(b *testing.B) *pgtest.Server {
	b.Helper()
	return pgtest.Start(b, pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers":     "512MB",
		"synchronous_commit": "on",
		"max_wal_size":       "8GB",
		"checkpoint_timeout": "30min",
		"max_connections":    "200",
	}})
}

func connect(b *testing.B, url string, conns int) *pgxpool.Pool {
	b.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	cfg.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

// settle brings the server to the same state before every round.
func settle(b *testing.B, url string) {
	b.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(ctx)
	for _, q := range []string{"vacuum analyze", "checkpoint"} {
		if _, err := c.Exec(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
}

// cost is what a piece of work took.
type cost struct {
	rows int
	wall time.Duration
	cpu  time.Duration // of the server and of this process
	wal  int64         // bytes
}

func (c cost) perSecond() float64 { return float64(c.rows) / c.wall.Seconds() }
func (c cost) cpuMicros() float64 { return float64(c.cpu.Microseconds()) / float64(c.rows) }
func (c cost) walBytes() float64  { return float64(c.wal) / float64(c.rows) }

// measure runs work, which handles rows rows on the server.
func measure(b *testing.B, srv *pgtest.Server, url string, rows int, work func()) cost {
	b.Helper()
	wal, cpu := walPosition(b, url), cpuTime(b, srv)
	start := time.Now()
	work()
	wall := time.Since(start)
	return cost{rows: rows, wall: wall, cpu: cpuTime(b, srv) - cpu, wal: walPosition(b, url) - wal}
}

func walPosition(b *testing.B, url string) int64 {
	b.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(ctx)
	var n int64
	if err := c.QueryRow(ctx, "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// cpuTime adds the processor time of this process and of every process of the
// server, ended ones included.
func cpuTime(b *testing.B, srv *pgtest.Server) time.Duration {
	b.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	return time.Duration(self.Utime.Nano()+self.Stime.Nano()) + treeTime(b, srv.Pid())
}

// treeTime adds the processor time of a process and of its children, ended ones
// included.
func treeTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	parent := strconv.Itoa(pid)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	const tick = time.Second / 100
	var total time.Duration
	for _, p := range stats {
		text, err := os.ReadFile(p)
		if err != nil {
			continue // the process has ended meanwhile
		}
		f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		own := strings.Split(p, "/")[2] == parent
		if !own && f[1] != parent {
			continue
		}
		fields := f[11:13] // utime, stime
		if own {
			fields = f[11:15] // and those of children that have ended
		}
		for _, v := range fields {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(n) * tick
		}
	}
	return total
}

func median(values []float64) float64 {
	s := slices.Clone(values)
	slices.Sort(s)
	return s[len(s)/2]
}

// versus collects the rounds of two sides and prints them.
type versus struct {
	what, peer string
	ours       []float64
	theirs     []float64
	unit       string
}

func (v *versus) add(ours, theirs float64) {
	v.ours, v.theirs = append(v.ours, ours), append(v.theirs, theirs)
}

func (v *versus) report(b *testing.B) {
	b.Helper()
	ratios := make([]float64, len(v.ours))
	for i := range v.ours {
		ratios[i] = v.ours[i] / v.theirs[i]
	}
	fmt.Printf("%-34s chatops %10.1f %-9s %s %10.1f %-9s ratio %.2f (rounds %.2f)\n",
		v.what, median(v.ours), v.unit, v.peer, median(v.theirs), v.unit, median(ratios), ratios)
	b.ReportMetric(median(ratios), "ratio-"+strings.ReplaceAll(v.unit, "/", "-per-"))
}

// reset runs a statement that empties tables.
func reset(b *testing.B, url, statement string) {
	b.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, statement); err != nil {
		b.Fatal(err)
	}
}
