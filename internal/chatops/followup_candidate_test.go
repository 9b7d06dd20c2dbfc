package chatops_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// drawCandidates draws people, the longest silent first, as a query orders them.
func drawCandidates(t *rapid.T) []chatops.FollowupCandidate {
	list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chatops.FollowupCandidate {
		c := chatops.FollowupCandidate{Now: jobNoon, Barred: rapid.Bool().Draw(t, "barred")}
		c.SilentSince = jobNoon.Add(-time.Duration(rapid.IntRange(0, 400).Draw(t, "hours")) * time.Hour)
		if c.Had.Last = rapid.IntRange(0, 4).Draw(t, "last"); c.Had.Last > 0 {
			c.Had.LastAt = jobNoon.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "since")) * time.Hour)
		}
		return c
	}), 0, 40).Draw(t, "people")
	slices.SortStableFunc(list, func(a, b chatops.FollowupCandidate) int { return a.SilentSince.Compare(b.SilentSince) })
	for i := range list {
		list[i].ConversationID = int64(i + 1)
	}
	return list
}

// after is what a query returns of the list: a page behind the cursor.
func after(list []chatops.FollowupCandidate, at chatops.DueCursor, limit int) []chatops.FollowupCandidate {
	i := slices.IndexFunc(list, func(c chatops.FollowupCandidate) bool {
		return cmp.Or(c.SilentSince.Compare(at.SilentSince), cmp.Compare(c.ConversationID, at.ConversationID)) > 0
	})
	if i < 0 {
		return nil
	}
	return slices.Clone(list[i:min(i+limit, len(list))])
}

// Whatever the size of the pages: together they hold everybody to whom the rule
// says something is due, once, in order, and nobody else.
func TestCollectDue_PagesHoldExactlyWhoIsDueInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list, limit := drawCandidates(t), rapid.IntRange(1, 50).Draw(t, "limit")
		var want, got []int64
		for _, c := range list {
			if _, _, due := chatops.NextFollowup(followupSchedule, c.SilentSince, c.Now, c.Had); due && !c.Barred {
				want = append(want, c.ConversationID)
			}
		}
		q := chatops.DueQuery{Schedule: followupSchedule, Limit: limit}
		for {
			page, err := chatops.CollectDue(q, func(at chatops.DueCursor) ([]chatops.FollowupCandidate, error) {
				return after(list, at, limit), nil
			})
			if err != nil || len(page) > limit {
				t.Fatalf("a page of %d, limit %d: %v", len(page), limit, err)
			}
			for i := range page {
				got = append(got, page[i].ConversationID)
				if page[i].Number < 1 || page[i].DueAt.After(jobNoon) {
					t.Fatalf("number %d is due at %v", page[i].Number, page[i].DueAt)
				}
			}
			if len(page) < limit {
				break
			}
			q.After = page[len(page)-1].Cursor()
		}
		if !slices.Equal(got, want) {
			t.Fatalf("pages of %d hold %v, due are %v", limit, got, want)
		}
	})
}

func TestCollectDue_AsksNothingWithoutALimitOrASchedule(t *testing.T) {
	t.Parallel()
	asked := func(chatops.DueCursor) ([]chatops.FollowupCandidate, error) {
		t.Error("candidates were asked for")
		return nil, nil
	}
	for _, q := range []chatops.DueQuery{{Schedule: followupSchedule}, {Limit: 10}, {Schedule: followupSchedule, Limit: -1}} {
		if due, err := chatops.CollectDue(q, asked); due != nil || err != nil {
			t.Errorf("%+v gives %v, %v", q, due, err)
		}
	}
	broken := errors.New("broken")
	_, err := chatops.CollectDue(chatops.DueQuery{Schedule: followupSchedule, Limit: 1},
		func(chatops.DueCursor) ([]chatops.FollowupCandidate, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

func TestFollowupPlan_HoldsOnlyForTheNumberThatIsDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range drawCandidates(t) {
			n, _, due := chatops.NextFollowup(followupSchedule, c.SilentSince, c.Now, c.Had)
			p := chatops.FollowupPlan{Number: rapid.IntRange(0, 4).Draw(t, "number"), Schedule: followupSchedule}
			if holds := p.Holds(&c); holds != (due && !c.Barred && n == p.Number) {
				t.Fatalf("the plan of number %d holds: %v, for %+v", p.Number, holds, c)
			}
		}
	})
}

func TestFollowupCandidate_KnowsNameAndLanguage(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string][2]string{
		`{"name":"Jan","language":"en"}`: {"Jan", "en"},
		`{"name":"Jan","language":"de"}`: {"Jan", "pl"},
		`{"name":7,"language":"en"}`:     {"", "en"},
		``:                               {"", "pl"},
		`{"name":`:                       {"", "pl"},
	} {
		var c chatops.FollowupCandidate
		if c.Know(stored); c.Name != want[0] || c.Language != want[1] {
			t.Errorf("%s gives %q and %q", stored, c.Name, c.Language)
		}
	}
}

func TestDecodeFacts_LeavesOutWhatHasAnotherType(t *testing.T) {
	t.Parallel()
	f, err := chatops.DecodeFacts(`{"city":"Gdynia","budget":"much","square_meters":54}`)
	if err != nil || f.City != "Gdynia" || f.SquareMeters != 54 || f.Budget != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := chatops.DecodeFacts(""); err != nil || f != (chatops.Facts{}) {
		t.Errorf("nothing gives %+v, %v", f, err)
	}
	if _, err := chatops.DecodeFacts(`{"city":`); chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("half of an object: %v", err)
	}
}
