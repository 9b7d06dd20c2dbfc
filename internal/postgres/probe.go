package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

const (
	// claimProbe takes a probe that is free, whose holder took too long, or that
	// the holder has already. Otherwise it locks the row and leaves it, so that
	// waitProbe sees what the claim has lost against.
	claimProbe = `
insert into breaker_probe as p (integration, holder, until)
values ($2::text, $3::text, ` + dbNow + ` + $4::bigint * interval '1 microsecond')
on conflict (integration) do update set holder = excluded.holder, until = excluded.until
where p.until <= ` + dbNow + ` or p.holder = excluded.holder`

	waitProbe = `
select (extract(epoch from until - ` + dbNow + `) * 1e6)::bigint from breaker_probe where integration = $2::text`

	endProbe = `
update breaker_probe set holder = null, until = ` + dbNow + ` + $4::bigint * interval '1 microsecond'
where integration = $2::text and holder = $3::text`
)

// shortestWait is what ClaimProbe tells a holder who came just too early: 0
// would mean that it has the probe.
const shortestWait = time.Millisecond

// ClaimProbe asks for the next probe of an integration, in one round trip.
func (s *Store) ClaimProbe(ctx context.Context, integration, holder string, hold time.Duration) (time.Duration, error) {
	if integration == "" || holder == "" {
		return 0, chatops.Errorf(chatops.CodeInvalid, "claim of a probe: integration or holder is missing")
	}
	now := s.now()
	integration, holder = chatops.CleanText(integration), chatops.CleanText(holder)
	var claimed bool
	var left int64
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(claimProbe, now, integration, holder, max(hold, 0).Microseconds()).Exec(func(tag pgconn.CommandTag) error {
			claimed = tag.RowsAffected() > 0
			return nil
		})
		b.Queue(waitProbe, now, integration).QueryRow(func(row pgx.Row) error { return row.Scan(&left) })
	})
	if err != nil || claimed {
		return 0, err
	}
	return max(time.Duration(left)*time.Microsecond, shortestWait), nil
}

// EndProbe gives a probe back that the holder still holds.
func (s *Store) EndProbe(ctx context.Context, integration, holder string, pause time.Duration) error {
	now := s.now()
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, endProbe, now, chatops.CleanText(integration), chatops.CleanText(holder),
			max(pause, 0).Microseconds())
		return err
	})
}
