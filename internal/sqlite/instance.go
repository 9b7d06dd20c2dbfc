package sqlite

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"chatops/internal/chatops"
)

const (
	heartbeat = `
insert into server_instance (instance, version, started_at, heartbeat_at, revision, report) values (?, ?, ?, ?, ?, ?)
on conflict (instance) do update set version = excluded.version, started_at = excluded.started_at,
  heartbeat_at = excluded.heartbeat_at, revision = excluded.revision, report = excluded.report`

	selectInstances = `
select instance, version, started_at, revision, report, heartbeat_at from server_instance order by instance`

	removeInstance = `delete from server_instance where instance = ?`

	removeStale = `delete from server_instance where heartbeat_at < ?`
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
	var at time.Time
	err = s.write(ctx, func(tx *writeTx) error {
		at = tx.now
		_, err := tx.exec(heartbeat, text(i.Name), text(i.Version), stamp(i.StartedAt), stamp(at), i.Revision,
			string(chatops.CleanJSON(report)))
		return err
	})
	if err == nil {
		i.HeartbeatAt, i.Age = at, 0
	}
	return err
}

// Instances returns every instance, ordered by name.
func (s *Store) Instances(ctx context.Context) ([]chatops.Instance, error) {
	var list []chatops.Instance
	err := s.read(ctx, func(r *readTx) error {
		now := s.now()
		return r.each(selectInstances, func(row scanner) error {
			var i chatops.Instance
			var report string
			err := row.Scan(&i.Name, &i.Version, timeColumn{&i.StartedAt}, &i.Revision, &report, timeColumn{&i.HeartbeatAt})
			i.Age = max(now.Sub(i.HeartbeatAt), 0)
			s.readReport(ctx, &i, report)
			list = append(list, i)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
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
	return s.write(ctx, func(tx *writeTx) error {
		_, err := tx.exec(removeInstance, text(name))
		return err
	})
}

// RemoveStaleInstances forgets those whose heartbeat is older than age.
func (s *Store) RemoveStaleInstances(ctx context.Context, age time.Duration) (int, error) {
	var removed int64
	err := s.write(ctx, func(tx *writeTx) (err error) {
		removed, err = tx.exec(removeStale, stamp(tx.now.Add(-max(age, 0))))
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(removed), nil
}
