package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	jobColumns = `name, each_process, slot, coalesce(holder, ''), lease_until, fence, last_started, last_finished,
  last_result, last_instance, next_run, paused, paused_by, paused_reason, requested`

	selectJobs = `select ` + jobColumns + `, ` + dbNow + ` from scheduled_job order by name collate "C"`

	jobsNow = `select ` + dbNow

	// lockJob is what a job's changes begin with. Its time is that of the arrival
	// and not of the lock, so after a wait a lease ends a little early.
	lockJob = `select ` + jobColumns + `, ` + dbNow + ` from scheduled_job where name = $2::text for update`

	insertJob = `
insert into scheduled_job (name, each_process, slot, next_run)
values ($1::text, $2::boolean, $3::timestamptz, $4::timestamptz)
on conflict (name) do nothing`

	updateJob = `
update scheduled_job set each_process = $2::boolean, slot = $3::timestamptz, holder = nullif($4::text, ''),
  lease_until = $5::timestamptz, fence = $6::bigint, last_started = $7::timestamptz, last_finished = $8::timestamptz,
  last_result = $9::text, last_instance = $10::text, next_run = $11::timestamptz, paused = $12::boolean,
  paused_by = $13::text, paused_reason = $14::text, requested = $15::timestamptz
where name = $1::text`
)

// ClaimJob claims a run, or returns nil when there is nothing to run.
func (s *Store) ClaimJob(ctx context.Context, c chatops.JobClaim) (*chatops.JobRun, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Name, c.Instance = chatops.CleanText(c.Name), chatops.CleanText(c.Instance)
	at := s.now()
	var run *chatops.JobRun
	claim := func(j *chatops.JobState, now time.Time) (changed bool, err error) {
		run, changed = j.Claim(&c, now)
		return changed, nil
	}
	err := s.changeJob(ctx, c.Name, at, claim)
	if err == nil {
		return run, nil
	}
	if chatops.ErrorCode(err) != chatops.CodeNotFound {
		return nil, err
	}
	return nil, s.do(ctx, func(ctx context.Context) error {
		var now time.Time
		if err := s.pool.QueryRow(ctx, jobsNow, at).Scan(&now); err != nil {
			return err
		}
		j := chatops.NewJobState(&c, now.UTC())
		_, err := s.pool.Exec(ctx, insertJob, j.Name, j.EachProcess, j.Slot, null(j.NextRun))
		return err
	})
}

// ExtendJob keeps a run's lease alive, or gives the run up.
func (s *Store) ExtendJob(ctx context.Context, r *chatops.JobRun, lease time.Duration) error {
	return s.changeRun(ctx, r, func(j *chatops.JobState, now time.Time) bool { return j.Extend(r, lease, now) })
}

// FinishJob records the result and frees the job.
func (s *Store) FinishJob(ctx context.Context, r *chatops.JobRun, result string) error {
	result = chatops.CleanText(result)
	return s.changeRun(ctx, r, func(j *chatops.JobState, now time.Time) bool { return j.Finish(r, result, now) })
}

// RequestJob asks for a run now.
func (s *Store) RequestJob(ctx context.Context, name string) error {
	return s.changeJob(ctx, chatops.CleanText(name), s.now(), func(j *chatops.JobState, now time.Time) (bool, error) {
		j.Requested = now
		return true, nil
	})
}

// PauseJob stops a job from running until it is resumed.
func (s *Store) PauseJob(ctx context.Context, name string, paused bool, actor, reason string) error {
	actor, reason = chatops.CleanText(actor), chatops.CleanText(reason)
	return s.changeJob(ctx, chatops.CleanText(name), s.now(), func(j *chatops.JobState, _ time.Time) (bool, error) {
		j.Pause(paused, actor, reason)
		return true, nil
	})
}

// changeRun changes the job of a run that must still be its run.
func (s *Store) changeRun(ctx context.Context, r *chatops.JobRun, change func(j *chatops.JobState, now time.Time) bool) error {
	return s.changeJob(ctx, chatops.CleanText(r.Name), s.now(), func(j *chatops.JobState, now time.Time) (bool, error) {
		if !change(j, now) {
			return false, chatops.TakenOverError(r)
		}
		return true, nil
	})
}

// changeJob changes one job while it is locked. CodeNotFound: there is none.
func (s *Store) changeJob(ctx context.Context, name string, at *time.Time, change func(j *chatops.JobState, now time.Time) (bool, error)) error {
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		j, now, err := scanJob(tx.QueryRow(ctx, lockJob, at, name))
		if err != nil {
			return err
		}
		changed, err := change(&j, now)
		if err != nil || !changed {
			return err
		}
		_, err = tx.Exec(ctx, updateJob, j.Name, j.EachProcess, j.Slot, j.Holder, null(j.LeaseUntil), j.Fence,
			null(j.LastStarted), null(j.LastFinished), j.LastResult, j.LastInstance, null(j.NextRun),
			j.Paused, j.PausedBy, j.PausedReason, null(j.Requested))
		return err
	})
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return chatops.UnknownJobError(name)
	}
	return err
}

// Jobs returns every known job by name.
func (s *Store) Jobs(ctx context.Context) (*chatops.JobList, error) {
	at := s.now()
	list := &chatops.JobList{}
	err := s.batch(ctx, func(b *pgx.Batch) {
		list.Jobs = list.Jobs[:0]
		b.Queue(jobsNow, at).QueryRow(func(row pgx.Row) error { return row.Scan(&list.Now) })
		b.Queue(selectJobs, at).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				j, _, err := scanJob(rows)
				if err != nil {
					return err
				}
				list.Jobs = append(list.Jobs, j)
			}
			return rows.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	list.Now = list.Now.UTC()
	return list, nil
}

// scanJob reads a job and the time.
func scanJob(row pgx.Row) (j chatops.JobState, now time.Time, err error) {
	var lease, started, finished, next, requested *time.Time
	err = row.Scan(&j.Name, &j.EachProcess, &j.Slot, &j.Holder, &lease, &j.Fence, &started, &finished,
		&j.LastResult, &j.LastInstance, &next, &j.Paused, &j.PausedBy, &j.PausedReason, &requested, &now)
	j.Slot, j.LeaseUntil, j.LastStarted, j.LastFinished = j.Slot.UTC(), utc(lease), utc(started), utc(finished)
	j.NextRun, j.Requested = utc(next), utc(requested)
	return j, now.UTC(), err
}
