package postgres_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// trips is a proxy that counts round trips: how often the client speaks after
// the server has spoken.
type trips struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu      sync.Mutex
	n       int
	waiting bool // for the server's answer
}

func newTrips(t *testing.T, target string) *trips {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &trips{listener: l, target: target}
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *trips) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		p.pass(server, client, func() {
			if !p.waiting {
				p.n++
			}
			p.waiting = true
		})
	})
	both.Go(func() { p.pass(client, server, func() { p.waiting = false }) })
	both.Wait()
}

// pass copies from one side to the other and notes each piece before it is
// passed on.
func (p *trips) pass(to io.WriteCloser, from io.Reader, noteFunc func()) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		noteFunc()
		p.mu.Unlock()
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// of counts the round trips of a call.
func (p *trips) of(call func()) int {
	p.mu.Lock()
	before := p.n
	p.mu.Unlock()
	call()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n - before
}

// TestRoundTrips_OfRequests pins what a request costs once the statements are
// prepared: a chat turn is a load and a save, with a key a claim more.
func TestRoundTrips_OfRequests(t *testing.T) {
	t.Parallel()
	direct := migrated(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	p := newTrips(t, u.Host)
	u.Host = p.listener.Addr().String()
	s := open(t, u.String(), postgres.Options{MaxConns: 1})
	l, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "Jan"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	key := func() chatops.OnceKey {
		n++
		return chatops.OnceKey{Scope: "chat", Key: time.Duration(n).String(), Body: "b", Owner: "o"}
	}
	begin := func(k chatops.OnceKey) *chatops.OnceReply {
		if kept, err := s.BeginOnce(t.Context(), k, time.Minute); err != nil || kept != nil {
			t.Errorf("begin: %v, %v", kept, err)
		}
		return &chatops.OnceReply{OnceKey: k, Status: 200, Reply: []byte("{}"), Keep: time.Hour}
	}
	turn := func(once *chatops.OnceReply) {
		one := turnOf("trips")
		c, err := s.Conversation(t.Context(), "trips")
		if err == nil {
			one.Conversation = *c
		} else if chatops.ErrorCode(err) != chatops.CodeNotFound {
			t.Error(err)
		}
		one.Lead, one.Once = &chatops.Lead{Name: "Jan"}, once
		one.Alerts = []chatops.NewAlert{{EventType: "slack_alert", Target: "slack:alerts", Payload: []byte(`{}`)}}
		if _, err := s.SaveTurn(t.Context(), one); err != nil {
			t.Error(err)
		}
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name string
		want int
		call func()
	}{
		{"turn", 2, func() { turn(nil) }},
		{"turn with a key", 3, func() { turn(begin(key())) }},
		{"kept reply", 1, func() {
			k := chatops.OnceKey{Scope: "chat", Key: time.Duration(1).String(), Body: "b", Owner: "other"}
			kept, err := s.BeginOnce(t.Context(), k, time.Minute)
			if err != nil || kept == nil {
				t.Errorf("begin again: %v, %v", kept, err)
			}
		}},
		{"lead with a key", 2, func() {
			_, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "Jan"}, nil, begin(key()))
			must(err)
		}},
		{"edit of a lead", 1, func() {
			_, _, err := s.UpdateLead(t.Context(), l.ID, chatops.LeadChange{})
			must(err)
		}},
		{"page of leads", 1, func() {
			_, _, err := s.Leads(t.Context(), chatops.LeadFilter{}, 0, 10)
			must(err)
		}},
		{"consent of a session", 1, func() {
			_, err := s.SetSessionConsent(t.Context(), "trips", true, true, chatops.ConsentOrigin{})
			must(err)
		}},
		{"status of an address", 1, func() {
			if _, err := s.ConsentStatus(t.Context(), "nobody@example.pl"); chatops.ErrorCode(err) != chatops.CodeNotFound {
				t.Error(err)
			}
		}},
	} {
		c.call() // prepares the statements
		c.call() // of a conversation that exists, too
		if got := p.of(c.call); got != c.want {
			t.Errorf("%s costs %d round trips, want %d", c.name, got, c.want)
		}
	}
}
