package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	alertChannel   = "chatops_alerts"
	controlChannel = "chatops_controls"
	// announceEvery bounds the notifications of a process: each one is an
	// exclusive section of its commit and wakes every listener.
	announceEvery = 50 * time.Millisecond
	// listenAgain is how long after the loss of its connection a watcher tries
	// to make another one.
	listenAgain = time.Second
)

// Watch calls wake for every notification of alerts and every Options.PollEvery
// besides, until the context ends. A lost connection is made again.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	return s.watch(ctx, alertChannel, wake)
}

// WatchControls does for orders what Watch does for alerts.
func (s *Store) WatchControls(ctx context.Context, wake func()) error {
	return s.watch(ctx, controlChannel, wake)
}

// watch polls, whatever becomes of the connection that listens meanwhile.
func (s *Store) watch(ctx context.Context, channel string, wake func()) error {
	notified, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		s.listen(ctx, channel, notified)
	}()
	ticker := time.NewTicker(s.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			<-ended
			return nil
		case <-notified:
		case <-ticker.C:
		}
		wake()
	}
}

// listen passes notifications on until the context ends.
func (s *Store) listen(ctx context.Context, channel string, notified chan<- struct{}) {
	for {
		err := s.listenOnce(ctx, channel, notified)
		if ctx.Err() != nil {
			return
		}
		s.log.WarnContext(ctx, "listening to the database was interrupted, polling goes on",
			slog.String("channel", channel), slog.String("error", translate(s.host, err).Error()))
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(s.poll, listenAgain)):
		}
	}
}

// listenOnce listens on one connection until it breaks or the context ends.
func (s *Store) listenOnce(ctx context.Context, channel string, notified chan<- struct{}) error {
	conn, err := pgx.ConnectConfig(ctx, s.listenConfig)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `listen `+channel); err != nil {
		return err
	}
	for {
		select {
		case notified <- struct{}{}: // the first time for whatever came while nobody listened
		default: // a wake is under way already
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}

const notify = `select pg_notify('` + alertChannel + `', '')`

// Announce makes the other processes' Watch wake soon. Calls that follow the
// last announcement within 50 ms do nothing: the poll of Watch covers them.
func (s *Store) Announce(ctx context.Context) error {
	s.announceMu.Lock()
	soon := time.Since(s.announced) < announceEvery
	if !soon {
		s.announced = time.Now()
	}
	s.announceMu.Unlock()
	if soon {
		return nil
	}
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, notify)
		return err
	})
}
