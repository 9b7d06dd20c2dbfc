package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"chatops/internal/testserver"
)

const patience = time.Minute

// Options of a dedicated server.
type Options struct {
	// Persistent writes every command to the append-only file before it is
	// answered, so that the data survives Kill and Start. Without it every start
	// begins with an empty server.
	Persistent bool
	// Settings are further directives of redis.conf, such as
	// "maxmemory": "2mb".
	Settings map[string]string
	// TLS makes the server listen on TLSAddr as well, with a certificate of an
	// authority of its own (CAFile) for its address and for TLSName.
	TLS bool

	password string                   // "": a random one
	sentinel bool                     // it is a Sentinel
	more     func(s *Server) []string // further lines of the configuration
}

// Server is a dedicated Redis server. Its methods fail the test that started
// it, so they must be called from that test's goroutine.
type Server struct {
	tb       testing.TB
	options  Options
	program  string
	dir      string
	password string
	address  string
	port     int
	tlsPort  int
	url      string
	cred     *syscall.Credential
	process  *testserver.Process
}

// Start returns a running server that belongs to this test alone, and removes
// it when the test ends. TEST_REDIS_URL has no influence on it.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: o, address: testserver.PrivateAddress()}
	if err := s.init(); err != nil {
		tb.Fatalf("Redis for tests: %v", err)
	}
	tb.Cleanup(s.remove)
	s.check("start", s.firstStart())
	return s
}

// URL of the server's database 0. It stays the same across stops and starts.
func (s *Server) URL() string { return s.url }

// Addr is the server's TCP address, host:port.
func (s *Server) Addr() string { return net.JoinHostPort(s.address, strconv.Itoa(s.port)) }

// Socket is the path of the server's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, "redis.sock") }

// Password that the server demands.
func (s *Server) Password() string { return s.password }

// Log returns the end of what the server has logged.
func (s *Server) Log() string { return testserver.LogTail(s.dir) }

// Pid is the process id of the server, or 0 while it is stopped.
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

// Stop shuts the server down in good order and waits until it is gone; a
// stopped one is left alone.
func (s *Server) Stop() {
	s.tb.Helper()
	s.check("stop", s.end(func(p *testserver.Process) error {
		return errors.Join(p.Signal(syscall.SIGTERM), p.Wait(patience))
	}))
}

// Kill ends the server with SIGKILL and waits until it is gone.
func (s *Server) Kill() {
	s.tb.Helper()
	s.check("kill", s.end((*testserver.Process).Kill))
}

// Pause freezes the server (SIGSTOP): connections stay open and nothing
// answers.
func (s *Server) Pause() {
	s.tb.Helper()
	s.check("pause", s.signal(syscall.SIGSTOP))
}

// Resume wakes the server after Pause.
func (s *Server) Resume() {
	s.tb.Helper()
	s.check("resume", s.signal(syscall.SIGCONT))
}

func (s *Server) check(verb string, err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("%s Redis: %v", verb, err)
	}
}

func (s *Server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("it is stopped")
	}
	return s.process.SignalTree(sig)
}

func (s *Server) end(how func(*testserver.Process) error) error {
	process := s.process
	if process == nil {
		return nil
	}
	s.process = nil
	return how(process)
}

func (s *Server) init() (err error) {
	if s.program, err = testserver.Find("redis-server"); err != nil {
		return fmt.Errorf("%w%s", err, advice)
	}
	if s.cred, err = testserver.Unprivileged("redis", "nobody"); err != nil {
		return err
	}
	if s.password = s.options.password; s.password == "" {
		s.password = rand.Text()
	}
	if s.dir, err = testserver.TempDir("chatops-redis-", s.cred); err != nil || !s.options.TLS {
		return err
	}
	return s.certify()
}

// firstStart chooses the port and starts the server; another port is tried when
// somebody took the first one in between.
func (s *Server) firstStart() (err error) {
	for range 3 {
		if s.port, err = testserver.FreePort(s.address); err != nil {
			return err
		}
		if s.options.TLS {
			if s.tlsPort, err = testserver.FreePort(s.address); err != nil {
				return err
			}
		}
		u := url.URL{Scheme: "redis", User: url.UserPassword("", s.password), Host: s.Addr(), Path: "/0"}
		s.url = u.String()
		if err = s.start(); err == nil || !strings.Contains(err.Error(), "already in use") {
			return err
		}
	}
	return err
}

func (s *Server) start() error {
	if s.process != nil {
		return nil
	}
	conf := filepath.Join(s.dir, "redis.conf")
	if err := testserver.WriteFile(conf, s.configuration(), s.cred); err != nil {
		return err
	}
	argv := []string{s.program, conf}
	if s.options.sentinel {
		argv = append(argv, "--sentinel")
	}
	process, err := testserver.Spawn(testserver.Command{Argv: argv, Dir: s.dir, Credential: s.cred, LastSignal: "KILL"})
	if err != nil {
		return err
	}
	s.process = process
	err = process.AwaitReady(patience, func(ctx context.Context) error {
		return with(s.url, func(c *redis.Client) error { return c.Ping(ctx).Err() })
	})
	if err != nil {
		_ = s.end((*testserver.Process).Kill)
	}
	return err
}

func (s *Server) configuration() string {
	settings := map[string]string{
		"bind":        s.address,
		"port":        strconv.Itoa(s.port),
		"unixsocket":  s.Socket(),
		"requirepass": s.password,
		"dir":         s.dir,
		"save":        `""`,
		"appendonly":  "no",
	}
	if s.options.Persistent {
		settings["appendonly"] = "yes"
		settings["appendfsync"] = "always"
	}
	if s.options.TLS {
		maps.Copy(settings, s.tlsSettings())
	}
	maps.Copy(settings, s.options.Settings)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s %s\n", name, settings[name])
	}
	if s.options.more != nil {
		text.WriteString(strings.Join(s.options.more(s), "\n") + "\n")
	}
	return text.String()
}

// remove ends the server, whatever state it is in, and deletes its directory.
func (s *Server) remove() {
	_ = s.end((*testserver.Process).Kill)
	_ = os.RemoveAll(s.dir)
}

func withDatabase(base string, number int) (string, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "redis" && u.Scheme != "rediss") {
		return "", errors.New(EnvURL + " must be a redis:// URL")
	}
	u.Path = "/" + strconv.Itoa(number)
	return u.String(), nil
}
