package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// jobState is a job of the installation, nil where it is not known.
func (r *Range) jobState(ctx context.Context, name string) (*chatops.JobState, error) {
	list, err := r.Store.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list.Jobs {
		if list.Jobs[i].Name == name {
			return &list.Jobs[i], nil
		}
	}
	return nil, nil //nolint:nilnil // nothing is known of it
}

func jobFailed() Drill {
	const name = "dlq_cleanup"
	return Drill{
		Name: "job-failed",
		Symptom: "Data protection: an alert of forty days ago is still kept, though we promise to delete them after thirty. " +
			"Last night somebody worked on the database by hand; they are done, and it is as before.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			at := time.Now().UTC().Add(-40 * 24 * time.Hour).Format(sqlTime)
			err := r.SQLFunc(ctx,
				fmt.Sprintf(`insert into dead_letter_queue (event_type, target, payload, status, created_at, delivered_at, idempotency_key)
  values ('%s', 'slack:alerts', '{"text":"an old lead"}', 'delivered', '%s', '%s', 'drill:old')`, chatops.EventSlackAlert, at, at),
				`create trigger drill before delete on dead_letter_queue begin select raise(abort, 'not now'); end`)
			if err != nil {
				return "", err
			}
			if err := r.jobKnown(ctx, name); err != nil {
				return "", err
			}
			if err := r.Store.RequestJob(ctx, name); err != nil {
				return "", err
			}
			err = await(ctx, "the failure of the job", func() (bool, error) {
				j, err := r.jobState(ctx, name)
				return j != nil && strings.HasPrefix(j.LastResult, "failed"), err
			})
			if err != nil {
				return "", err
			}
			return "", r.SQLFunc(ctx, `drop trigger drill`)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			j, err := r.jobState(ctx, name)
			if err != nil {
				return "", err
			}
			old, err := r.statuses(ctx, chatops.AlertDelivered)
			switch {
			case err != nil:
				return "", err
			case old > 0:
				return "the old alert is still there", nil
			case j == nil || !strings.HasPrefix(j.LastResult, "ok"):
				return "the alert is gone, and others will stay", nil
			}
			return "", nil
		},
	}
}
