package drill

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"sync"
)

// mail plays a mail server that can be slow after RCPT, and crash after DATA.
type mail struct {
	ln net.Listener

	mu    sync.Mutex
	gate  chan struct{} // closed: mails pass
	held  int           // recipients that were named while it was closed
	mails []string      // as they came
	// crashing: it hangs up when it has a mail, and has lost it unless the
	// recipient is among those it keeps.
	crashing bool
	keeps    []string
	conns    map[net.Conn]bool
}

func startMail(ctx context.Context) (*mail, error) {
	ln, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	m := &mail{ln: ln, gate: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(m.gate)
	go m.accept()
	return m, nil
}

func (m *mail) address() string { return m.ln.Addr().String() }

func (m *mail) accept() {
	for {
		conn, err := m.ln.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conns[conn] = true
		m.mu.Unlock()
		go m.talk(conn)
	}
}

func (m *mail) stop() {
	if m == nil {
		return
	}
	_ = m.ln.Close()
	m.release()
	m.mu.Lock()
	defer m.mu.Unlock()
	for conn := range m.conns {
		_ = conn.Close()
	}
}

// hold makes it slow: no recipient is answered until release.
func (m *mail) hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate = make(chan struct{})
}

// release answers everybody.
func (m *mail) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.gate:
	default:
		close(m.gate)
	}
}

// crash makes it hang up at the end of each mail. It has only those of the
// recipients that it keeps.
func (m *mail) crash(keeps ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crashing, m.keeps = true, keeps
}

// recover makes it answer again.
func (m *mail) recover() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crashing = false
}

// to are the mails for a recipient.
func (m *mail) to(recipient string) []string {
	var list []string
	for _, raw := range m.received() {
		if strings.Trim(field(raw, "To"), "<>") == recipient {
			list = append(list, raw)
		}
	}
	return list
}

// waiting is how many recipients were kept waiting.
func (m *mail) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// received are the mails, as they came.
func (m *mail) received() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}

// pass waits while the server is slow.
func (m *mail) pass() {
	m.mu.Lock()
	gate := m.gate
	select {
	case <-gate:
	default:
		m.held++
	}
	m.mu.Unlock()
	<-gate
}

// talk answers one client.
func (m *mail) talk(conn net.Conn) {
	defer func() {
		m.mu.Lock()
		delete(m.conns, conn)
		m.mu.Unlock()
		_ = conn.Close()
	}()
	in := bufio.NewScanner(conn)
	in.Buffer(nil, maxBody)
	say := func(text string) { _, _ = conn.Write([]byte(text + "\r\n")) }
	recipient := ""
	say("220 drill ESMTP")
	for in.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " ")
		switch verb {
		case "RCPT":
			_, address, _ := strings.Cut(in.Text(), "<")
			recipient, _, _ = strings.Cut(address, ">")
			m.pass()
			say("250 ok")
		case "DATA":
			say("354 go on")
			if !m.read(in, recipient) {
				return
			}
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// read takes a mail in, and reports whether it answers.
func (m *mail) read(in *bufio.Scanner, recipient string) bool {
	var b strings.Builder
	for in.Scan() {
		if in.Text() == "." {
			m.mu.Lock()
			defer m.mu.Unlock()
			if !m.crashing || slices.Contains(m.keeps, recipient) {
				m.mails = append(m.mails, b.String())
			}
			return !m.crashing
		}
		b.WriteString(strings.TrimPrefix(in.Text(), ".") + "\n")
	}
	return false
}
