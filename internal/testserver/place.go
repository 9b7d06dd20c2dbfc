package testserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Unprivileged returns the credential that a server should run under: nil,
// meaning the present user, unless that is root; then the first of the named
// accounts that exists. PostgreSQL refuses to run as root, and nothing else
// needs to.
func Unprivileged(accounts ...string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential is the documented answer
	}
	for _, account := range accounts {
		u, err := user.Lookup(account)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("account %s: %w", account, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("running as root, and none of the accounts %v exists to run the server as", accounts)
}

// TempDir makes a private directory that belongs to the credential's user. Its
// path is short, because a Unix socket inside it may have about 100 characters.
func TempDir(prefix string, cred *syscall.Credential) (string, error) {
	base := os.TempDir()
	if len(base) > 40 {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	if err := Own(dir, cred); err != nil {
		return "", err
	}
	return dir, nil
}

// WriteFile writes a file that only the credential's user can read.
func WriteFile(path, text string, cred *syscall.Credential) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return Own(path, cred)
}

// Own gives path to the credential's user; a nil credential changes nothing.
func Own(path string, cred *syscall.Credential) error {
	if cred == nil {
		return nil
	}
	if err := os.Chown(path, int(cred.Uid), int(cred.Gid)); err != nil {
		return fmt.Errorf("give %s away: %w", path, err)
	}
	return nil
}

// PrivateAddress returns a loopback address for one server alone, so that its
// port is still free when it starts again: no other server listens there, and no
// outgoing connection comes from there. Only Linux has such addresses without
// further ado; elsewhere it is 127.0.0.1.
func PrivateAddress() string {
	if runtime.GOOS != "linux" {
		return Loopback
	}
	// 127.64.0.0 to 127.127.255.255
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 127<<24+1<<22+rand.Uint32N(1<<22)) //nolint:gosec // nobody has to guess it
	return netip.AddrFrom4(a).String()
}

// Listen listens on an address where a server may have listened until now. Whatever
// was started at that very moment holds its port for as long as it takes to begin,
// so that a port that is in use is tried again for a while.
func Listen(address string) (l net.Listener, err error) {
	var lc net.ListenConfig
	_ = Poll(10*time.Second, func(ctx context.Context) error {
		if l, err = lc.Listen(ctx, "tcp", address); errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// Loopback is the address of servers that are not stopped and started again.
const Loopback = "127.0.0.1"

// FreePort returns a port of a loopback address that nobody listened on a moment
// ago.
func FreePort(address string) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(background, "tcp4", net.JoinHostPort(address, "0"))
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find free port: unexpected address %v", l.Addr())
	}
	return addr.Port, nil
}

// Find returns the path of a program: the newest match of the glob patterns,
// else what PATH holds.
func Find(program string, globs ...string) (string, error) {
	best, bestVersion := "", -1
	for _, glob := range globs {
		matches, err := filepath.Glob(filepath.Join(glob, program))
		if err != nil {
			return "", fmt.Errorf("find %s: %w", program, err)
		}
		for _, m := range matches {
			if v := versionOf(m); v > bestVersion {
				best, bestVersion = m, v
			}
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("find %s on %s: %w", program, runtime.GOOS, err)
	}
	return path, nil
}

// versionOf reads the last number in the path of a versioned folder, such as
// 15 in /usr/lib/postgresql/15/bin/postgres.
func versionOf(path string) int {
	version := 0
	number, digits := 0, false
	for _, r := range path + "/" {
		if r >= '0' && r <= '9' {
			number, digits = number*10+int(r-'0'), true
			continue
		}
		if digits {
			version = number
		}
		number, digits = 0, false
	}
	return version
}
