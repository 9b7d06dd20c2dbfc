package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	// claimProbe takes a probe that is free, whose holder took too long, or that
	// the holder has already.
	claimProbe = `
insert into breaker_probe as p (integration, holder, until) values (?1, ?2, ?3)
on conflict (integration) do update set holder = excluded.holder, until = excluded.until
where p.until <= ?4 or p.holder = excluded.holder`

	waitProbe = `select until from breaker_probe where integration = ?`

	endProbe = `update breaker_probe set holder = null, until = ? where integration = ? and holder = ?`
)

// shortestWait is what ClaimProbe tells a holder who came just too early: 0
// would mean that it has the probe.
const shortestWait = time.Millisecond

// ClaimProbe asks for the next probe of an integration.
func (s *Store) ClaimProbe(ctx context.Context, integration, holder string, hold time.Duration) (time.Duration, error) {
	if integration == "" || holder == "" {
		return 0, chatops.Errorf(chatops.CodeInvalid, "claim of a probe: integration or holder is missing")
	}
	var wait time.Duration
	err := s.write(ctx, func(tx *writeTx) error {
		wait = 0
		claimed, err := tx.exec(claimProbe, text(integration), text(holder), stamp(tx.now.Add(max(hold, 0))), stamp(tx.now))
		if err != nil || claimed > 0 {
			return err
		}
		var until time.Time
		err = tx.row(waitProbe, text(integration)).Scan(timeColumn{&until})
		wait = max(until.Sub(tx.now), shortestWait)
		return err
	})
	if err != nil {
		return 0, err
	}
	return wait, nil
}

// EndProbe gives a probe back that the holder still holds.
func (s *Store) EndProbe(ctx context.Context, integration, holder string, pause time.Duration) error {
	return s.write(ctx, func(tx *writeTx) error {
		_, err := tx.exec(endProbe, stamp(tx.now.Add(max(pause, 0))), text(integration), text(holder))
		return err
	})
}
