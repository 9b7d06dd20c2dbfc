package consent

import (
	"encoding/json"

	"chatops/internal/chatops"
)

// Addressees are the people whom the follow-ups of a dry run go to. What a store
// knows of the suppressed is compared as for candidates; addresses go no further.
type Addressees struct {
	mails  []chatops.PreviewMail
	people []chatops.FollowupCandidate
}

// Add reads the follow-ups of a row as a store writes them, as an array of objects
// with id and email; "" holds none.
func (a *Addressees) Add(row int, list string) error {
	if list == "" {
		return nil
	}
	var mails []struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	if err := json.Unmarshal([]byte(list), &mails); err != nil {
		return chatops.Errorf(chatops.CodeInternal, "the follow-ups of a dry run cannot be read")
	}
	for _, m := range mails {
		a.mails = append(a.mails, chatops.PreviewMail{Row: row, AlertID: m.ID})
		a.people = append(a.people, chatops.FollowupCandidate{DueFollowup: chatops.DueFollowup{Email: m.Email}})
	}
	return nil
}

// Candidates asks whom of them a mailbox bars; see Candidates.Bar.
func (a *Addressees) Candidates(mailbox func(emailKey string) Mailbox) *Candidates {
	return NewCandidates(a.people, mailbox)
}

// Withdraw tells a dry run who is barred.
func (a *Addressees) Withdraw(p *chatops.Preview) {
	for i := range a.mails {
		a.mails[i].Barred = a.people[i].Barred
	}
	p.Withdraw(a.mails)
}
