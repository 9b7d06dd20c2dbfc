package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

// smallDisk is a file system of 4 MB of its own, or the test's folder with a
// limit on the file where mounting is not allowed.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("mounting a small file system needs root (%v); TestWrite_FileAtItsLimit covers the same in part", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWrite_DiskFull_IsClearAndHealsWithoutReopening(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	path := filepath.Join(dir, "chatbot.db")
	ballast := filepath.Join(dir, "ballast")
	url := "sqlite://" + path
	migrate(t, url)
	s := open(t, url, sqlite.Options{})

	var kept []string
	next := 0
	for round := range 3 {
		fill(t, ballast)
		var err error
		for range 5000 {
			session := fmt.Sprint("disk-", next)
			next++
			if _, err = s.SaveTurn(t.Context(), leadTurn(session)); err != nil {
				break
			}
			kept = append(kept, session)
		}
		wantDiskFull(t, err)
		_, err = s.Enqueue(t.Context(), leadTurn("more").Alerts)
		if err != nil {
			wantDiskFull(t, err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("reading from a full disk: %v", err)
		}
		wantSessions(t, s, kept)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		session := fmt.Sprint("healed-", round)
		if _, err := s.SaveTurn(t.Context(), leadTurn(session)); err != nil {
			t.Fatalf("save after space has returned: %v", err)
		}
		kept = append(kept, session)
	}
	wantSessions(t, s, kept)
	db := openSQL(t, "file:"+path)
	if n := count(t, db, `select count(*) from leads`); n != len(kept) {
		t.Errorf("%d leads stored, %d acknowledged", n, len(kept))
	}
	if _, err := db.ExecContext(t.Context(), `delete from dead_letter_queue where idempotency_key like 'more%'`); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, db)
}

func wantDiskFull(t *testing.T, err error) {
	t.Helper()
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("writing to a full disk: %v, want %q with the words disk full", err, chatops.CodeUnavailable)
	}
}

func TestOpen_OnAFullDisk_SaysSo(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	fill(t, filepath.Join(dir, "ballast"))
	_, err := sqlite.Open(t.Context(), "sqlite://"+filepath.Join(dir, "chatbot.db"), sqlite.Options{})
	wantDiskFull(t, err)
}
