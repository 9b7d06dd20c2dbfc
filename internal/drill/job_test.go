package drill

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestJobFailed_FailsWhileNothingCanBeDeletedAndItCanAfterwards(t *testing.T) {
	t.Parallel()
	r, i := running(t, "job-failed")
	all := []string{}
	r.SQLFunc = func(_ context.Context, list ...string) error {
		if all = append(all, list...); len(all) == 2 && len(i.requested) == 0 {
			i.jobs = []chatops.JobState{{Name: "followups"}, {Name: "dlq_cleanup", LastResult: "failed: a value does not fit its column"}}
		}
		return nil
	}
	if evidence := mustBreak(t, r); evidence != "" {
		t.Errorf("it shows %q", evidence)
	}
	if len(all) != 3 || !strings.Contains(all[0], "'delivered'") || !strings.HasPrefix(all[1], "create trigger drill ") || all[2] != "drop trigger drill" {
		t.Fatalf("the database is told %q", all)
	}
	if !slices.Equal(i.requested, []string{"dlq_cleanup"}) {
		t.Errorf("requested are %q", i.requested)
	}
	parts := strings.Split(all[0], "'")
	at, err := time.Parse(sqlTime, parts[len(parts)-4])
	if age := time.Since(at); err != nil || age < 39*24*time.Hour || age > 41*24*time.Hour {
		t.Errorf("the alert is of %s, %v", at, err)
	}
}

func TestJobFailed_IsRepairedByARunThatEndsWell(t *testing.T) {
	t.Parallel()
	r, i := running(t, "job-failed")
	i.count(chatops.AlertDelivered, 1)
	i.jobs = []chatops.JobState{{Name: "dlq_cleanup", LastResult: "failed: x"}}
	wantLeft(t, r, "the old alert is still there")
	i.stats.Counts = nil // somebody deleted it by hand
	wantLeft(t, r, "the alert is gone, and others will stay")
	i.jobs = nil
	wantLeft(t, r, "the alert is gone, and others will stay")
	i.jobs = []chatops.JobState{{Name: "dlq_cleanup", LastResult: "ok: 1 alert deleted"}}
	wantLeft(t, r, "")
}

func TestJobState_IsThatOfTheNameAlone(t *testing.T) {
	t.Parallel()
	r, i := running(t, "job-failed")
	for n := range 3 {
		i.jobs = append(i.jobs, chatops.JobState{Name: fmt.Sprint("job-", n), LastResult: fmt.Sprint(n)})
	}
	if j, err := r.jobState(t.Context(), "job-1"); err != nil || j == nil || j.LastResult != "1" {
		t.Errorf("it is %+v, %v", j, err)
	}
	if j, err := r.jobState(t.Context(), "job-3"); err != nil || j != nil {
		t.Errorf("one that there is not is %+v, %v", j, err)
	}
	i.err = chatops.Errorf(chatops.CodeUnavailable, "database is away")
	if _, err := r.jobState(t.Context(), "job-1"); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("error %v", err)
	}
}
