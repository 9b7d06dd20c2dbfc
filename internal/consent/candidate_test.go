package consent

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// Whatever spellings people have used: what is known of a mailbox reaches
// everybody of that mailbox, whatever the order, and nobody else.
func TestCandidates_ShareWhatIsKnownOfTheirMailbox(t *testing.T) {
	t.Parallel()
	spellings := []string{"jan@gmail.com", "J.an+x@googlemail.com", "JAN@gmail.com", "ewa@firma.example", "ewa+a@firma.example", "nobody"}
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	mark := func(key string) []string { return []string{"mark of " + LooseKey(key)} }
	rapid.Check(t, func(t *rapid.T) {
		addresses := rapid.SliceOf(rapid.SampledFrom(spellings)).Draw(t, "addresses")
		list := make([]chatops.FollowupCandidate, len(addresses))
		for i, a := range addresses {
			list[i].Email = a
		}
		c := NewCandidates(list, func(key string) Mailbox { return NewMailbox(key, mark) })
		person := LooseKey(KeyOf(rapid.SampledFrom(spellings).Draw(t, "written to")))
		had := chatops.FollowupHistory{Last: rapid.IntRange(1, 3).Draw(t, "number"), LastAt: noon}
		barred := LooseKey(KeyOf(rapid.SampledFrom(spellings).Draw(t, "suppressed")))
		c.Had(person, had)
		c.Had(person, chatops.FollowupHistory{Last: 1, LastAt: noon.Add(-time.Hour)})
		c.Bar(rapid.SampledFrom([]string{barred, "mark of " + barred}).Draw(t, "by"))
		for i, a := range addresses {
			own := LooseKey(KeyOf(a))
			if list[i].Barred != (own == barred) || (list[i].Had == had) != (own == person) {
				t.Fatalf("%s is %+v; %s has had %+v, %s is suppressed", a, list[i], person, had, barred)
			}
			if !slices.Contains(c.People(), own) || !slices.Contains(c.Marks(), own) || !slices.Contains(c.Marks(), "mark of "+own) {
				t.Fatalf("of %s is not asked: %q, %q", a, c.People(), c.Marks())
			}
		}
	})
}
