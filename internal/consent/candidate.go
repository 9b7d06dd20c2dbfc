package consent

import (
	"maps"
	"slices"

	"chatops/internal/chatops"
)

// Candidates join people who may be followed up to what is known of their
// mailboxes: what a mailbox has had and whether it is suppressed hold for every
// spelling of its address.
type Candidates struct {
	people, marked map[string][]*chatops.FollowupCandidate
}

// NewCandidates looks at a list, whose elements Had and Bar change; mailbox
// makes the Mailbox of a key.
func NewCandidates(list []chatops.FollowupCandidate, mailbox func(emailKey string) Mailbox) *Candidates {
	c := &Candidates{people: map[string][]*chatops.FollowupCandidate{}, marked: map[string][]*chatops.FollowupCandidate{}}
	for i := range list {
		key := KeyOf(list[i].Email)
		loose := LooseKey(key)
		c.people[loose] = append(c.people[loose], &list[i])
		for _, mark := range mailbox(key).Suppressing {
			c.marked[mark] = append(c.marked[mark], &list[i])
		}
	}
	return c
}

// People are what followup_event.person_key is of their mailboxes.
func (c *Candidates) People() []string { return slices.AppendSeq([]string{}, maps.Keys(c.people)) }

// Marks are what suppression.loose_key is where one of them is suppressed.
func (c *Candidates) Marks() []string { return slices.AppendSeq([]string{}, maps.Keys(c.marked)) }

// Had notes what a person has had.
func (c *Candidates) Had(person string, had chatops.FollowupHistory) {
	for _, p := range c.people[person] {
		p.Had = p.Had.Merge(had)
	}
}

// Bar notes that a mark is suppressed.
func (c *Candidates) Bar(mark string) {
	for _, p := range c.marked[mark] {
		p.Barred = true
	}
}
