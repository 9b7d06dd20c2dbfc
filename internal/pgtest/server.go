package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/testserver"
)

const (
	superuser   = "chatops"
	maintenance = "postgres"
	patience    = 60 * time.Second
)

// StopMode says how hard Server.Stop is.
type StopMode int

// The modes of pg_ctl stop, and one that is harder than these.
const (
	Smart     StopMode = iota // waits until all clients have left
	Fast                      // rolls back what runs and ends the sessions
	Immediate                 // drops everything; the next start recovers from the log
	Kill                      // SIGKILL to every process of the server, as after a crash
)

// Options of a dedicated server.
type Options struct {
	// Durable leaves fsync, full_page_writes and synchronous_commit on, as in
	// production. Without it a server may lose the last commits when it is stopped at once,
	// and it tells nothing about how long a commit takes.
	Durable bool
	// Settings are further parameters of postgresql.conf, such as
	// "max_connections": "20".
	Settings map[string]string
}

// Server is a dedicated PostgreSQL server. Its methods fail the test that
// started it, so they must be called from that test's goroutine.
type Server struct {
	tb       testing.TB
	options  Options
	bin      string
	dir      string
	password string
	address  string
	port     int
	url      string
	cred     *syscall.Credential
	process  *testserver.Process
}

// Start returns a running server that belongs to this test alone, and removes
// it when the test ends. TEST_DATABASE_URL has no influence on it.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: o, address: testserver.PrivateAddress()}
	if err := s.init(); err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	tb.Cleanup(s.remove)
	s.check("start", s.firstStart())
	return s
}

// URL of the server's maintenance database, through TCP. It stays the same
// across stops and starts.
func (s *Server) URL() string { return s.url }

// SocketURL is URL through the server's Unix socket.
func (s *Server) SocketURL() string {
	u, err := url.Parse(s.url)
	if err != nil {
		s.tb.Fatalf("parse own URL: %v", err)
	}
	u.Host = ""
	u.RawQuery = url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}.Encode()
	return u.String()
}

// Database makes an empty database on the server and returns its URL.
func (s *Server) Database(name string) string {
	s.tb.Helper()
	s.check("create database", runSQL(s.url, "CREATE DATABASE "+quote(name)))
	return withDatabase(s.url, name)
}

// Addr is the server's TCP address, host:port.
func (s *Server) Addr() string { return net.JoinHostPort(s.address, strconv.Itoa(s.port)) }

// Dir is the server's data directory.
func (s *Server) Dir() string { return filepath.Join(s.dir, "data") }

// Log returns the end of what the server has logged.
func (s *Server) Log() string { return testserver.LogTail(s.dir) }

// Pid is the process id of the postmaster, or 0 while the server is stopped.
func (s *Server) Pid() int {
	if s.process == nil {
		return 0
	}
	return s.process.Pid()
}

// Start starts a stopped server and waits until it answers; a running one is
// left alone.
func (s *Server) Start() {
	s.tb.Helper()
	s.check("start", s.start())
}

// Stop stops the server and waits until it is gone; a stopped one is left
// alone.
func (s *Server) Stop(mode StopMode) {
	s.tb.Helper()
	s.check("stop", s.stop(mode))
}

// Restart is Stop and Start.
func (s *Server) Restart(mode StopMode) {
	s.tb.Helper()
	s.Stop(mode)
	s.Start()
}

// Pause freezes every process of the server (SIGSTOP): connections stay open
// and nothing answers.
func (s *Server) Pause() {
	s.tb.Helper()
	s.check("pause", s.signalTree(syscall.SIGSTOP))
}

// Resume wakes the server after Pause.
func (s *Server) Resume() {
	s.tb.Helper()
	s.check("resume", s.signalTree(syscall.SIGCONT))
}

func (s *Server) check(verb string, err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("%s PostgreSQL: %v", verb, err)
	}
}

func (s *Server) signalTree(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("it is stopped")
	}
	return s.process.SignalTree(sig)
}

// init finds the programs and makes the data directory.
func (s *Server) init() (err error) {
	path, err := testserver.Find("initdb", "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin")
	if err != nil {
		return fmt.Errorf("%w%s", err, advice)
	}
	s.bin = filepath.Dir(path)
	if s.cred, err = testserver.Unprivileged("postgres", "nobody"); err != nil {
		return err
	}
	if s.dir, err = testserver.TempDir("chatops-pg-", s.cred); err != nil {
		return err
	}
	if err = s.initData(); err != nil {
		s.remove()
	}
	return err
}

