package chatops

import "time"

// FollowupCandidate is a conversation that may be followed up, as far as a query
// can say it. What else is known of its person decides.
type FollowupCandidate struct {
	DueFollowup

	Had    FollowupHistory
	Barred bool      // the address is suppressed
	Now    time.Time // by the store's clock, when it was looked at
}

// Know takes the name and the language that the stored facts hold. Facts that
// cannot be read say nothing, and stop nobody's mail.
func (c *FollowupCandidate) Know(storedFacts string) {
	if f, err := DecodeFacts(storedFacts); err == nil {
		c.Name, c.Language = f.Name, f.Language
	}
	if c.Language != "en" {
		c.Language = "pl"
	}
}

// Due completes the follow-up with its number; false: none is due.
func (c *FollowupCandidate) Due(schedule []time.Duration) (due bool) {
	c.Number, c.DueAt, due = NextFollowup(schedule, c.SilentSince, c.Now, c.Had)
	return due && !c.Barred
}

// Holds reports whether the plan is still what is due to the candidate.
func (p *FollowupPlan) Holds(c *FollowupCandidate) bool {
	return c.Due(p.Schedule) && c.Number == p.Number
}

// CollectDue returns the page of due follow-ups that q asks for. It reads pages
// of q.Limit candidates until it is full, because not all that decides is known
// to a query; a shorter page of candidates is the last.
func CollectDue(q DueQuery, page func(after DueCursor) ([]FollowupCandidate, error)) ([]DueFollowup, error) {
	var due []DueFollowup
	if q.Limit <= 0 || len(q.Schedule) == 0 {
		return nil, nil
	}
	for after := q.After; ; {
		list, err := page(after)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if !list[i].Due(q.Schedule) {
				continue
			}
			if due = append(due, list[i].DueFollowup); len(due) == q.Limit {
				return due, nil
			}
		}
		if len(list) < q.Limit {
			return due, nil
		}
		after = list[len(list)-1].Cursor()
	}
}
