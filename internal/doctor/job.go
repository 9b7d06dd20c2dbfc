package doctor

import (
	"context"
	"fmt"

	"chatops/internal/chatops"
)

func checkJobs(ctx context.Context, p *Patient) (Result, error) {
	jobs, err := p.Store.Jobs(ctx)
	if err != nil {
		return Result{}, err
	}
	replicas, err := p.Store.Instances(ctx)
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	names := jobs.JobNames(replicas)
	nobody := len(chatops.Live(replicas)) == 0 // then it is that which is to be mended
	for _, name := range names {
		j := jobs.FleetJob(name, replicas)
		if f, bad := jobFinding(&j); bad && (!nobody || j.State == chatops.JobPaused) {
			list = append(list, f)
		}
	}
	return found(list, chatops.Count(len(names), "job")+" in time"), nil
}

func jobFinding(j *chatops.FleetJob) (f Finding, bad bool) {
	name := chatops.Harmless(j.Name)
	run := "chatops jobs run " + quote(j.Name)
	switch {
	case j.State == chatops.JobPaused:
		by, cause := "", ""
		if s := j.Stored; s != nil {
			by, cause = " by "+chatops.Harmless(s.PausedBy), chatops.Harmless(s.PausedReason)
		}
		return Finding{Warning, "job " + name + " is paused" + by, cause, "chatops jobs resume " + quote(j.Name)}, true
	case j.State == chatops.JobLate:
		return Finding{Problem, "job " + name + " is late", "no replica with SCHEDULER_ENABLED=true has begun it", run}, true
	case j.State == chatops.JobInterrupted:
		return Finding{Warning, "job " + name + " was interrupted", "its replica has gone silent; another one takes over", run}, true
	case j.Failed():
		return Finding{Problem, "the last run of job " + name + " failed", chatops.Harmless(j.LastResult), run}, true
	}
	return Finding{}, false
}

func checkDuplicates(ctx context.Context, p *Patient) (Result, error) {
	var pairs, extra int64
	constraint, err := p.Store.FollowupDuplicates(ctx, func(d chatops.FollowupDuplicate) error {
		pairs++
		extra += int64(d.Count - 1)
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	const repair = "chatops followup duplicates --fix --reason 'constraint was dropped'"
	if !constraint {
		list = append(list, Finding{Problem, "uq_conversation_followup is missing", "somebody has dropped it; follow-ups may be sent twice", repair})
	}
	if pairs > 0 {
		exist := map[bool]string{true: "exists", false: "exist"}[pairs == 1]
		list = append(list, Finding{
			Problem, fmt.Sprintf("%s %s more than once, with %s", chatops.Count(pairs, "follow-up"), exist, chatops.Count(extra, "extra row")),
			"they were written while uq_conversation_followup was missing", repair,
		})
	}
	return found(list, "uq_conversation_followup is there, no duplicates"), nil
}

// uncertainShown bounds how many uncertain follow-ups are counted.
const uncertainShown = 1000

func checkUncertain(ctx context.Context, p *Patient) (Result, error) {
	rows, err := p.Store.Followups(ctx, 0, chatops.FollowupUncertain, uncertainShown)
	if err != nil {
		return Result{}, err
	}
	open := 0
	for _, f := range rows {
		over, err := settled(ctx, p.Store, &f)
		if err != nil {
			return Result{}, err
		}
		if !over {
			open++
		}
	}
	var list []Finding
	if open > 0 {
		list = append(list, Finding{
			Warning, chatops.Count(open, "follow-up") + " may or may not have been sent",
			"the mail server's answer was lost; they are never repeated by themselves", "chatops followup list --status uncertain",
		})
	}
	return found(list, "none is uncertain"), nil
}

// settled reports that somebody has looked after an uncertain follow-up and has
// discarded its mail, or that the mail is too old to be kept.
func settled(ctx context.Context, store Store, f *chatops.Followup) (bool, error) {
	if f.AlertID == 0 {
		return false, nil
	}
	a, _, err := store.Alert(ctx, f.AlertID)
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return true, nil
	}
	return err == nil && a.Status == chatops.AlertDiscarded, err
}
