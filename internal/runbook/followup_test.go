package runbook

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// fakeFollowups are the follow-ups of a fakeStore.
type fakeFollowups struct {
	due        []chatops.DueFollowup
	list       []chatops.Followup
	query      chatops.DueQuery
	duplicates []chatops.FollowupDuplicate
	missing    bool  // the constraint
	fixErr     error // and the duplicates stay
	stays      bool  // so do they
}

func (f *fakeStore) DueFollowups(_ context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error) {
	f.planned.query = q
	return f.planned.due[:min(q.Limit, len(f.planned.due))], f.err
}

func (f *fakeStore) Followups(_ context.Context, id int64, status chatops.FollowupStatus, limit int) ([]chatops.Followup, error) {
	var list []chatops.Followup
	for _, one := range f.planned.list {
		if (id == 0 || one.ConversationID == id) && (status == "" || one.Status == status) && len(list) < limit {
			list = append(list, one)
		}
	}
	return list, f.err
}

func (f *fakeStore) FollowupDuplicates(_ context.Context, fn func(chatops.FollowupDuplicate) error) (bool, error) {
	for _, d := range f.planned.duplicates {
		if err := fn(d); err != nil {
			return false, err
		}
	}
	return !f.planned.missing, f.err
}

func (f *fakeStore) FixFollowupDuplicates(context.Context) (int64, error) {
	if f.planned.fixErr != nil || f.planned.stays {
		return 1, f.planned.fixErr
	}
	f.planned.duplicates, f.planned.missing = nil, false
	return 3, nil
}

func withFollowups() *fakeStore {
	s := newFakeStore()
	silent := noon.Add(-25 * time.Hour)
	s.planned.due = []chatops.DueFollowup{
		{ConversationID: 7, SessionID: "secret-session", Email: "Jan.Nowak@firma.example", Name: "Jan", Language: "pl", Number: 1, SilentSince: silent, DueAt: silent.Add(24 * time.Hour)},
		{ConversationID: 9, Email: "eve@x.example", Language: "en", Number: 2, SilentSince: silent, DueAt: noon},
	}
	s.planned.list = []chatops.Followup{
		{ID: 3, ConversationID: 9, Number: 2, Status: chatops.FollowupUncertain, SentAt: noon, AlertID: 41},
		{ID: 1, ConversationID: 7, Number: 1, Status: chatops.FollowupSent, SentAt: silent},
	}
	s.planned.duplicates = []chatops.FollowupDuplicate{
		{ConversationID: 7, Number: 1, Count: 3, IDs: []int64{1, 2, 5}}, {ConversationID: 9, Number: 2, Count: 2, IDs: []int64{3, 4}},
	}
	s.planned.missing = true
	return s
}

func TestFollowupDue_MasksAddressesUnlessRevealed(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "jsonl", "table", "wide", "csv", "yaml"} {
		c := newConsole(t, withFollowups())
		c.must(exitOK, "followup due -o "+format)
		if out := c.out.String(); strings.Contains(out, "Nowak") || strings.Contains(out, "secret") || !strings.Contains(out, "J***@f***.example") {
			t.Errorf("%s: %s", format, out)
		}
		if n := len(c.store.actions); n != 0 {
			t.Errorf("%d actions on record", n)
		}
	}
}

func TestFollowupDue_PutsEachLookAtAPersonOnRecord(t *testing.T) {
	t.Parallel()
	const ask = "followup due -o json --purpose asks:jan.nowak@firma.example"
	c := newConsole(t, withFollowups())
	c.must(exitOK, ask+" --reveal --limit 1")
	if out := c.out.String(); !strings.Contains(out, "Jan.Nowak@firma.example") || strings.Contains(out, "eve@") {
		t.Errorf("revealed %s", out)
	}
	if q := c.store.planned.query; len(q.Schedule) != 3 || q.Schedule[0] != 24*time.Hour {
		t.Errorf("asked for %+v", q)
	}
	again := c.store.planned.due[0]
	again.ConversationID, again.Email = 8, "jan.nowak@FIRMA.example"
	c.store.planned.due = append(c.store.planned.due, again)
	c.must(exitOK, ask+" --reveal")
	jan := c.store.people.access[0]
	if jan.Actor == "" || jan.Command != "followup due" || strings.Contains(jan.Purpose, "nowak") ||
		jan.Subject == "" || strings.Contains(jan.Subject, "@") || !jan.At.Equal(noon) {
		t.Errorf("on record: %+v", jan)
	}
	if a := c.store.people.access; len(a) != 3 || a[1].Subject != jan.Subject || a[2].Subject == jan.Subject {
		t.Errorf("each person is on record once for each command: %+v", a)
	}
	c = newConsole(t, withFollowups())
	c.store.people.accessErr = errors.New("no")
	c.must(exitFailed, ask+" --reveal")
	c.must(exitUsage, ask)
	c.must(exitUsage, "followup due --reveal")
	if c.out.Len() > 0 {
		t.Errorf("shown without a record: %s", &c.out)
	}
}

