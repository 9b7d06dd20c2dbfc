package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	// nextRevision locks the row until the order is committed, so that revisions
	// become visible in their order.
	nextRevision = `update control_revision set revision = revision + 1`

	// orderBreaker gives an end only to a trip. It ends the pause between two
	// probes: what an operator wants tried is tried now.
	orderBreaker = `
with freed as (delete from breaker_probe where integration = $2::text and holder is null)
insert into breaker_control (integration, mode, until, reason, actor, revision, created_at)
select $2::text, $3::text, case when $4::bigint > 0 then ` + dbNow + ` + $4::bigint * interval '1 microsecond' end,
  $5::text, $6::text, revision, ` + dbNow + ` from control_revision
on conflict (integration) do update set mode = excluded.mode, until = excluded.until, reason = excluded.reason,
  actor = excluded.actor, revision = excluded.revision, created_at = excluded.created_at
returning until, created_at, revision`

	overrideLimit = `
insert into rate_limit_override (kind, key, value, until, reason, actor, revision, created_at)
select $2::text, $3::text, $4::text, case when $5::bigint > 0 then ` + dbNow + ` + $5::bigint * interval '1 microsecond' end,
  $6::text, $7::text, revision, ` + dbNow + ` from control_revision
on conflict (kind, key) do update set value = excluded.value, until = excluded.until, reason = excluded.reason,
  actor = excluded.actor, revision = excluded.revision, created_at = excluded.created_at
returning until, created_at, revision`

	// forgetExpired removes what nobody sees any more: blocks are addresses of
	// persons.
	forgetExpired = `delete from rate_limit_override where until <= ` + dbNow

	lockRevision = `select revision from control_revision for update`

	// removeOverride takes a number, and tells the replicas, only when it removes
	// something that is in force.
	removeOverride = `
with removed as (
  delete from rate_limit_override
  where kind = $2::text and key = $3::text and coalesce(until > ` + dbNow + `, true) returning 1),
numbered as (
  update control_revision set revision = revision + 1 where exists (select from removed) returning revision)
select revision, pg_notify('` + controlChannel + `', '')::text from numbered`

	notifyControls = `select pg_notify('` + controlChannel + `', '')`

	// selectControls is one statement, so that what it returns and the revision
	// are of one moment.
	selectControls = `
select kind, name, value, until, reason, actor, revision, created_at, now from (
select 'revision' as kind, '' as name, '' as value, null::timestamptz as until, '' as reason, '' as actor, revision,
  null::timestamptz as created_at, ` + dbNow + ` as now from control_revision
union all
select 'breaker', integration, case when mode = 'tripped' and until <= ` + dbNow + ` then 'auto' else mode end,
  until, reason, actor, revision, created_at, ` + dbNow + ` from breaker_control
union all
select kind, key, value, until, reason, actor, revision, created_at, ` + dbNow + ` from rate_limit_override
where coalesce(until > ` + dbNow + `, true)) c
order by kind, name collate "C"`
)

// kinds of an override.
const (
	kindLimit = "limit"
	kindBlock = "block"
)

// OrderBreaker stores an order in place of the integration's former one.
func (s *Store) OrderBreaker(ctx context.Context, o *chatops.BreakerOrder) error {
	if err := o.Validate(); err != nil {
		return err
	}
	lasts := o.For
	if o.Mode != chatops.BreakerTripped {
		lasts = 0
	}
	stored, err := s.order(ctx, orderBreaker, s.now(), chatops.CleanText(o.Name), string(o.Mode), lasts.Microseconds(),
		chatops.CleanText(o.Reason), chatops.CleanText(o.Actor))
	if err == nil {
		o.Until, o.CreatedAt, o.Revision = stored.until, stored.created, stored.revision
	}
	return err
}