// pristine is the data directory that every server of the process begins with:
// to copy it takes a tenth of what making it does. It has a random password, so
// that an open port serves nobody else on the machine.
var pristine struct {
	sync.Mutex
	dir, password string
}

// initData fills the data directory.
func (s *Server) initData() error {
	pristine.Lock()
	defer pristine.Unlock()
	if pristine.dir == "" {
		dir, err := testserver.TempDir("chatops-pg-", s.cred)
		if err != nil {
			return err
		}
		testserver.AtExit(func() { _ = os.RemoveAll(dir) })
		password := rand.Text()
		if err := s.runInitdb(dir, password); err != nil {
			return err
		}
		pristine.dir, pristine.password = dir, password
	}
	s.password = pristine.password
	return s.run("cp", "-a", filepath.Join(pristine.dir, "data"), s.Dir())
}

func (s *Server) runInitdb(dir, password string) error {
	secret := filepath.Join(dir, "password")
	if err := testserver.WriteFile(secret, password+"\n", s.cred); err != nil {
		return err
	}
	locale := "C.UTF-8" // collates by code point, yet folds Polish letters
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8"
	}
	return s.run(filepath.Join(s.bin, "initdb"),
		"--pgdata", filepath.Join(dir, "data"), "--username", superuser, "--pwfile", secret,
		"--auth", "md5", // quicker to check than the default, at every connection
		"--encoding", "UTF8", "--locale", locale, "--no-sync")
}

// run runs a program as the server's user.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + s.bin + ":/usr/bin:/bin", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// firstStart chooses the port and starts the server; another port is tried when
// somebody took the first one in between.
func (s *Server) firstStart() (err error) {
	for range 3 {
		if err = s.choosePort(); err != nil {
			return err
		}
		if err = s.start(); err == nil || !strings.Contains(err.Error(), "already in use") {
			return err
		}
	}
	return err
}

func (s *Server) choosePort() (err error) {
	s.port, err = testserver.FreePort(s.address)
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: s.Addr(), Path: "/" + maintenance, RawQuery: "sslmode=disable",
	}
	s.url = u.String()
	return err
}

func (s *Server) start() error {
	if s.process != nil {
		return nil
	}
	process, err := testserver.Spawn(testserver.Command{
		Argv: s.commandLine(), Dir: s.dir, Credential: s.cred, LastSignal: "QUIT",
	})
	if err != nil {
		return err
	}
	s.process = process
	err = process.AwaitReady(patience, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.url)
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err != nil {
		_ = s.stop(Kill)
	}
	return err
}

func (s *Server) commandLine() []string {
	settings := map[string]string{
		"listen_addresses":        s.address,
		"port":                    strconv.Itoa(s.port),
		"unix_socket_directories": s.dir,
		"max_connections":         "400",
		"timezone":                "Europe/Warsaw",
		"log_timezone":            "UTC",
		// In the data directory, where a server that was killed leaves nothing.
		"dynamic_shared_memory_type": "mmap",
	}
	if !s.options.Durable {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["synchronous_commit"] = "off"
		settings["max_wal_size"] = "128MB" // its files may lie in memory
		settings["autovacuum"] = "off"     // databases live for a second
		settings["log_min_duration_statement"] = "3000"
	}
	maps.Copy(settings, s.options.Settings)
	argv := []string{filepath.Join(s.bin, "postgres"), "-D", s.Dir()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		argv = append(argv, "-c", name+"="+settings[name])
	}
	return argv
}

func (s *Server) stop(mode StopMode) error {
	process := s.process
	if process == nil {
		return nil
	}
	s.process = nil
	signals := map[StopMode]syscall.Signal{Smart: syscall.SIGTERM, Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT}
	sig, ok := signals[mode]
	if !ok {
		return process.Kill()
	}
	if err := process.Signal(sig); err != nil && process.Alive() {
		return err
	}
	return process.Wait(patience)
}

// remove ends the server, whatever state it is in, and deletes its directory.
func (s *Server) remove() {
	if s.process != nil {
		_ = s.process.Kill()
		s.process = nil
	}
	_ = os.RemoveAll(s.dir)
}
