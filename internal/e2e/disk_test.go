package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// F20: the disk under the embedded database is full. Visitors get 503, what is
// stored stays whole, and work goes on when there is space again.
func TestDisk_Full_AnswersWith503AndResumesWhenSpaceReturns(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, sqlite)
	small := filepath.Join(w.dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("mount a small disk: %v; this test needs root on Linux", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	w.useDatabase("sqlite://" + filepath.Join(small, "chatbot.db"))
	w.useReceivers()
	s := w.serve()
	s.mustSay("before", "Dzień dobry")
	ballast := filepath.Join(small, "ballast")
	fill(t, ballast)
	stored := 1
	for i := 0; ; i++ {
		r, err := s.say(t.Context(), "full-"+strconv.Itoa(i), "Dzień dobry")
		if err != nil {
			t.Fatal(err)
		}
		if r.status == http.StatusServiceUnavailable {
			if r.header.Get("Retry-After") == "" || !strings.Contains(r.Error, "full") {
				t.Errorf("503 with Retry-After %q and error %q, want one that says what is full", r.header.Get("Retry-After"), r.Error)
			}
			break
		}
		if stored++; r.status != http.StatusOK || i > 5000 {
			t.Fatalf("answer %d: %d %s", i, r.status, r.raw)
		}
	}
	if n := w.number(`select count(*) from chat_messages where sender = 'user'`); n != stored {
		t.Errorf("%d messages are stored, %d were answered with 200", n, stored)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.mustSay("after", "Dzień dobry")
	w.enqueueLead("s1")
	w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
	if text := w.text(`pragma integrity_check`); text != "ok" {
		t.Errorf("integrity check: %s", text)
	}
	s.term()
	if code := s.wait(); code != 0 {
		t.Errorf("serve ended with %d", code)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, size := range []int{64 << 10, 512} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// F20: two processes write one file and wait for each other.
func TestDisk_TwoProcessesOnOneFile_WaitInsteadOfFailing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	sink := startSink(t, "")
	w.env["WEBHOOKS"] = sink.setting()
	var loads []*load
	for range 2 {
		loads = append(loads, w.serve().chatter(4))
	}
	w.enqueueMany(500, "k", "queued")
	for _, l := range loads {
		l.awaitAnswers(http.StatusOK, 300)
	}
	w.await(500, `select count(*) from dead_letter_queue where status = 'delivered'`)
	sink.expectEachOnce(t, 500)
	for _, l := range loads {
		l.stop()
		l.s.term()
		if code := l.s.wait(); code != 0 {
			t.Errorf("serve ended with %d", code)
		}
		l.reconcile(t, w)
		if len(l.statuses) != 1 || l.refused > 0 {
			t.Errorf("answers %v and %d without one, want 200 only", l.statuses, l.refused)
		}
		if text := l.s.err.String(); strings.Contains(text, "locked") || strings.Contains(text, "SQLITE_BUSY") {
			t.Errorf("a process complains about a lock:\n%s", tail(text))
		}
	}
}
