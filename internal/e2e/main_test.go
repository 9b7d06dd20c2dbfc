package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"chatops/internal/pgtest"
	"chatops/internal/testserver"
)

func TestMain(m *testing.M) {
	// The children's environment is made from scratch, but pgtest reads ours.
	pgtest.Main(m)
}

// binary builds chatops once and returns its path. Under the race detector the
// program is built with it too, so that a race in any flow fails its test.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chatops-e2e-")
	if err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	testserver.AtExit(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "chatops")
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "chatops/cmd/chatops")...)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})