// SetLimitOverride stores an override in place of the limit's former one.
func (s *Store) SetLimitOverride(ctx context.Context, o *chatops.LimitOverride) error {
	if err := o.Validate(); err != nil {
		return err
	}
	stored, err := s.order(ctx, overrideLimit, s.now(), kindLimit, chatops.CleanText(o.Name), chatops.CleanText(o.Value),
		o.For.Microseconds(), chatops.CleanText(o.Reason), chatops.CleanText(o.Actor))
	if err == nil {
		o.Until, o.CreatedAt, o.Revision = stored.until, stored.created, stored.revision
	}
	return err
}

// BlockClient stores a block in place of the network's former one.
func (s *Store) BlockClient(ctx context.Context, b *chatops.ClientBlock) error {
	if err := b.Validate(); err != nil {
		return err
	}
	stored, err := s.order(ctx, overrideLimit, s.now(), kindBlock, chatops.CleanText(b.Network), "",
		b.For.Microseconds(), chatops.CleanText(b.Reason), chatops.CleanText(b.Actor))
	if err == nil {
		b.Until, b.CreatedAt, b.Revision = stored.until, stored.created, stored.revision
	}
	return err
}

// stored is what the database adds to an order.
type stored struct {
	until, created time.Time
	revision       int64
}

// order numbers an order, stores it and tells the replicas, in one round trip.
// The first of args is the time.
func (s *Store) order(ctx context.Context, statement string, args ...any) (o stored, err error) {
	err = s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(nextRevision)
		b.Queue(forgetExpired, args[0])
		b.Queue(statement, args...).QueryRow(func(row pgx.Row) error {
			var until *time.Time
			err := row.Scan(&until, &o.created, &o.revision)
			o.until, o.created = utc(until), o.created.UTC()
			return err
		})
		b.Queue(notifyControls)
	})
	return o, err
}

// UnsetLimitOverride removes the override of a limit, or gives CodeNotFound.
func (s *Store) UnsetLimitOverride(ctx context.Context, name string) (int64, error) {
	revision, err := s.removeOverride(ctx, kindLimit, name)
	return revision, notFound(err, "limit %q has no override", name)
}

// UnblockClient removes the block of exactly this network, or gives
// CodeNotFound.
func (s *Store) UnblockClient(ctx context.Context, network string) (int64, error) {
	revision, err := s.removeOverride(ctx, kindBlock, network)
	return revision, notFound(err, "network %q is not blocked", network)
}

func (s *Store) removeOverride(ctx context.Context, kind, key string) (revision int64, err error) {
	now := s.now()
	err = s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(lockRevision)
		b.Queue(removeOverride, now, kind, chatops.CleanText(key)).QueryRow(func(row pgx.Row) error {
			var nothing string
			return row.Scan(&revision, &nothing)
		})
	})
	return revision, err
}

// Controls returns what is in force.
func (s *Store) Controls(ctx context.Context) (*chatops.Controls, error) {
	var c *chatops.Controls
	err := s.do(ctx, func(ctx context.Context) error {
		c = &chatops.Controls{}
		rows, err := s.pool.Query(ctx, selectControls, s.now())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := addControl(rows, c); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// addControl reads one row of selectControls.
func addControl(row pgx.Row, c *chatops.Controls) error {
	var kind, key, value, reason, actor string
	var until, created *time.Time
	var revision int64
	if err := row.Scan(&kind, &key, &value, &until, &reason, &actor, &revision, &created, &c.Now); err != nil {
		return err
	}
	c.Now = c.Now.UTC()
	switch kind {
	case "revision":
		c.Revision = revision
	case "breaker":
		c.Breakers = append(c.Breakers, chatops.BreakerOrder{
			Name: key, Mode: chatops.BreakerMode(value), Reason: reason, Actor: actor,
			Until: utc(until), CreatedAt: utc(created), Revision: revision,
		})
	case kindLimit:
		c.Overrides = append(c.Overrides, chatops.LimitOverride{
			Name: key, Value: value, Reason: reason, Actor: actor,
			Until: utc(until), CreatedAt: utc(created), Revision: revision,
		})
	default:
		c.Blocks = append(c.Blocks, chatops.ClientBlock{
			Network: key, Reason: reason, Actor: actor,
			Until: utc(until), CreatedAt: utc(created), Revision: revision,
		})
	}
	return nil
}
