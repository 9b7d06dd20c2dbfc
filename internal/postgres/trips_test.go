package postgres_test

import (
	"io"
	"net"
	"net/url"
	"strconv"
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

// requests makes the calls that a round trip test counts.
type requests struct {
	t *testing.T
	s *postgres.Store
	n int // of the keys used
}

func (r *requests) must(err error) {
	if err != nil {
		r.t.Error(err)
	}
}

// begin claims a new key.
func (r *requests) begin() *chatops.OnceReply {
	r.n++
	k := chatops.OnceKey{Scope: "chat", Key: strconv.Itoa(r.n), Body: "b", Owner: "o"}
	if kept, err := r.s.BeginOnce(r.t.Context(), k, time.Minute); err != nil || kept != nil {
		r.t.Errorf("begin: %v, %v", kept, err)
	}
	return &chatops.OnceReply{OnceKey: k, Status: 200, Reply: []byte("{}"), Keep: time.Hour}
}

// repeat asks again with the first key.
func (r *requests) repeat() {
	k := chatops.OnceKey{Scope: "chat", Key: "1", Body: "b", Owner: "other"}
	if kept, err := r.s.BeginOnce(r.t.Context(), k, time.Minute); err != nil || kept == nil {
		r.t.Errorf("begin again: %v, %v", kept, err)
	}
}

// turn loads and stores a conversation with its lead.
func (r *requests) turn(once *chatops.OnceReply) {
	one := turnOf("trips")
	c, err := r.s.Conversation(r.t.Context(), "trips")
	if err == nil {
		one.Conversation = *c
	} else if chatops.ErrorCode(err) != chatops.CodeNotFound {
		r.t.Error(err)
	}
	one.Lead, one.Once = &chatops.Lead{Name: "Jan"}, once
	one.Alerts = []chatops.NewAlert{{EventType: "slack_alert", Target: "slack:alerts", Payload: []byte(`{}`)}}
	_, err = r.s.SaveTurn(r.t.Context(), one)
	r.must(err)
}

func (r *requests) lead(once *chatops.OnceReply) *chatops.Lead {
	l, err := r.s.CreateLead(r.t.Context(), &chatops.Lead{Name: "Jan"}, nil, once)
	r.must(err)
	return l
}

// TestRoundTrips_OfRequests pins what a request costs once the statements are
// prepared: a chat turn is a load and a save, with a key a claim more.
func TestRoundTrips_OfRequests(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	p := newTrips(t, u.Host)
	u.Host = p.listener.Addr().String()
	s := open(t, u.String(), postgres.Options{MaxConns: 1})
	r := &requests{t: t, s: s}
	id := r.lead(nil).ID
	for _, c := range []struct {
		name string
		want int
		call func()
	}{
		{"turn", 2, func() { r.turn(nil) }},
		{"turn with a key", 3, func() { r.turn(r.begin()) }},
		{"kept reply", 1, r.repeat},
		{"lead with a key", 2, func() { r.lead(r.begin()) }},
		{"edit of a lead", 1, func() {
			_, _, err := s.UpdateLead(t.Context(), id, chatops.LeadChange{})
			r.must(err)
		}},
		{"page of leads", 1, func() {
			_, _, err := s.Leads(t.Context(), chatops.LeadFilter{}, 0, 10)
			r.must(err)
		}},
		{"consent of a session", 1, func() {
			_, err := s.SetSessionConsent(t.Context(), "trips", true, true, chatops.ConsentOrigin{})
			r.must(err)
		}},
		{"status of an address", 1, func() {
			if _, err := s.ConsentStatus(t.Context(), "nobody@example.pl"); chatops.ErrorCode(err) != chatops.CodeNotFound {
				t.Error(err)
			}
		}},
		{"orders in force", 1, func() {
			_, err := s.Controls(t.Context())
			r.must(err)
		}},
		{"order", 1, func() {
			r.must(s.OrderBreaker(t.Context(), &chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerAuto}))
		}},
		{"heartbeat", 1, func() { r.must(s.Heartbeat(t.Context(), &chatops.Instance{Name: "replica-1"})) }},
		{"what is due", 1, func() {
			_, err := s.Jobs(t.Context())
			r.must(err)
		}},
		{"probe", 1, func() {
			_, err := s.ClaimProbe(t.Context(), "slack", "replica-1", time.Minute)
			r.must(err)
		}},
	} {
		c.call() // prepares the statements
		c.call() // of a conversation that exists, too
		if got := p.of(c.call); got != c.want {
			t.Errorf("%s costs %d round trips, want %d", c.name, got, c.want)
		}
	}
}