func TestFollowupList_FiltersAndNamesTheAlert(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withFollowups())
	c.must(exitOK, "followup list -o jsonl")
	want := `{"id":3,"conversation_id":9,"followup_number":2,"status":"uncertain","sent_at":"2026-03-10T12:00:00Z","alert_id":41}` + "\n" +
		`{"id":1,"conversation_id":7,"followup_number":1,"status":"sent","sent_at":"2026-03-09T11:00:00Z","alert_id":null}` + "\n"
	if c.out.String() != want {
		t.Errorf("%s, want %s", &c.out, want)
	}
	for line, want := range map[string]string{"--status uncertain": "3", "--conversation 7": "1", "--limit 1": "3"} {
		c := newConsole(t, withFollowups())
		c.must(exitOK, "followup list --no-headers "+line)
		if out := c.out.String(); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, want+"\t") {
			t.Errorf("%s: %q", line, out)
		}
	}
	for _, line := range []string{"followup list --status gone", "followup list --limit 0", "followup list --conversation -1", "followup due --limit 1001", "followup duplicates --limit 0"} {
		newConsole(t, withFollowups()).must(exitUsage, line)
	}
}

func TestFollowupDuplicates_TellsInItsContract(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withFollowups())
	c.must(exitFinding, "followup duplicates -o json")
	want := `{
  "constraint_present": false,
  "duplicates": [
    {
      "conversation_id": 7,
      "followup_number": 1,
      "count": 3,
      "ids": [
        1,
        2,
        5
      ]
    },
    {
      "conversation_id": 9,
      "followup_number": 2,
      "count": 2,
      "ids": [
        3,
        4
      ]
    }
  ]
}
`
	if c.out.String() != want {
		t.Errorf("%s", &c.out)
	}
	c.says("uq_conversation_followup is missing", "2 duplicated pairs with 3 extra rows", "chatops followup duplicates --fix")
	c = newConsole(t, withFollowups())
	c.must(exitFinding, "followup duplicates --limit 1")
	c.says("there are 1 more pairs: --limit")
	c = newConsole(t, newFakeStore())
	c.must(exitOK, "followup duplicates")
	if out := c.out.String(); !strings.Contains(out, "is there; no duplicates") {
		t.Errorf("%s", out)
	}
}

func TestFollowupDuplicates_FixesAfterAQuestion(t *testing.T) {
	t.Parallel()
	c := newConsole(t, withFollowups())
	c.must(exitRefused, "followup duplicates --fix")
	c.says("archive 3 extra rows of followup_event and restore uq_conversation_followup", "not confirmed")
	c = newConsole(t, withFollowups())
	c.must(exitFinding, "followup duplicates --fix --dry-run")
	if len(c.store.planned.duplicates) == 0 || len(c.store.actions) != 0 {
		t.Error("a dry run has changed something")
	}
	c = newConsole(t, withFollowups())
	c.must(exitOK, "followup duplicates --fix --yes --reason dropped")
	if a := c.store.actions; len(a) != 1 || a[0].Result != "ok: 3 rows archived, constraint restored" || a[0].Reason != "dropped" {
		t.Errorf("on record: %+v", a)
	}
	c = newConsole(t, withFollowups())
	c.store.planned.fixErr = chatops.Errorf(chatops.CodeUnavailable, "restore: too busy")
	c.must(exitUnavailable, "followup duplicates --fix --yes")
	c.says("1 rows archived before it went wrong")
	c = newConsole(t, withFollowups())
	c.store.planned.stays = true
	c.must(exitFinding, "followup duplicates --fix --yes")
	c.says("afterwards still")
}
