package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

const (
	// uniqueFollowups looks for the rule, whatever the name under which it is
	// enforced.
	uniqueFollowups = `
select exists (
  select from pg_index i
  where i.indrelid = 'followup_event'::regclass and i.indisunique and i.indisvalid and i.indpred is null
    and (select array_agg(a.attname::text order by a.attname) from pg_attribute a
         where a.attrelid = i.indrelid and a.attnum = any (i.indkey)) = array['conversation_id', 'followup_number'])`

	selectDuplicates = `
select conversation_id, followup_number, count(*), array_agg(id order by sent_at, id) from followup_event
group by 1, 2 having count(*) > 1 order by 1, 2`

	// archiveDuplicates moves all but the earliest of the next pairs into the
	// archive and returns how many rows that were and the last pair.
	archiveDuplicates = `
with pair as (
  select conversation_id, followup_number from followup_event
  where conversation_id >= $1::bigint and (conversation_id, followup_number) > ($1::bigint, $2::integer)
  group by 1, 2 having count(*) > 1 order by 1, 2 limit $3::bigint),
extra as (
  select e.id, row_number() over (partition by e.conversation_id, e.followup_number order by e.sent_at, e.id) as place
  from followup_event e join pair p on p.conversation_id = e.conversation_id and p.followup_number = e.followup_number),
gone as (delete from followup_event f using extra x where f.id = x.id and x.place > 1 returning f.*),
kept as (
  insert into adoption_archive (table_name, row_id, reason, data)
  select 'followup_event', g.id, 'duplicate of conversation ' || g.conversation_id || ', number ' || g.followup_number,
    to_json(g) from gone g)
select (select count(*) from gone), p.conversation_id, p.followup_number
from pair p order by 2 desc, 3 desc limit 1`

	dropHalfIndex = `drop index concurrently if exists uq_conversation_followup_new`

	makeIndex = `
create unique index concurrently uq_conversation_followup_new on followup_event (conversation_id, followup_number)`

	// useIndex takes a lock for a moment. Whoever writes meanwhile waits behind
	// it, so it gives up soon where it does not get it.
	useIndex = `
set local lock_timeout = '1s';
alter table followup_event drop constraint if exists uq_conversation_followup;
alter table followup_event add constraint uq_conversation_followup unique using index uq_conversation_followup_new`

	// haltWriters lets reads go on.
	haltWriters = `
set local lock_timeout = '2s';
lock table followup_event in share row exclusive mode`

	makeConstraint = `
drop index if exists uq_conversation_followup_new;
alter table followup_event drop constraint if exists uq_conversation_followup;
alter table followup_event add constraint uq_conversation_followup unique (conversation_id, followup_number)`
)

// FollowupDuplicates streams the duplicates; the server sorts them.
func (s *Store) FollowupDuplicates(ctx context.Context, fn func(chatops.FollowupDuplicate) error) (constraint bool, err error) {
	if err := s.unhurried(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, uniqueFollowups).Scan(&constraint)
	}); err != nil {
		return false, err
	}
	var own error
	err = s.unhurried(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, selectDuplicates)
		if err != nil {
			return err
		}
		var d chatops.FollowupDuplicate
		_, err = pgx.ForEachRow(rows, []any{&d.ConversationID, &d.Number, &d.Count, &d.IDs}, func() error {
			own = fn(d)
			d.IDs = nil
			return own
		})
		return err
	})
	if own != nil {
		return constraint, own
	}
	return constraint, err
}

// Bounds of a repair.
const (
	duplicateBatch = 1000
	repairTries    = 10
	freeTries      = 3 // of these, before writers are made to wait
	repairPause    = 200 * time.Millisecond
)

// FixFollowupDuplicates archives duplicates and restores the constraint, again
// when more of them came between the two. Where they do not cease to come, the
// rest is done while writers wait.
func (s *Store) FixFollowupDuplicates(ctx context.Context) (archived int64, err error) {
	for try := range repairTries {
		repair := s.repairFreely
		if try >= freeTries {
			repair = s.repairAlone
		}
		n, err := repair(ctx)
		archived += n
		if err == nil {
			return archived, nil
		}
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != uniqueViolation && pg.Code != lockNotAvailable {
			return archived, err
		}
		if !chatops.Sleep(ctx, repairPause) {
			return archived, translate(s.host, ctx.Err())
		}
	}
	return archived, chatops.Errorf(chatops.CodeUnavailable,
		"restore uq_conversation_followup: the table was too busy %d times; run it again", repairTries)
}

// repairFreely works beside writers.
func (s *Store) repairFreely(ctx context.Context) (archived int64, err error) {
	err = s.unhurried(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		archived, err = archiveExtras(ctx, conn)
		return err
	})
	if err == nil {
		err = s.restoreConstraint(ctx)
	}
	return archived, err
}

// repairAlone works in one transaction that keeps writers waiting: little is left
// to do by then but the index.
func (s *Store) repairAlone(ctx context.Context) (archived int64, err error) {
	err = s.unhurried(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := conn.PgConn().Exec(ctx, haltWriters).ReadAll(); err != nil {
				return err
			}
			if archived, err = archiveExtras(ctx, tx); err != nil {
				return err
			}
			_, err := conn.PgConn().Exec(ctx, makeConstraint).ReadAll()
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return archived, nil
}

// archiveExtras moves all but the earliest of every pair, in batches.
func archiveExtras(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (archived int64, err error) {
	var conversation int64
	var number int32
	for {
		var n int64
		err := db.QueryRow(ctx, archiveDuplicates, conversation, number, duplicateBatch).Scan(&n, &conversation, &number)
		if errors.Is(err, pgx.ErrNoRows) {
			return archived, nil
		}
		if err != nil {
			return archived, err
		}
		archived += n
	}
}

func (s *Store) restoreConstraint(ctx context.Context) error {
	return s.unhurried(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		var there bool
		if err := conn.QueryRow(ctx, uniqueFollowups).Scan(&there); err != nil || there {
			return err
		}
		for _, statement := range []string{dropHalfIndex, makeIndex, useIndex} {
			// Without parameters several statements are one transaction.
			if _, err := conn.PgConn().Exec(ctx, statement).ReadAll(); err != nil {
				return err
			}
		}
		return nil
	})
}

// unhurried runs work that may take as long as its caller lets it, on one
// connection and once.
func (s *Store) unhurried(ctx context.Context, work func(ctx context.Context, conn *pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return translate(s.host, err)
	}
	defer conn.Release()
	return translate(s.host, work(ctx, conn.Conn()))
}
