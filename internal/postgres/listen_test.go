package postgres_test

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// backstop is the latest that a replica hears of something while the connection
// on which it listens is dead.
const backstop = 5 * time.Second

const killListeners = `select pg_terminate_backend(pid) from pg_stat_activity
	where datname = current_database() and query like 'listen%'`

// wakeAfter is the first wake after a moment.
func wakeAfter(t *testing.T, wakes <-chan time.Time, moment time.Time) time.Time {
	t.Helper()
	for {
		if at := nextWake(t, wakes); at.After(moment) {
			return at
		}
	}
}

// wantSoon fails unless a watcher is woken in time for what has just happened.
func wantSoon(t *testing.T, what string, wakes <-chan time.Time) {
	t.Helper()
	now := time.Now()
	if took := wakeAfter(t, wakes, now).Sub(now); took > backstop {
		t.Errorf("%s was heard of after %v", what, took)
	}
}

func order(t *testing.T, s *postgres.Store) int64 {
	t.Helper()
	o := &chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerReset}
	if err := s.OrderBreaker(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o.Revision
}

// F26: whatever kills the connections that listen, and however often.
func TestWatchers_WhoseConnectionsAreKilledAgainAndAgain_HearOfEverything(t *testing.T) {
	t.Parallel()
	u := migrated(t)
	replica, elsewhere := open(t, u, postgres.Options{Log: testLog(t)}), open(t, u, postgres.Options{})
	db := handle(t, u)
	alerts, orders := watch(t, replica.Watch), watch(t, replica.WatchControls)
	nextWake(t, alerts)
	nextWake(t, orders)
	ctx, stop := context.WithCancel(t.Context())
	killed := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if _, err := db.ExecContext(ctx, killListeners); err != nil && ctx.Err() == nil {
				killed <- err
				return
			}
			pause(ctx, 20*time.Millisecond)
		}
		killed <- nil
	}()
	for range 3 {
		a := chatops.NewAlert{EventType: "slack_alert", Target: slack, Payload: []byte(`{}`)}
		if _, err := elsewhere.Enqueue(t.Context(), []chatops.NewAlert{a}); err != nil {
			t.Fatal(err)
		}
		wantSoon(t, "an alert", alerts)
		if got := claim(t, replica, claimRequest(true, 10)); len(got) != 1 {
			t.Errorf("claimed %v after the wake, want the alert", got)
		}
		revision := order(t, elsewhere)
		wantSoon(t, "an order", orders)
		if c, err := replica.Controls(t.Context()); err != nil || c.Revision != revision {
			t.Errorf("after the wake the orders are %+v, %v, want revision %d", c, err, revision)
		}
	}
	stop()
	if err := <-killed; err != nil {
		t.Error(err)
	}
}

// F26: nobody polls here, so a wake comes from a connection that listens.
func TestWatchers_WhoseConnectionsWereKilled_ListenAgain(t *testing.T) {
	t.Parallel()
	u := migrated(t)
	replica, db := open(t, u, postgres.Options{PollEvery: time.Hour, Log: testLog(t)}), handle(t, u)
	alerts, orders := watch(t, replica.Watch), watch(t, replica.WatchControls)
	nextWake(t, alerts)
	nextWake(t, orders)
	for range 2 {
		exec(t, db, killListeners)
		nextWake(t, alerts) // for whatever was committed meanwhile
		nextWake(t, orders)
		elsewhere := open(t, u, postgres.Options{})
		if err := elsewhere.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		nextWake(t, alerts)
		order(t, elsewhere)
		nextWake(t, orders)
	}
}

func TestOrders_WakeOnlyThoseWhoWatchOrders(t *testing.T) {
	t.Parallel()
	u := migrated(t)
	replica := open(t, u, postgres.Options{PollEvery: time.Hour, Log: testLog(t)})
	alerts, orders := watch(t, replica.Watch), watch(t, replica.WatchControls)
	nextWake(t, alerts)
	nextWake(t, orders)
	for range 5 {
		order(t, replica)
		nextWake(t, orders)
	}
	if _, err := replica.UnsetLimitOverride(t.Context(), "chat"); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Error(err)
	}
	if len(alerts) != 0 || len(orders) != 0 {
		t.Errorf("%d wakes for alerts and %d more for orders", len(alerts), len(orders))
	}
}

// A server that takes the connection and says nothing, as behind a firewall that
// drops packets, must not keep a watcher from looking for itself.
func TestWatch_WhileItsConnectionHangs_PollsOn(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	u, err := url.Parse(migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	direct := u.String()
	u.Host = l.Addr().String()
	s := open(t, direct, postgres.Options{PollEvery: 10 * time.Millisecond, ListenURL: u.String(), Log: testLog(t)})
	wakes := watch(t, s.WatchControls)
	for range 100 {
		nextWake(t, wakes)
	}
}
