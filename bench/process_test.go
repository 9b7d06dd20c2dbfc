package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// build compiles the program as a release is compiled.
func build(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "chatops")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./cmd/chatops")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// service is a running "chatops serve".
type service struct {
	cmd   *exec.Cmd
	url   string
	ready time.Duration // from start to the first 200 of /readyz
}

func start(b *testing.B, bin string, env ...string) *service {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	s := &service{cmd: exec.Command(bin, "serve"), url: "http://" + addr}
	s.cmd.Dir = b.TempDir()
	s.cmd.Env = append([]string{
		"LISTEN=" + addr, "LOG_LEVEL=info", "PATH=" + os.Getenv("PATH"), "HOME=" + s.cmd.Dir,
		"TRUSTED_PROXIES=127.0.0.1", // visitors have addresses of their own
	}, env...)
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.stop)
	for time.Since(begin) < 20*time.Second {
		if resp, err := http.Get(s.url + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				s.ready = time.Since(begin)
				return s
			}
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatal("serve: not ready after 20 s")
	return nil
}

func (s *service) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Wait()
	}
}

// rss is the resident memory in MB: now, and at its highest.
func (s *service) rss(b *testing.B) (now, peak float64) {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			now = kb / 1024
		case "VmHWM:":
			peak = kb / 1024
		}
	}
	return now, peak
}

// BenchmarkStart measures what an engineer waits for, and what the service
// holds while nothing happens.
func BenchmarkStart(b *testing.B) {
	bin := build(b)
	var versions, readies, idles []float64
	for range max(*rounds, 5) {
		begin := time.Now()
		if err := exec.Command(bin, "version").Run(); err != nil {
			b.Fatal(err)
		}
		versions = append(versions, ms(time.Since(begin)))
		s := start(b, bin)
		readies = append(readies, ms(s.ready))
		now, _ := s.rss(b)
		idles = append(idles, now)
		s.stop()
	}
	fmt.Printf("%-34s %8.1f ms\n", "chatops version", median(versions))
	fmt.Printf("%-34s %8.1f ms (a new embedded database)\n", "chatops serve, ready", median(readies))
	fmt.Printf("%-34s %8.1f MB\n", "chatops serve, idle", median(idles))
}

// BenchmarkChat sends chat turns over HTTP, 64 at a time, each durable before
// it is answered. The figures of the replaced system are 142/s (p50 385 ms,
// p99 837 ms) on PostgreSQL and 74/s on SQLite, measured on such a machine.
func BenchmarkChat(b *testing.B) {
	bin := build(b)
	b.Run("sqlite", func(b *testing.B) { chatLoad(b, "sqlite", start(b, bin), 0, 74) })
	b.Run("postgres", func(b *testing.B) {
		srv := durable(b)
		url := srv.Database("chat")
		_ = open(b, url, 1)
		chatLoad(b, "postgres", start(b, bin, "DATABASE_URL="+url), srv.Pid(), 142)
	})
}

// chatLoad sends turns and reports them against a rate of the old system.
// postmaster is the database's process, 0 when it is embedded.
func chatLoad(b *testing.B, engine string, s *service, postmaster int, old float64) {
	b.Helper()
	cpu := func() (ours, database time.Duration) {
		if postmaster != 0 {
			database = treeTime(b, postmaster)
		}
		return treeTime(b, s.cmd.Process.Pid), database
	}
	ours, database := cpu()
	run := chatTurns(b, s)
	oursAfter, databaseAfter := cpu()
	_, peak := s.rss(b)
	latency(b, "chat turn, "+engine, run.took)
	fmt.Printf("%-34s %8.1f turns/s   %.1fx the old system   %d failed   peak memory %.1f MB\n",
		"", run.perSecond(), run.perSecond()/old, run.failed, peak)
	turns := float64(len(run.took))
	fmt.Printf("%-34s %8.3f ms of processor per turn in chatops, %.3f ms in the database\n",
		"", ms(oursAfter-ours)/turns, ms(databaseAfter-database)/turns)
	b.ReportMetric(run.perSecond(), "turns/s")
}

// chatRun is what a load of chat turns has measured.
type chatRun struct {
	wall   time.Duration
	took   []time.Duration
	failed int64
}

func (r *chatRun) perSecond() float64 { return float64(len(r.took)) / r.wall.Seconds() }

// chatTurns sends five messages in each of 4,000 conversations, 64 at a time,
// as a proxy passes them on: each visitor has an address, and keeps well below
// the limits.
func chatTurns(b *testing.B, s *service) *chatRun {
	b.Helper()
	const turns, clients = 20_000, 64
	messages := []string{
		"Ile kosztuje pakiet Comfort za metr?", "mieszkanie ma 85 m2, Gdańsk", "Jak długo to potrwa?",
		"Czy materiały są w cenie?", "How long does it take?",
	}
	conversations := turns / len(messages)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var failed atomic.Int64
	run := &chatRun{took: make([]time.Duration, turns)}
	begin := time.Now()
	spread(b, clients, turns, func(i int) error {
		visitor := i % conversations
		body, err := json.Marshal(map[string]string{
			"message": messages[i/conversations], "session_id": fmt.Sprintf("bench-%d", visitor),
		})
		if err != nil {
			return err
		}
		t := time.Now()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+"/api/chatbot/chat", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.1.%d.%d", visitor/256, visitor%256))
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		run.took[i] = time.Since(t)
		if resp.StatusCode != http.StatusOK {
			failed.Add(1)
		}
		return nil
	})
	run.wall, run.failed = time.Since(begin), failed.Load()
	return run
}
