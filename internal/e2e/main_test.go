package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"chatops/internal/pgtest"
	"chatops/internal/testserver"
)

// atOnce is how many tests run at the same time. They wait for processes, leases
// and timeouts more than they compute.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err) // the testing package has had this flag since Go 1
		}
	}
	pgtest.Main(m)
}

// raceEnabled builds the program with the race detector, so that a race in any
// flow fails its test. It makes every process five times as dear, which `make
// test-race` can afford and CI cannot.
var raceEnabled = os.Getenv("E2E_RACE") == "1"

// binary builds chatops once and returns its path. Its waits between attempts
// are not random: full jitter draws a retry at once now and then, however long
// the waits may be.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chatops-e2e-")
	if err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	testserver.AtExit(func() { _ = os.RemoveAll(dir) })
	if err := seeProgram(); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "chatops")
	args := []string{"build", "-ldflags", "-X main.jitter=none -X main.paceWindow=400ms", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "chatops/cmd/chatops")...)
	if !raceEnabled {
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build: what it compiled serves here too
	}
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// seeProgram looks at the program's files. Cached results of tests are told
// apart by what the tests have looked at, not by what they build: without this
// the result of an older program would be shown for a newer one.
func seeProgram() error {
	for _, root := range []string{"../../cmd", "../../internal", "../../migrations"} {
		err := filepath.WalkDir(root, func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return fmt.Errorf("look at the program: %w", err)
		}
	}
	return nil
}
