package postgres

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	heartbeat = `
insert into server_instance (instance, version, started_at, heartbeat_at, revision, report)
values ($2::text, $3::text, $4::timestamptz, ` + dbNow + `, $5::bigint, $6::text::json)
on conflict (instance) do update set version = excluded.version, started_at = excluded.started_at,
  heartbeat_at = excluded.heartbeat_at, revision = excluded.revision, report = excluded.report
returning heartbeat_at`

	selectInstances = `
select instance, version, started_at, revision, report::text, heartbeat_at,
  (extract(epoch from ` + dbNow + ` - heartbeat_at) * 1e6)::bigint
from server_instance order by instance collate "C"`

	removeInstance = `delete from server_instance where instance = $1::text`

	removeStale = `
delete from server_instance where heartbeat_at < ` + dbNow + ` - $2::bigint * interval '1 microsecond'`
)

// Heartbeat stores an instance in place of its former heartbeat.
func (s *Store) Heartbeat(ctx context.Context, i *chatops.Instance) error {
	if i.Name == "" {
		return chatops.Errorf(chatops.CodeInvalid, "heartbeat: name of the instance is missing")
	}
	report, err := json.Marshal(&i.Report)
	if err != nil {
		return chatops.Errorf(chatops.CodeInvalid, "heartbeat of %s: report: %w", i.Name, err)
	}
	now := s.now()
	var at time.Time
	err = s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, heartbeat, now, chatops.CleanText(i.Name), chatops.CleanText(i.Version),
			i.StartedAt.UTC(), i.Revision, string(chatops.CleanJSON(report))).Scan(&at)
	})
	if err == nil {
		i.HeartbeatAt, i.Age = at.UTC(), 0
	}
	return err
}

// Instances returns every instance, ordered by name.
func (s *Store) Instances(ctx context.Context) ([]chatops.Instance, error) {
	var list []chatops.Instance
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, selectInstances, s.now())
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (i chatops.Instance, err error) {
			var report string
			var age int64
			err = row.Scan(&i.Name, &i.Version, &i.StartedAt, &i.Revision, &report, &i.HeartbeatAt, &age)
			i.StartedAt, i.HeartbeatAt = i.StartedAt.UTC(), i.HeartbeatAt.UTC()
			i.Age = time.Duration(max(age, 0)) * time.Microsecond
			s.readReport(ctx, &i, report)
			return i, err
		})
		return err
	})
	return list, err
}

// readReport keeps what it understands: while replicas are being upgraded, one
// may write reports of another shape, and the others must stay visible.
func (s *Store) readReport(ctx context.Context, i *chatops.Instance, report string) {
	if err := json.Unmarshal([]byte(report), &i.Report); err != nil {
		s.log.WarnContext(ctx, "report of an instance cannot be read whole", slog.String("instance", i.Name))
	}
}

// RemoveInstance forgets an instance that ends.
func (s *Store) RemoveInstance(ctx context.Context, name string) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, removeInstance, chatops.CleanText(name))
		return err
	})
}

// RemoveStaleInstances forgets those whose heartbeat is older than age.
func (s *Store) RemoveStaleInstances(ctx context.Context, age time.Duration) (int, error) {
	now := s.now()
	var removed int64
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, removeStale, now, max(age, 0).Microseconds())
		removed = tag.RowsAffected()
		return err
	})
	return int(removed), err
}
