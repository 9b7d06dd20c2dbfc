package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
)

// BenchmarkDashboard measures what an engineer waits for, and what a dashboard
// that is left open costs, at 1,000,000 failed alerts: the start to the first
// numbers and to the first verdict, the processor time of the dashboard and the
// time of the database while nobody types, and what is written to the terminal.
func BenchmarkDashboard(b *testing.B) {
	const rows = 1_000_000
	bin := build(b)
	srv := pgtest.Start(b, pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min",
		"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all",
	}})
	url := srv.Database("dashboard")
	open(b, url, 2)
	fill(b, url, rows, chatops.AlertFailed, "now()")
	settle(b, url)
	start(b, bin, "DATABASE_URL="+url)
	watchDashboards(b, "PostgreSQL", bin, url)
	for _, n := range []int{1, 4} {
		databaseTime(b, bin, url, n)
	}
	sqlite := "sqlite://" + b.TempDir() + "/chatbot.db"
	start(b, bin, "DATABASE_URL="+sqlite)
	watchDashboards(b, "SQLite, an empty queue", bin, sqlite)
}

var (
	firstNumbers = regexp.MustCompile(`\d+ waiting`)
	firstVerdict = regexp.MustCompile(`INCIDENT|WATCH|OK  nothing`)
)

// watchDashboards starts dashboards one after the other and leaves one open.
func watchDashboards(b *testing.B, where, bin, url string) {
	b.Helper()
	fmt.Println(where)
	var numbers, verdicts []time.Duration
	for range max(*rounds, 20) {
		t := openTerminal(b, bin, url)
		numbers = append(numbers, t.await(b, firstNumbers))
		verdicts = append(verdicts, t.await(b, firstVerdict))
		t.close()
	}
	latency(b, "  start to the first numbers", numbers)
	latency(b, "  start to the first verdict", verdicts)

	const span = 60 * time.Second
	t := openTerminal(b, bin, url)
	defer t.close()
	t.await(b, firstNumbers)
	<-time.After(5 * time.Second)
	cpu, wrote := t.cpu(b), t.written()
	<-time.After(span)
	fmt.Printf("%-34s %8.2f %% of a core\n", "  idle", 100*(t.cpu(b)-cpu).Seconds()/span.Seconds())
	fmt.Printf("%-34s %8.0f bytes/s\n", "  written to the terminal", float64(t.written()-wrote)/span.Seconds())
}

// databaseTime is what open dashboards cost the database, without what the
// service costs it meanwhile.
func databaseTime(b *testing.B, bin, url string, dashboards int) {
	b.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	const span = 30 * time.Second
	spent := func() float64 {
		if _, err := c.Exec(ctx, "create extension if not exists pg_stat_statements"); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Exec(ctx, "select pg_stat_statements_reset()"); err != nil {
			b.Fatal(err)
		}
		<-time.After(span)
		var ms float64
		if err := c.QueryRow(ctx, "select coalesce(sum(total_exec_time + total_plan_time), 0) from pg_stat_statements where query not like '%pg_stat_statements%'").Scan(&ms); err != nil {
			b.Fatal(err)
		}
		return ms
	}
	before := spent()
	for range dashboards {
		t := openTerminal(b, bin, url)
		defer t.close()
		t.await(b, firstNumbers)
	}
	fmt.Printf("%-34s %8.2f ms per dashboard and refresh of 2 s\n", fmt.Sprintf("  database time, %d open", dashboards),
		(spent()-before)/float64(dashboards)/(span.Seconds()/2))
}

// terminal is a dashboard in a terminal of its own, of 120 by 40.
type terminal struct {
	cmd    *exec.Cmd
	master *os.File
	begun  time.Time

	mu   sync.Mutex
	out  bytes.Buffer
	news chan struct{}
}

func openTerminal(b *testing.B, bin, url string) *terminal {
	b.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		b.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		b.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}); err != nil {
		b.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = slave.Close() }()
	t := &terminal{master: master, cmd: exec.Command(bin, "dashboard"), news: make(chan struct{}, 1)}
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = slave, slave, slave
	t.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	t.cmd.Env = []string{"DATABASE_URL=" + url, "TERM=xterm-256color", "PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}
	t.begun = time.Now()
	if err := t.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	go t.read()
	return t
}

func (t *terminal) read() {
	buf := make([]byte, 1<<16)
	for {
		n, err := t.master.Read(buf)
		t.mu.Lock()
		t.out.Write(buf[:n])
		t.mu.Unlock()
		select {
		case t.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// await returns when the terminal shows what is wanted, and how long after the
// start that was.
func (t *terminal) await(b *testing.B, what *regexp.Regexp) time.Duration {
	b.Helper()
	late := time.After(20 * time.Second)
	for {
		t.mu.Lock()
		shown := what.Match(t.out.Bytes())
		t.mu.Unlock()
		if shown {
			return time.Since(t.begun)
		}
		select {
		case <-t.news:
		case <-late:
			b.Fatalf("the dashboard does not show %s:\n%q", what, t.out.String())
		}
	}
}

func (t *terminal) written() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Len()
}

// cpu is the processor time that the dashboard has used.
func (t *terminal) cpu(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // the kernel counts in hundredths
}

func (t *terminal) close() {
	_, _ = t.master.WriteString("q")
	_ = t.cmd.Wait()
	_ = t.master.Close()
}
