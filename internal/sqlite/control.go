package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	nextRevision = `update control_revision set revision = revision + 1 returning revision`

	orderBreaker = `
insert into breaker_control (integration, mode, until, reason, actor, revision, created_at) values (?, ?, ?, ?, ?, ?, ?)
on conflict (integration) do update set mode = excluded.mode, until = excluded.until, reason = excluded.reason,
  actor = excluded.actor, revision = excluded.revision, created_at = excluded.created_at`

	// endPause ends the pause between two probes: what an operator wants tried is
	// tried now.
	endPause = `delete from breaker_probe where integration = ? and holder is null`

	overrideLimit = `
insert into rate_limit_override (kind, key, value, until, reason, actor, revision, created_at) values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (kind, key) do update set value = excluded.value, until = excluded.until, reason = excluded.reason,
  actor = excluded.actor, revision = excluded.revision, created_at = excluded.created_at`

	// forgetExpired removes what nobody sees any more: blocks are addresses of
	// persons.
	forgetExpired = `delete from rate_limit_override where until <= ?`

	removeOverride = `
delete from rate_limit_override where kind = ? and key = ? and coalesce(until > ?, true)`

	// selectControls is one statement, so that what it returns and the revision
	// are of one moment.
	selectControls = `
select 'revision' as kind, '' as name, '', null, '', '', revision, null from control_revision
union all
select 'breaker', integration, case when mode = 'tripped' and until <= ?1 then 'auto' else mode end,
  until, reason, actor, revision, created_at from breaker_control
union all
select kind, key, value, until, reason, actor, revision, created_at from rate_limit_override
where coalesce(until > ?1, true)
order by kind, name`
)

// kinds of an override.
const (
	kindLimit = "limit"
	kindBlock = "block"
)

// stored is what the store adds to an order.
type stored struct {
	until, created time.Time
	revision       int64
}

// lasting is the end of an order that lasts d; 0: without an end.
func lasting(now time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return now.Add(d).Truncate(time.Microsecond)
}

// OrderBreaker stores an order in place of the integration's former one.
func (s *Store) OrderBreaker(ctx context.Context, o *chatops.BreakerOrder) error {
	if err := o.Validate(); err != nil {
		return err
	}
	lasts := o.For
	if o.Mode != chatops.BreakerTripped {
		lasts = 0
	}
	made, err := s.order(ctx, lasts, func(tx *writeTx, made stored) error {
		if _, err := tx.exec(endPause, text(o.Name)); err != nil {
			return err
		}
		_, err := tx.exec(orderBreaker, text(o.Name), string(o.Mode), stampOrNull(made.until), text(o.Reason), text(o.Actor),
			made.revision, stamp(made.created))
		return err
	})
	if err == nil {
		o.Until, o.CreatedAt, o.Revision = made.until, made.created, made.revision
	}
	return err
}

// SetLimitOverride stores an override in place of the limit's former one.
func (s *Store) SetLimitOverride(ctx context.Context, o *chatops.LimitOverride) error {
	if err := o.Validate(); err != nil {
		return err
	}
	made, err := s.order(ctx, o.For, func(tx *writeTx, made stored) error {
		_, err := tx.exec(overrideLimit, kindLimit, text(o.Name), text(o.Value), stampOrNull(made.until), text(o.Reason),
			text(o.Actor), made.revision, stamp(made.created))
		return err
	})
	if err == nil {
		o.Until, o.CreatedAt, o.Revision = made.until, made.created, made.revision
	}
	return err
}

// BlockClient stores a block in place of the network's former one.
func (s *Store) BlockClient(ctx context.Context, b *chatops.ClientBlock) error {
	if err := b.Validate(); err != nil {
		return err
	}
	made, err := s.order(ctx, b.For, func(tx *writeTx, made stored) error {
		_, err := tx.exec(overrideLimit, kindBlock, text(b.Network), "", stampOrNull(made.until), text(b.Reason),
			text(b.Actor), made.revision, stamp(made.created))
		return err
	})
	if err == nil {
		b.Until, b.CreatedAt, b.Revision = made.until, made.created, made.revision
	}
	return err
}

// order numbers an order and stores it.
func (s *Store) order(ctx context.Context, lasts time.Duration, store func(tx *writeTx, made stored) error) (made stored, err error) {
	err = s.write(ctx, func(tx *writeTx) error {
		made = stored{until: lasting(tx.now, lasts), created: tx.now}
		if err := tx.row(nextRevision).Scan(&made.revision); err != nil {
			return err
		}
		if _, err := tx.exec(forgetExpired, stamp(tx.now)); err != nil {
			return err
		}
		return store(tx, made)
	})
	return made, err
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
	err = s.write(ctx, func(tx *writeTx) error {
		removed, err := tx.exec(removeOverride, kind, text(key), stamp(tx.now))
		if err == nil && removed == 0 {
			err = chatops.Errorf(chatops.CodeNotFound, "no such override")
		}
		if err != nil {
			return err
		}
		return tx.row(nextRevision).Scan(&revision)
	})
	return revision, err
}

// Controls returns what is in force.
func (s *Store) Controls(ctx context.Context) (*chatops.Controls, error) {
	c := &chatops.Controls{Now: s.now()}
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectControls, func(row scanner) error { return addControl(row, c) }, stamp(c.Now))
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// addControl reads one row of selectControls.
func addControl(row scanner, c *chatops.Controls) error {
	var kind, key, value, reason, actor string
	var until, created time.Time
	var revision int64
	err := row.Scan(&kind, &key, &value, timeColumn{&until}, &reason, &actor, &revision, timeColumn{&created})
	if err != nil {
		return err
	}
	switch kind {
	case "revision":
		c.Revision = revision
	case "breaker":
		c.Breakers = append(c.Breakers, chatops.BreakerOrder{
			Name: key, Mode: chatops.BreakerMode(value), Reason: reason, Actor: actor,
			Until: until, CreatedAt: created, Revision: revision,
		})
	case kindLimit:
		c.Overrides = append(c.Overrides, chatops.LimitOverride{
			Name: key, Value: value, Reason: reason, Actor: actor, Until: until, CreatedAt: created, Revision: revision,
		})
	default:
		c.Blocks = append(c.Blocks, chatops.ClientBlock{
			Network: key, Reason: reason, Actor: actor, Until: until, CreatedAt: created, Revision: revision,
		})
	}
	return nil
}
