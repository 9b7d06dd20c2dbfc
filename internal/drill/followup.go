package drill

import (
	"context"
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// person is whom a drill is about, and other somebody else.
const (
	person = "anna@firma.example"
	other  = "jan@firma.example"
)

// sqlTime is how an embedded database keeps time.
const sqlTime = "2006-01-02 15:04:05.000000"

// silent makes a conversation whose visitor has written nothing for 25 h.
func (r *Range) silent(ctx context.Context) error {
	return r.silentFor(ctx, 4711, person, 25*time.Hour)
}

// silentFor makes a conversation whose visitor has written nothing for so long.
func (r *Range) silentFor(ctx context.Context, id int, email string, silence time.Duration) error {
	at := time.Now().UTC().Add(-silence).Format(sqlTime)
	return r.SQLFunc(ctx, fmt.Sprintf(`insert into chat_conversations
  (id, session_id, email, started_at, last_user_message_at, marketing_consent, rodo_consent)
  values (%d, 'drill-%d', '%s', '%s', '%s', true, true)`, id, id, email, at, at))
}

func duplicateFollowups() Drill {
	const columns = "id, conversation_id, followup_number, status, sent_at, alert_id, person_key, fence"
	return Drill{
		Name:    "duplicate-followups",
		Symptom: "A visitor complains: the same reminder came three times. Yesterday somebody worked on the database by hand.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			if err := r.silent(ctx); err != nil {
				return "", err
			}
			statements := []string{
				`create table followup_drill as select ` + columns + ` from followup_event`, `drop table followup_event`,
				`create table followup_event as select ` + columns + ` from followup_drill`, `drop table followup_drill`,
			}
			for i := range 3 {
				statements = append(statements, fmt.Sprintf(`insert into followup_event (id, conversation_id, followup_number, status, sent_at, fence)
  values (%d, 4711, 1, 'sent', '%s', 0)`, 88+i, time.Now().UTC().Add(time.Duration(i-24)*time.Hour).Format(sqlTime)))
			}
			return "", r.SQLFunc(ctx, statements...)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			pairs := 0
			constraint, err := r.Store.FollowupDuplicates(ctx, func(chatops.FollowupDuplicate) error { pairs++; return nil })
			if err != nil || constraint && pairs == 0 {
				return "", err
			}
			return fmt.Sprintf("%d follow-ups exist more than once, uq_conversation_followup is there: %t", pairs, constraint), nil
		},
	}
}

func jobPaused() Drill {
	const name = "followups"
	return Drill{
		Name:     "job-paused",
		Symptom:  "Marketing: no visitor has got a reminder for days.",
		Settings: followupSettings(),
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			if err := r.jobKnown(ctx, name); err != nil {
				return "", err
			}
			if err := r.Store.PauseJob(ctx, name, true, "ola", "wrong text in the mail, until Monday"); err != nil {
				return "", err
			}
			return "", r.silent(ctx)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			j, err := r.jobState(ctx, name)
			if err != nil {
				return "", err
			}
			if j != nil && j.Paused {
				return "nobody is reminded", nil
			}
			if len(r.mail.received()) == 0 {
				return "the visitor has not got the reminder that is due", nil
			}
			return "", nil
		},
	}
}

// followupSettings let follow-ups go out.
func followupSettings() map[string]string {
	return map[string]string{"FOLLOWUP_SCHEDULE": "24h 72h 168h", "PUBLIC_URL": "http://127.0.0.1", "DLQ_MAX_RETRIES": "100"}
}

// jobKnown waits until the installation has made a job known.
func (r *Range) jobKnown(ctx context.Context, name string) error {
	return await(ctx, "the job "+name, func() (bool, error) {
		j, err := r.jobState(ctx, name)
		return j != nil, err
	})
}

func optOutRace() Drill {
	return Drill{
		Name:     "opt-out-race",
		Symptom:  "Ticket 4711: a visitor has told us by phone that she wants no more reminders, and asks why she still gets them. Her address is in the file address.txt. The next one is about to leave.",
		Settings: followupSettings(),
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.mail.hold()
			if err := r.silent(ctx); err != nil {
				return "", err
			}
			if err := r.jobKnown(ctx, "followups"); err != nil {
				return "", err
			}
			if err := r.Store.RequestJob(ctx, "followups"); err != nil {
				return "", err
			}
			return "", await(ctx, "the reminder", func() (bool, error) { return r.mail.waiting() > 0, nil })
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			n, err := r.Store.CountSuppressed(ctx, []string{person})
			if err != nil {
				return "", err
			}
			if n == 0 {
				return "she would still get reminders", nil
			}
			r.mail.release() // the mail server takes what it is given, from now on
			if len(r.mail.received()) > 0 {
				return "", spoilt("a reminder was sent after she had opted out")
			}
			list, err := r.Store.Followups(ctx, 0, "", 10)
			if err != nil || len(list) == 1 && list[0].Status == chatops.FollowupCancelled {
				return "", err
			}
			return "the reminder that was about to leave is not cancelled yet", nil
		},
	}
}
