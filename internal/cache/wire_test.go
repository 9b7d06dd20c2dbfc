package cache

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// wire is a network between a client and a server that can be cut: what is sent
// then is lost, and nobody is told. Connections from before are dead for good
// once it is mended, as those of a server that has started again meanwhile.
type wire struct {
	ln     net.Listener
	server string

	mu    sync.Mutex
	isCut bool
	life  int // counts the cuts
	conns []net.Conn
	wg    sync.WaitGroup
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{ln: ln, server: server}
	w.wg.Go(w.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.wg.Wait()
	})
	return w
}

func (w *wire) addr() string { return w.ln.Addr().String() }

func (w *wire) cut()  { w.set(true) }
func (w *wire) mend() { w.set(false) }

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut = cut; cut {
		w.life++
	}
}

// state says whether what belongs to a life is lost, and whether it is dead.
func (w *wire) state(life int) (lost, dead bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.isCut, !w.isCut && life != w.life
}

func (w *wire) accept() {
	for {
		near, err := w.ln.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		life, cut := w.life, w.isCut
		w.conns = append(w.conns, near)
		w.mu.Unlock()
		far, err := net.Dial("tcp", w.server)
		if err != nil || cut {
			continue // connected, and never a word
		}
		w.mu.Lock()
		w.conns = append(w.conns, far)
		w.mu.Unlock()
		w.wg.Go(func() { w.carry(near, far, life) })
		w.wg.Go(func() { w.carry(far, near, life) })
	}
}

func (w *wire) carry(from, to net.Conn, life int) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		lost, dead := w.state(life)
		switch {
		case lost && err != nil:
			return // nobody is told
		case lost:
			continue
		case dead || err != nil:
			_ = from.Close() // the reset that a dead connection brings
			_ = to.Close()
			return
		}
		if _, err := io.Copy(to, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}

// logged is a log that tests read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
