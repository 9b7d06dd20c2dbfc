package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	channel = "chatops_alerts"
	// announceEvery bounds the notifications of a process: each one is an
	// exclusive section of its commit and wakes every listener.
	announceEvery = 50 * time.Millisecond
)

// Watch calls wake for every notification and every Options.PollEvery besides,
// until the context ends. A lost connection is made again.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	for ctx.Err() == nil {
		if err := s.listenOnce(ctx, wake); err != nil {
			s.log.WarnContext(ctx, "listening for alerts was interrupted, polling goes on",
				slog.String("error", translate(s.host, err).Error()))
			s.wakeLater(ctx, wake)
		}
	}
	return nil
}

// wakeLater wakes once after the interval.
func (s *Store) wakeLater(ctx context.Context, wake func()) {
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
		wake()
	}
}

// listenOnce listens on one connection until it breaks, which is an error, or
// the context ends, which is none.
func (s *Store) listenOnce(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.listen)
	if ended(ctx, err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `listen `+channel); err != nil {
		if ended(ctx, err) {
			return nil
		}
		return err
	}
	wake() // for whatever was queued while nobody listened
	for {
		waiting, cancel := context.WithTimeout(ctx, s.poll)
		_, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		cancel()
		if ended(ctx, err) {
			return nil
		}
		if err != nil && !quiet {
			return err
		}
		wake()
	}
}

// ended reports whether an error only says that the caller wants no more.
func ended(ctx context.Context, err error) bool { return err != nil && ctx.Err() != nil }

const notify = `select pg_notify('` + channel + `', '')`

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
