package browsertest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds the wait for an answer or an event of the browser.
const patience = 30 * time.Second

// Browser is a running Chromium with a profile of its own.
type Browser struct {
	tb  testing.TB
	cmd *exec.Cmd
	in  *os.File // commands

	mu      sync.Mutex
	lastID  int
	answers map[int]chan message
	events  map[string]chan message // by session and method
	closed  error
}

// message is what travels over the pipe, each followed by a NUL.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"` //nolint:tagliatelle // the protocol's name
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Start starts the browser that BROWSER names, and ends it with the test. The
// test is skipped when there is none.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	path := os.Getenv("BROWSER")
	if path == "" {
		tb.Skip("BROWSER is not set: make test-browser sets it")
	}
	fromUs, in, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, toUs, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	b := &Browser{tb: tb, in: in, answers: map[int]chan message{}, events: map[string]chan message{}}
	b.cmd = exec.Command(path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
		"--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
		"--hide-scrollbars", "--force-color-profile=srgb", "--user-data-dir="+tb.TempDir())
	b.cmd.ExtraFiles = []*os.File{fromUs, toUs} // it reads from 3 and writes to 4
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	_, _ = fromUs.Close(), toUs.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.read(bufio.NewReader(out))
	}()
	tb.Cleanup(func() {
		_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		_ = b.cmd.Wait()
		_, _ = in.Close(), out.Close()
		<-done
	})
	return b
}

// read hands messages to whoever waits for them until the pipe ends.
func (b *Browser) read(r *bufio.Reader) {
	for {
		raw, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.closed = errors.New("the browser has ended")
			for _, c := range b.answers {
				close(c)
			}
			return
		}
		var m message
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		if c, ok := b.answers[m.ID]; ok && m.ID != 0 {
			delete(b.answers, m.ID)
			c <- m
		} else if c, ok := b.events[m.SessionID+" "+m.Method]; ok {
			select {
			case c <- m:
			default: // nobody has taken the one before
			}
		}
		b.mu.Unlock()
	}
}

// call sends a command and reads its result into result, if that is not nil.
func (b *Browser) call(session, method string, params, result any) {
	b.tb.Helper()
	if err := b.try(session, method, params, result); err != nil {
		b.tb.Fatalf("%s: %v", method, err)
	}
}

func (b *Browser) try(session, method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if b.closed != nil {
		defer b.mu.Unlock()
		return b.closed
	}
	b.lastID++
	m := message{ID: b.lastID, SessionID: session, Method: method, Params: raw}
	b.answers[m.ID] = answer
	b.mu.Unlock()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case got, ok := <-answer:
		switch {
		case !ok:
			return b.closed
		case got.Error != nil:
			return fmt.Errorf("the browser says: %s", got.Error.Message)
		case result != nil:
			return json.Unmarshal(got.Result, result)
		}
		return nil
	case <-timer.C:
		return errors.New("no answer")
	}
}

// listen returns where an event of a session arrives.
func (b *Browser) listen(session, method string) <-chan message {
	c := make(chan message, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events[session+" "+method] = c
	return c
}
