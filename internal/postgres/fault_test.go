package postgres_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// mute is a proxy that can swallow the server's answers: the request arrives
// and is executed, its reply is lost with the connection.
type mute struct {
	listener net.Listener
	target   string
	silent   atomic.Bool
	wg       sync.WaitGroup
}

func newMute(t *testing.T, target string) *mute {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mute{listener: l, target: target}
	m.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			m.wg.Go(func() { m.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		m.wg.Wait()
	})
	return m
}

func (m *mute) serve(client net.Conn) {
	server, err := net.Dial("tcp", m.target)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	both.Go(func() {
		buffer := make([]byte, 32<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || m.silent.Load() {
				_ = client.Close()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	both.Wait()
	_ = client.Close()
	_ = server.Close()
}

// through returns the URL that leads through the proxy.
func (m *mute) through(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = m.listener.Addr().String()
	return u.String()
}

func TestSaveTurn_WhoseReplyIsLost_IsUnavailableAndStoredOnce(t *testing.T) {
	t.Parallel()
	direct := migrated(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy := newMute(t, u.Host)
	s := open(t, proxy.through(t, direct), postgres.Options{MaxConns: 1})
	if _, err := s.SaveTurn(t.Context(), turnOf("warm")); err != nil { // prepares the statements
		t.Fatal(err)
	}
	proxy.silent.Store(true)
	_, err = s.SaveTurn(t.Context(), turnOf("lost"))
	if chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Fatalf("error is %v", err)
	}
	proxy.silent.Store(false)
	other := open(t, direct, postgres.Options{})
	c, err := other.Conversation(t.Context(), "lost")
	for chatops.ErrorCode(err) == chatops.CodeNotFound && t.Context().Err() == nil {
		c, err = other.Conversation(t.Context(), "lost") // the server is still at it
	}
	if err != nil || c.Version != 1 {
		t.Fatalf("conversation %+v, %v: want it stored once", c, err)
	}
	if _, err := s.SaveTurn(t.Context(), turnOf("lost")); chatops.ErrorCode(err) != chatops.CodeConflict {
		t.Errorf("the repeated turn gave %v", err)
	}
}

func TestStore_RepeatsATransactionThatLostADeadlock(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	// The first two insertions of an action end like the loser of a deadlock.
	exec(t, db, `create sequence tries`)
	exec(t, db, `create function stumble() returns trigger language plpgsql as $$ begin
		if nextval('tries') <= 2 then raise exception 'deadlock detected' using errcode = '40P01'; end if;
		return new; end $$`)
	exec(t, db, `create trigger stumble before insert on operator_action for each row execute function stumble()`)
	a := &chatops.OperatorAction{Actor: "ola"}
	if err := s.BeginAction(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Actions(t.Context(), chatops.ActionFilter{}, 0, 10)
	if err != nil || len(list) != 1 || list[0].ID != a.ID {
		t.Errorf("stored %+v, %v", list, err)
	}
	exec(t, db, `alter sequence tries restart`)
	exec(t, db, `create or replace function stumble() returns trigger language plpgsql as $$ begin
		raise exception 'deadlock detected' using errcode = '40P01'; end $$`)
	err = s.BeginAction(t.Context(), a)
	var own *chatops.Error
	if !errors.As(err, &own) || own.Code != chatops.CodeUnavailable {
		t.Errorf("an endless deadlock gives %v", err)
	}
}
