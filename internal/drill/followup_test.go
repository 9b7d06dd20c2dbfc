package drill

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestDuplicateFollowups_TakeTheConstraintAwayAndWriteThreeRows(t *testing.T) {
	t.Parallel()
	r, _ := running(t, "duplicate-followups")
	all := statements(r)
	mustBreak(t, r)
	if len(*all) != 8 {
		t.Fatalf("the database is told %q", *all)
	}
	if !strings.Contains((*all)[0], "insert into chat_conversations") || !strings.Contains((*all)[0], person) {
		t.Errorf("the conversation is made by %s", (*all)[0])
	}
	for i, begin := range []string{"create table followup_drill", "drop table followup_event", "create table followup_event", "drop table followup_drill"} {
		if !strings.HasPrefix((*all)[i+1], begin) {
			t.Errorf("statement %d is %s, want %s", i+1, (*all)[i+1], begin)
		}
	}
	for i, s := range (*all)[5:] {
		if !strings.Contains(s, fmt.Sprintf("values (%d, 4711, 1, 'sent'", 88+i)) {
			t.Errorf("row %d is written by %s", i, s)
		}
	}
}

func TestDuplicateFollowups_AreRepairedWithTheConstraintAndWithoutPairs(t *testing.T) {
	t.Parallel()
	r, i := running(t, "duplicate-followups")
	for _, c := range []struct {
		pairs     int
		unguarded bool
		want      string
	}{
		{1, true, "1 follow-ups exist more than once, uq_conversation_followup is there: false"},
		{0, true, "0 follow-ups exist more than once, uq_conversation_followup is there: false"},
		{2, false, "2 follow-ups exist more than once, uq_conversation_followup is there: true"},
		{0, false, ""},
	} {
		i.duplicates, i.unguarded = c.pairs, c.unguarded
		wantLeft(t, r, c.want)
	}
}

func TestSilent_IsDueForTheFirstReminderAlone(t *testing.T) {
	t.Parallel()
	r, _ := running(t, "job-paused")
	all := statements(r)
	if err := r.silent(t.Context()); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split((*all)[0], "'")
	at, err := time.Parse(sqlTime, parts[len(parts)-2])
	if err != nil {
		t.Fatalf("%s: %v", (*all)[0], err)
	}
	var schedule []time.Duration
	for word := range strings.FieldsSeq(followupSettings()["FOLLOWUP_SCHEDULE"]) {
		d, err := time.ParseDuration(word)
		if err != nil {
			t.Fatal(err)
		}
		schedule = append(schedule, d)
	}
	now := time.Now().UTC()
	if n, _, due := chatops.NextFollowup(schedule, at, now, chatops.FollowupHistory{}); n != 1 || !due {
		t.Errorf("follow-up %d is due: %t", n, due)
	}
	if n, _, due := chatops.NextFollowup(schedule, at, now, chatops.FollowupHistory{Last: 1, LastAt: now}); due {
		t.Errorf("follow-up %d is due after the first", n)
	}
}

func TestJobPaused_IsPausedBeforeAnybodyIsDue(t *testing.T) {
	t.Parallel()
	r, i := running(t, "job-paused")
	i.jobs = []chatops.JobState{{Name: "cleanup"}, {Name: "followups"}}
	r.SQLFunc = func(context.Context, ...string) error {
		if !slices.Equal(i.paused, []string{"followups by ola: wrong text in the mail, until Monday"}) {
			t.Errorf("when somebody is due, paused are %q", i.paused)
		}
		return nil
	}
	if evidence := mustBreak(t, r); evidence != "" {
		t.Errorf("it shows %q", evidence)
	}
}

// mailed gives the mail server a mail.
func mailed(t *testing.T, r *Range) {
	t.Helper()
	dialogue(t, r.mail, "MAIL FROM:<a@x.pl>", "RCPT TO:<b@x.pl>", "DATA", "Subject: hi\r\n\r\ntext\r\n.")
}

func TestJobPaused_IsRepairedWhenTheReminderHasBeenSent(t *testing.T) {
	t.Parallel()
	r, i := running(t, "job-paused")
	i.jobs = []chatops.JobState{{Name: "cleanup", Paused: true}, {Name: "followups", Paused: true}}
	wantLeft(t, r, "nobody is reminded")
	i.jobs[1].Paused = false
	wantLeft(t, r, "the visitor has not got the reminder that is due")
	mailed(t, r)
	wantLeft(t, r, "")
	i.jobs[1].Paused = true
	wantLeft(t, r, "nobody is reminded")
}

func TestOptOutRace_HoldsTheReminderBack(t *testing.T) {
	t.Parallel()
	r, i := running(t, "opt-out-race")
	i.jobs = []chatops.JobState{{Name: "followups"}}
	r.SQLFunc = func(context.Context, ...string) error {
		conn, _ := dialogue(t, r.mail, "EHLO x", "MAIL FROM:<a@x.pl>")
		_, err := fmt.Fprint(conn, "RCPT TO:<b@x.pl>\r\n")
		return err
	}
	mustBreak(t, r)
	if !slices.Equal(i.requested, []string{"followups"}) || r.mail.waiting() != 1 || len(r.mail.received()) != 0 {
		t.Errorf("requested %q, %d wait, sent %q", i.requested, r.mail.waiting(), r.mail.received())
	}
}

