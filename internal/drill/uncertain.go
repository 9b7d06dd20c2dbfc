package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Two visitors are due, the one whose mail the server has first.
const (
	keptConversation = 4711
	lostConversation = 4712
)

func uncertainFollowup() Drill {
	return Drill{
		Name: "uncertain-followup",
		Symptom: "The people of the mail server: it crashed while it took mails, and is up again. Below is its log of the time. " +
			"Marketing would like to know that everybody has the reminder, and nobody has it twice.",
		Settings: followupSettings(),
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.mail.crash(person)
			defer r.mail.recover()
			if err := r.silentFor(ctx, keptConversation, person, 26*time.Hour); err != nil {
				return "", err
			}
			if err := r.silentFor(ctx, lostConversation, other, 25*time.Hour); err != nil {
				return "", err
			}
			if err := r.jobKnown(ctx, "followups"); err != nil {
				return "", err
			}
			if err := r.Store.RequestJob(ctx, "followups"); err != nil {
				return "", err
			}
			err := await(ctx, "the crash", func() (bool, error) {
				list, err := r.Store.Followups(ctx, 0, chatops.FollowupUncertain, 10)
				return len(list) == 2, err
			})
			return mailLog(r.mail.received(), time.Now()), err
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			list, err := r.Store.Followups(ctx, lostConversation, "", 10)
			switch kept, lost := len(r.mail.to(person)), len(r.mail.to(other)); {
			case err != nil:
				return "", err
			case kept > 1:
				return "", spoilt("a visitor has the reminder twice: the mail server had it")
			case lost > 1:
				return "", spoilt("a visitor was sent the reminder twice")
			case lost == 0 && len(list) == 1 && list[0].Status == chatops.FollowupCancelled:
				return "", spoilt("a visitor will never get the reminder")
			case lost == 0 || len(list) != 1 || list[0].Status != chatops.FollowupSent:
				return "a visitor has not got the reminder", nil
			}
			return "", nil
		},
	}
}

// mailLog is what a mail server notes of the mails that it has.
func mailLog(mails []string, now time.Time) string {
	at := now.UTC().Format(time.TimeOnly)
	var b strings.Builder
	for _, raw := range mails {
		fmt.Fprintf(&b, "%s mx cleanup: message-id=%s\n", at, field(raw, "Message-ID"))
	}
	fmt.Fprintf(&b, "%s mx master: killed by signal 9, 2 clients lost\n", at)
	return b.String()
}
