package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chatops/internal/chatops"
)

const (
	jobColumns = `name, each_process, slot, holder, lease_until, fence, last_started, last_finished,
  last_result, last_instance, next_run, paused, paused_by, paused_reason, requested`

	selectJobs = `select ` + jobColumns + ` from scheduled_job order by name`

	selectJob = `select ` + jobColumns + ` from scheduled_job where name = ?`

	insertJob = `
insert into scheduled_job (name, each_process, slot, next_run) values (?, ?, ?, ?)
on conflict (name) do nothing`

	updateJob = `
update scheduled_job set each_process = ?2, slot = ?3, holder = ?4, lease_until = ?5, fence = ?6, last_started = ?7,
  last_finished = ?8, last_result = ?9, last_instance = ?10, next_run = ?11, paused = ?12, paused_by = ?13,
  paused_reason = ?14, requested = ?15
where name = ?1`
)

// ClaimJob claims a run, or returns nil when there is nothing to run.
func (s *Store) ClaimJob(ctx context.Context, c chatops.JobClaim) (*chatops.JobRun, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Name, c.Instance = text(c.Name), text(c.Instance)
	var run *chatops.JobRun
	err := s.write(ctx, func(tx *writeTx) error {
		run = nil
		err := tx.changeJob(c.Name, func(j *chatops.JobState) (changed bool, err error) {
			run, changed = j.Claim(&c, tx.now)
			return changed, nil
		})
		if chatops.ErrorCode(err) != chatops.CodeNotFound {
			return err
		}
		j := chatops.NewJobState(&c, tx.now)
		_, err = tx.exec(insertJob, j.Name, j.EachProcess, stamp(j.Slot), stampOrNull(j.NextRun))
		return err
	})
	if err != nil {
		return nil, err
	}
	return run, nil
}

// ExtendJob keeps a run's lease alive, or gives the run up.
func (s *Store) ExtendJob(ctx context.Context, r *chatops.JobRun, lease time.Duration) error {
	return s.changeRun(ctx, r, func(j *chatops.JobState, now time.Time) bool { return j.Extend(r, lease, now) })
}

// FinishJob records the result and frees the job.
func (s *Store) FinishJob(ctx context.Context, r *chatops.JobRun, result string) error {
	return s.changeRun(ctx, r, func(j *chatops.JobState, now time.Time) bool { return j.Finish(r, text(result), now) })
}

// RequestJob asks for a run now.
func (s *Store) RequestJob(ctx context.Context, name string) error {
	return s.write(ctx, func(tx *writeTx) error {
		return tx.changeJob(text(name), func(j *chatops.JobState) (bool, error) {
			j.Requested = tx.now
			return true, nil
		})
	})
}

// PauseJob stops a job from running until it is resumed.
func (s *Store) PauseJob(ctx context.Context, name string, paused bool, actor, reason string) error {
	return s.write(ctx, func(tx *writeTx) error {
		return tx.changeJob(text(name), func(j *chatops.JobState) (bool, error) {
			j.Pause(paused, text(actor), text(reason))
			return true, nil
		})
	})
}

// changeRun changes the job of a run that must still be its run.
func (s *Store) changeRun(ctx context.Context, r *chatops.JobRun, change func(j *chatops.JobState, now time.Time) bool) error {
	return s.write(ctx, func(tx *writeTx) error {
		return tx.changeJob(text(r.Name), func(j *chatops.JobState) (bool, error) {
			if !change(j, tx.now) {
				return false, chatops.TakenOverError(r)
			}
			return true, nil
		})
	})
}

// changeJob changes one job. CodeNotFound: there is none.
func (tx *writeTx) changeJob(name string, change func(j *chatops.JobState) (bool, error)) error {
	j, err := scanJob(tx.row(selectJob, name))
	if errors.Is(err, sql.ErrNoRows) {
		return chatops.UnknownJobError(name)
	}
	if err != nil {
		return err
	}
	changed, err := change(&j)
	if err != nil || !changed {
		return err
	}
	_, err = tx.exec(updateJob, j.Name, j.EachProcess, stamp(j.Slot), textOrNull(j.Holder), stampOrNull(j.LeaseUntil),
		j.Fence, stampOrNull(j.LastStarted), stampOrNull(j.LastFinished), j.LastResult, j.LastInstance,
		stampOrNull(j.NextRun), j.Paused, j.PausedBy, j.PausedReason, stampOrNull(j.Requested))
	return err
}

// Jobs returns every known job by name.
func (s *Store) Jobs(ctx context.Context) (*chatops.JobList, error) {
	list := &chatops.JobList{}
	err := s.read(ctx, func(r *readTx) error {
		list.Now = s.now().UTC()
		return r.each(selectJobs, func(row scanner) error {
			j, err := scanJob(row)
			list.Jobs = append(list.Jobs, j)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// scanJob reads a job.
func scanJob(row scanner) (j chatops.JobState, err error) {
	err = row.Scan(&j.Name, &j.EachProcess, timeColumn{&j.Slot}, textColumn{&j.Holder}, timeColumn{&j.LeaseUntil}, &j.Fence,
		timeColumn{&j.LastStarted}, timeColumn{&j.LastFinished}, &j.LastResult, &j.LastInstance, timeColumn{&j.NextRun},
		&j.Paused, &j.PausedBy, &j.PausedReason, timeColumn{&j.Requested})
	return j, err
}
