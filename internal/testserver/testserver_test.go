package testserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chatops/internal/testserver"
)

// patience bounds every wait for something that should come soon.
const patience = time.Minute

// envRole makes the test binary play a test process that is to be killed.
const envRole = "TESTSERVER_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(envRole) == "victim" {
		victim()
		return
	}
	goleak.VerifyTestMain(testserver.Wrap(m))
}

// victim starts a family, tells its process ids and its directory, and hangs.
func victim() {
	dir, err := os.MkdirTemp("", "chatops-victim-")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return
	}
	pids, err := family(dir)
	_, _ = fmt.Fprintln(os.Stdout, dir, pids, err)
	select {}
}

// family spawns a shell with a child below it, and returns both process ids.
func family(dir string) (string, error) {
	note := filepath.Join(dir, "child")
	script := `sleep 300 & child=$!; trap "kill $child; exit" TERM; echo $child >"$0.part"; mv "$0.part" "$0"; wait`
	p, err := testserver.Spawn(testserver.Command{
		Argv: []string{"/bin/sh", "-c", script, note}, Dir: dir, LastSignal: "TERM",
	})
	if err != nil {
		return "", err
	}
	child := ""
	err = p.AwaitReady(patience, func(context.Context) error {
		text, err := os.ReadFile(note)
		child = strings.TrimSpace(string(text))
		return err
	})
	spawned = p
	return fmt.Sprintf("%d %s", p.Pid(), child), err
}

var spawned *testserver.Process

func gone(pid int) error {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
		return nil // dead; whether somebody reaps an orphan is up to the machine
	}
	if syscall.Kill(pid, 0) == nil {
		return fmt.Errorf("process %d still runs", pid)
	}
	return nil
}

func TestProcess_DiesWithAKilledTestProcess(t *testing.T) {
	t.Parallel()
	for _, frozen := range []bool{false, true} {
		t.Run(fmt.Sprintf("frozen=%v", frozen), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), envRole+"=victim")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			fields := strings.Fields(line)
			if err != nil || len(fields) != 4 || fields[3] != "<nil>" {
				t.Fatalf("victim said %q: %v", line, err)
			}
			server, child := number(t, fields[1]), number(t, fields[2])
			if frozen {
				_ = syscall.Kill(server, syscall.SIGSTOP)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			err = testserver.Poll(patience, func(context.Context) error {
				_, statErr := os.Stat(fields[0])
				if statErr == nil {
					statErr = fmt.Errorf("directory %s still exists", fields[0])
				} else if errors.Is(statErr, os.ErrNotExist) {
					statErr = nil
				}
				return errors.Join(gone(server), gone(child), statErr)
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestProcess_KillReachesFrozenChildren(t *testing.T) { //nolint:paralleltest // uses the one spawned family
	pids, err := family(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := spawned.SignalTree(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := spawned.Kill(); err != nil {
		t.Fatal(err)
	}
	for pid := range strings.FieldsSeq(pids) {
		err := testserver.Poll(patience, func(context.Context) error { return gone(number(t, pid)) })
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAwaitReady_ReportsTheLogOfAServerThatExits(t *testing.T) {
	t.Parallel()
	p, err := testserver.Spawn(testserver.Command{
		Argv: []string{"/bin/sh", "-c", "echo port 80 is taken; exit 3"}, Dir: t.TempDir(), LastSignal: "KILL",
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.AwaitReady(patience, func(context.Context) error { return errors.New("no answer") })
	if err == nil || !strings.Contains(err.Error(), "exited while starting:\nport 80 is taken") {
		t.Fatalf("error = %v", err)
	}
}

func TestPoll_ReturnsTheLastErrorWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	calls := 0
	err := testserver.Poll(20*time.Millisecond, func(context.Context) error {
		calls++
		return fmt.Errorf("refused %d", calls)
	})
	if err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf("refused %d", calls)) {
		t.Fatalf("error = %v after %d calls", err, calls)
	}
}

func TestPrivateAddress_IsALoopbackAddressThatCanBeListenedOn(t *testing.T) {
	t.Parallel()
	address := testserver.PrivateAddress()
	if ip, err := netip.ParseAddr(address); err != nil || !ip.IsLoopback() {
		t.Fatalf("address %q: %v", address, err)
	}
	port, err := testserver.FreePort(address)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if runtime.GOOS == "linux" && (address == testserver.Loopback || address == testserver.PrivateAddress()) {
		t.Errorf("%s is not private", address)
	}
}

func TestFind_PrefersTheHighestVersionedFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, version := range []string{"9", "15", "14"} {
		dir := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "engine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := testserver.Find("engine", filepath.Join(root, "*", "bin"))
	if want := filepath.Join(root, "15", "bin", "engine"); err != nil || got != want {
		t.Errorf("found %q, %v; want %q", got, err, want)
	}
	if _, err := testserver.Find("no-such-engine", root); err == nil {
		t.Error("a missing program was found")
	}
}

type fakeM struct{ run func() int }

func (m fakeM) Run() int { return m.run() }

func TestWrap_RunsExitFunctionsLatestFirstAndKeepsTheCode(t *testing.T) { //nolint:paralleltest // process-wide list
	var order []string
	code := testserver.Wrap(fakeM{func() int {
		testserver.AtExit(func() { order = append(order, "first") })
		testserver.AtExit(func() { order = append(order, "second") })
		order = append(order, "tests")
		return 7
	}}).Run()
	if want := []string{"tests", "second", "first"}; code != 7 || !slices.Equal(order, want) {
		t.Errorf("code %d, order %v; want 7, %v", code, order, want)
	}
}

func TestWrap_TellsAboutTheMachineWhenATestHasFailed(t *testing.T) { //nolint:paralleltest // process-wide list
	asked := 0
	for _, code := range []int{0, 1} {
		testserver.Wrap(fakeM{func() int {
			testserver.AtFailure(func() string { asked++; return "the end of a log" })
			return code
		}}).Run()
		if asked != code {
			t.Errorf("asked %d times after code %d", asked, code)
		}
	}
}

func TestListen_WaitsForAPortThatIsStillHeld(t *testing.T) {
	t.Parallel()
	first, err := testserver.Listen(net.JoinHostPort(testserver.PrivateAddress(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		again, err := testserver.Listen(first.Addr().String())
		if err == nil {
			err = again.Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	_ = first.Close()
	if err := <-got; err != nil {
		t.Error(err)
	}
	if _, err := testserver.Listen("127.0.0.1:no-port"); err == nil {
		t.Error("a bad address is waited for, or taken")
	}
}