func TestOptOutRace_IsRepairedWhenTheReminderIsCancelled(t *testing.T) {
	t.Parallel()
	r, i := running(t, "opt-out-race")
	r.mail.hold()
	wantLeft(t, r, "she would still get reminders")
	if !slices.Equal(i.asked, []string{person}) {
		t.Errorf("asked for %q", i.asked)
	}
	select {
	case <-r.mail.gate:
		t.Error("the mail server takes mails although she has not opted out")
	default:
	}
	i.suppressed = 1
	const waits = "the reminder that was about to leave is not cancelled yet"
	wantLeft(t, r, waits)
	for _, status := range chatops.FollowupStatuses() {
		i.followups = []chatops.Followup{{Status: status}}
		if status == chatops.FollowupCancelled {
			wantLeft(t, r, "")
		} else {
			wantLeft(t, r, waits)
		}
	}
	mailed(t, r)
	wantSpoilt(t, r, "a reminder was sent after she had opted out")
}

func TestLimiterStorm_RefusesEverySecondQuestion(t *testing.T) {
	t.Parallel()
	r, i := running(t, "limiter-storm")
	c := visited(t, r, 1)
	i.instances[0].Report.Limiter.Limits = []chatops.LimitReport{{Name: "chat", Denied: 6}}
	mustBreak(t, r)
	if len(c.visits()) != 6 || len(c.complaints()) != 0 {
		t.Errorf("visitors %v, wrong requests %q", c.visits(), c.complaints())
	}
	for client, n := range c.visits() {
		if n != 2 || !strings.HasPrefix(client, "203.0.113.") {
			t.Errorf("%s asked %d times", client, n)
		}
	}
	again, _ := running(t, "limiter-storm")
	visited(t, again, 2)
	if _, err := again.drill.Break(t.Context(), again); err == nil || err.Error() != "drill: 0 of 6 visitors were refused" {
		t.Errorf("an installation that refuses nobody makes %v", err)
	}
}

func TestLimiterStorm_IsRepairedByAnOverrideThatHelps(t *testing.T) {
	t.Parallel()
	r, i := running(t, "limiter-storm")
	c := visited(t, r, 0)
	wantLeft(t, r, "visitors are refused at their second question")
	i.controls.Overrides = []chatops.LimitOverride{{Name: "chat", Value: "1 per minute"}}
	wantLeft(t, r, "the visitor 203.0.113.1 is still refused")
	c.mu.Lock()
	c.limit = 100
	c.mu.Unlock()
	wantLeft(t, r, "")
	i.controls.Overrides = nil
	wantLeft(t, r, "visitors are refused at their second question")
}

func TestVisit_OfNobodyThereIsUnavailable(t *testing.T) {
	t.Parallel()
	r, i := running(t, "limiter-storm")
	c := visited(t, r, 1)
	if status, err := r.visit(t.Context(), "203.0.113.9"); err != nil || status != http.StatusOK {
		t.Errorf("a visitor gets %d, %v", status, err)
	}
	c.stop()
	if _, err := r.visit(t.Context(), "203.0.113.9"); chatops.ErrorCode(err) != chatops.CodeUnavailable || err.Error() != "drill: the installation does not answer" {
		t.Errorf("error %v", err)
	}
	i.controls.Overrides = []chatops.LimitOverride{{Name: "chat"}}
	if left, err := r.drill.Left(t.Context(), r); err == nil {
		t.Errorf("an installation that is gone leaves %q", left)
	}
}

func TestBackend_WaitsForTheOnlyReplica(t *testing.T) {
	t.Parallel()
	r, i := running(t, "limiter-storm")
	c := visited(t, r, 1)
	i.instances[0].Report.Limiter.Backend = "redis"
	if err := r.backend(t.Context(), "redis"); err != nil || c.visits()["203.0.113.1"] != 1 {
		t.Errorf("%v; visited %v", err, c.visits())
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.Store = &ending{installation: i, end: cancel}
	if err := r.backend(ctx, "local"); err == nil || err.Error() != "drill: counting in local did not happen" {
		t.Errorf("error %v", err)
	}
}

// ending ends the wait when it is asked.
type ending struct {
	*installation

	end func()
}

func (e *ending) Instances(ctx context.Context) ([]chatops.Instance, error) {
	e.end()
	return e.installation.Instances(ctx)
}

func TestObeyed_IsWhatTheReplicaHasSeen(t *testing.T) {
	t.Parallel()
	r, i := running(t, "breaker-stuck")
	i.instances[0].Revision = 8
	for _, revision := range []int64{0, 7, 8} {
		if err := r.obeyed(t.Context(), revision); err != nil {
			t.Errorf("order %d: %v", revision, err)
		}
	}
	for _, list := range [][]chatops.Instance{nil, {{Revision: 7}}} {
		ctx, cancel := context.WithCancel(t.Context())
		i.instances = list
		r.Store = &ending{installation: i, end: cancel}
		if err := r.obeyed(ctx, 8); err == nil || err.Error() != "drill: obedience did not happen" {
			t.Errorf("with %+v: %v", list, err)
		}
	}
}
