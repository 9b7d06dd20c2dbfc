package chatops

import (
	"slices"
	"time"
)

// followupHorizon is how long somebody may have been silent who is still written
// to, in times of the last follow-up's delay. Without it the first start on a
// database of years would write to everybody in it.
const followupHorizon = 2

// FollowupHistory is what a person has had already.
type FollowupHistory struct {
	Last   int // the highest number; 0: none
	LastAt time.Time
}

// Merge returns the later of both histories.
func (h FollowupHistory) Merge(other FollowupHistory) FollowupHistory {
	h.Last = max(h.Last, other.Last)
	if other.LastAt.After(h.LastAt) {
		h.LastAt = other.LastAt
	}
	return h
}

// FollowupWindow returns how long people have been silent, at least and at most,
// to whom a schedule may apply.
func FollowupWindow(schedule []time.Duration) (least, most time.Duration) {
	if len(schedule) == 0 {
		return 0, 0
	}
	return schedule[0], followupHorizon * schedule[len(schedule)-1]
}

// NextFollowup returns the number of the follow-up that is due now to somebody
// who wrote last at silentSince, and since when. Numbers are had in order, one
// at a time: between two lies at least half of the time that lies between their
// delays, so that an outage is not made up for with three mails at once.
func NextFollowup(schedule []time.Duration, silentSince, now time.Time, had FollowupHistory) (number int, dueAt time.Time, due bool) {
	_, most := FollowupWindow(schedule)
	if had.Last >= len(schedule) || silentSince.IsZero() || now.Sub(silentSince) > most {
		return 0, time.Time{}, false
	}
	dueAt = silentSince.Add(schedule[had.Last])
	if had.Last > 0 {
		gap := (schedule[had.Last] - schedule[had.Last-1]) / 2
		if rested := had.LastAt.Add(gap); rested.After(dueAt) {
			dueAt = rested
		}
	}
	return had.Last + 1, dueAt, !now.Before(dueAt)
}

// Validate reports a plan that cannot be stored, as CodeInvalid.
func (p *FollowupPlan) Validate() error {
	switch {
	case p.Number < 1 || p.Number > len(p.Schedule):
		return Errorf(CodeInvalid, "plan follow-up %d: the schedule has %d", p.Number, len(p.Schedule))
	case p.Email == "":
		return Errorf(CodeInvalid, "plan follow-up %d: no address", p.Number)
	}
	return p.Mail.Validate()
}

// FollowupStatuses lists every status.
func FollowupStatuses() []FollowupStatus {
	return []FollowupStatus{
		FollowupQueued, FollowupSending, FollowupSent, FollowupUncertain, FollowupCancelled, FollowupFailed,
	}
}

// Valid reports whether the status exists.
func (s FollowupStatus) Valid() bool { return slices.Contains(FollowupStatuses(), s) }

// Endable reports whether EndFollowup may set the status.
func (s FollowupStatus) Endable() bool {
	return s.Valid() && s != FollowupSending && s != FollowupCancelled
}

// FollowupBegun is what BeginFollowup answers when the stored status is now
// this; "" stands for none.
func FollowupBegun(alertID int64, status FollowupStatus, fence int64) (int64, error) {
	switch status {
	case FollowupSending:
		return fence, nil
	case FollowupSent:
		return 0, nil
	case FollowupCancelled:
		return 0, FollowupRefused(alertID)
	case "":
		return 0, Errorf(CodeRefused, "follow-up of alert %d: its conversation is not there any more", alertID)
	case FollowupUncertain, FollowupQueued, FollowupFailed:
	}
	return 0, Errorf(CodeConflict, "follow-up of alert %d: an earlier attempt may have sent it; it is not repeated by itself", alertID)
}

// FollowupRefused is the answer of a store to whom consent was withdrawn.
func FollowupRefused(alertID int64) error {
	return Errorf(CodeRefused, "follow-up of alert %d: consent was withdrawn, or the person contacted, first", alertID)
}

// FollowupLost is the answer of a store to a fence that is not valid any more.
func FollowupLost(alertID int64) error {
	return Errorf(CodeConflict, "follow-up of alert %d: somebody else has taken it over", alertID)
}
