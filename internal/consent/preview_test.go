package consent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// Whatever the rows of a dry run and whoever is suppressed: exactly the follow-ups
// to a suppressed mailbox are withdrawn, and no alert is lost or counted twice.
func TestAddressees_AreWithdrawnWhereTheirMailboxIsSuppressed(t *testing.T) {
	t.Parallel()
	spellings := []string{"jan@gmail.com", "J.an+x@googlemail.com", "ewa@firma.example", "ewa+a@firma.example", ""}
	rapid.Check(t, func(t *rapid.T) {
		var to Addressees
		p := &chatops.Preview{}
		barred := LooseKey(KeyOf(rapid.SampledFrom(spellings[:4]).Draw(t, "suppressed")))
		id, want := int64(0), int64(0)
		for row := range rapid.IntRange(0, 6).Draw(t, "rows") {
			r := chatops.PreviewRow{Fingerprint: fmt.Sprint(row), EventType: chatops.EventFollowup, Withdrawn: rapid.Bool().Draw(t, "withdrawn")}
			var mails []map[string]any
			for _, email := range rapid.SliceOfN(rapid.SampledFrom(spellings), 1, 5).Draw(t, "to") {
				id++
				r.Count, r.Newest = r.Count+1, id
				mails = append(mails, map[string]any{"id": id, "email": email})
				if r.Withdrawn || LooseKey(KeyOf(email)) == barred {
					want++
				}
			}
			p.Rows = append(p.Rows, r)
			list, err := json.Marshal(mails)
			if err != nil {
				t.Fatal(err)
			}
			if err := to.Add(row, string(list)); err != nil {
				t.Fatal(err)
			}
		}
		p.Rows = append(p.Rows, chatops.PreviewRow{EventType: chatops.EventSlackAlert, Count: 7, Newest: 1000})
		if err := to.Add(len(p.Rows)-1, ""); err != nil {
			t.Fatal(err)
		}
		c := to.Candidates(func(key string) Mailbox { return NewMailbox(key, nil) })
		c.Bar(barred)
		to.Withdraw(p)
		all := p.Sum(func(*chatops.PreviewRow) bool { return true })
		withdrawn := p.Sum(func(r *chatops.PreviewRow) bool { return r.Withdrawn })
		if all != id+7 || withdrawn != want {
			t.Fatalf("%d of %d are withdrawn, want %d of %d: %+v", withdrawn, all, want, id+7, p.Rows)
		}
		newest := int64(0)
		for _, r := range p.Rows {
			if r.Count < 1 || r.Newest < 1 {
				t.Fatalf("an empty row: %+v", r)
			}
			if r.EventType == chatops.EventFollowup {
				newest = max(newest, r.Newest)
			}
		}
		if newest != id {
			t.Fatalf("the newest is %d, want %d", newest, id)
		}
	})
}

func TestAddressees_ThatCannotBeReadAreAnErrorWithoutThem(t *testing.T) {
	t.Parallel()
	var to Addressees
	err := to.Add(0, `[{"id": "x", "email": "jan@x.pl"}]`)
	if chatops.ErrorCode(err) != chatops.CodeInternal || strings.Contains(err.Error(), "jan") {
		t.Errorf("it is %v", err)
	}
}
