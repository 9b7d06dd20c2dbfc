package sqlite_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

// childEnv holds the address that a child process writes to; childPrefix names
// its sessions and childTurns how many it stores (0: until it is killed).
const (
	childEnv    = "CHATOPS_SQLITE_CHILD"
	childPrefix = "CHATOPS_SQLITE_CHILD_PREFIX"
	childTurns  = "CHATOPS_SQLITE_CHILD_TURNS"
)

// TestMain makes the test binary serve as the other process too.
func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		if err := writeTurns(url, os.Getenv(childPrefix), os.Getenv(childTurns)); err != nil {
			panic(err)
		}
		return
	}
	// -rapid.checks on the command line wins.
	if err := flag.Set("rapid.checks", randomHistories); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// writeTurns stores leads from eight goroutines and prints each session that
// SaveTurn has acknowledged.
func writeTurns(url, prefix, count string) error {
	s, err := sqlite.Open(context.Background(), url, sqlite.Options{})
	if err != nil {
		return err
	}
	var limit int
	if _, err := fmt.Sscan(count, &limit); err != nil {
		return err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for w := range 8 {
		wg.Go(func() {
			for i := 0; limit == 0 || i < limit; i++ {
				session := fmt.Sprintf("%s-%d-%d", prefix, w, i)
				if _, err := s.SaveTurn(context.Background(), leadTurn(session)); err != nil {
					errs <- err
					return
				}
				mu.Lock()
				_, _ = fmt.Fprintln(os.Stdout, session)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return err
	}
	return s.Close()
}

// leadTurn is a first turn that makes a lead and three alerts.
func leadTurn(session string) *chatops.Turn {
	t := &chatops.Turn{
		Conversation: chatops.Conversation{SessionID: session, Facts: chatops.Facts{City: "Łódź"}},
		UserMessage:  "tak, zgadza się", BotMessage: "Dziękuję, oddzwonimy.",
		Lead: &chatops.Lead{Name: "Jan", Email: "jan@example.pl", LeadScore: 80},
	}
	for _, target := range []string{"slack:alerts", "monday:leads", "mailto:biuro@example.pl"} {
		t.Alerts = append(t.Alerts, chatops.NewAlert{
			EventType: chatops.EventSlackAlert, Target: target, Payload: []byte(`{"text":"lead"}`), IdempotencyKey: session + target,
		})
	}
	return t
}

// child is a process that writes to the same file.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, url, prefix string, turns int) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+url, childPrefix+"="+prefix, fmt.Sprintf("%s=%d", childTurns, turns))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd: cmd, lines: bufio.NewScanner(out)}
}

// acknowledged reads up to n sessions that the child has stored.
func (c *child) acknowledged(n int) []string {
	var list []string
	for len(list) < n && c.lines.Scan() {
		list = append(list, strings.TrimSpace(c.lines.Text()))
	}
	return list
}
