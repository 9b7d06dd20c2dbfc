package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// withoutUnique replaces the table of events by one without the constraint, as
// an older program may have made it. Both engines understand the statements.
func (e *env) withoutUnique() {
	e.t.Helper()
	columns := "id, conversation_id, followup_number, status, sent_at, alert_id, person_key, fence"
	for statement := range strings.SplitSeq(`
		CREATE TABLE followup_old AS SELECT `+columns+` FROM followup_event;
		DROP TABLE followup_event;
		CREATE TABLE followup_event AS SELECT `+columns+` FROM followup_old;
		DROP TABLE followup_old`, ";") {
		e.exec(statement)
	}
}

func (e *env) duplicates() (list []string, constraint bool) {
	e.t.Helper()
	constraint, err := e.store.FollowupDuplicates(e.ctx, func(d chatops.FollowupDuplicate) error {
		list = append(list, fmt.Sprintf("%d/%d x%d %v", d.ConversationID, d.Number, d.Count, d.IDs))
		return nil
	})
	e.must(err)
	return list, constraint
}

func duplicatesFixed(e *env) {
	c := e.silence("a", anna, 25*hour)
	e.plan(c, 1)
	if list, constraint := e.duplicates(); len(list) != 0 || !constraint {
		e.t.Fatalf("a new database has duplicates %v, constraint %v", list, constraint)
	}
	if n, err := e.store.FixFollowupDuplicates(e.ctx); n != 0 || err != nil {
		e.t.Fatalf("nothing to fix: %d, %v", n, err)
	}
	e.withoutUnique()
	kept := e.followup(c, 1).ID
	early, late := e.clock.Peek().Add(-48*hour).Format(sqlTime), e.clock.Peek().Add(48*hour).Format(sqlTime)
	for i, row := range []struct {
		id, conversation, number int64
		at                       string
	}{
		{1001, c.ID, 1, late}, {1002, c.ID, 1, late}, {1003, c.ID, 2, late},
		{1004, c.ID + 1, 1, late}, {1005, c.ID + 1, 1, early},
	} {
		e.exec(fmt.Sprintf(`INSERT INTO followup_event (id, conversation_id, followup_number, status, sent_at, fence)
			VALUES (%d, %d, %d, 'sent', '%s', %d)`, row.id, row.conversation, row.number, row.at, i))
	}
	want := fmt.Sprintf("[%d/1 x3 [%d 1001 1002] %d/1 x2 [1005 1004]]", c.ID, kept, c.ID+1)
	if list, constraint := e.duplicates(); constraint || fmt.Sprint(list) != want {
		e.t.Fatalf("found %v, constraint %v; want %s", list, constraint, want)
	}
	stop := errors.New("enough")
	if _, err := e.store.FollowupDuplicates(e.ctx, func(chatops.FollowupDuplicate) error { return stop }); !errors.Is(err, stop) {
		e.t.Fatalf("the caller's error came back as %v", err)
	}
	n, err := e.store.FixFollowupDuplicates(e.ctx)
	if e.must(err); n != 3 {
		e.t.Fatalf("archived %d, want 3", n)
	}
	if list, constraint := e.duplicates(); len(list) != 0 || !constraint {
		e.t.Fatalf("afterwards %v, constraint %v", list, constraint)
	}
	if n := e.count(`SELECT COUNT(*) FROM followup_event WHERE id IN (1003, 1005) OR alert_id IS NOT NULL`); n != 3 {
		e.t.Fatalf("%d of the earliest were kept, want 3", n)
	}
	if n := e.count(`SELECT COUNT(*) FROM adoption_archive WHERE table_name = 'followup_event' AND row_id IN (1001, 1002, 1004)`); n != 3 {
		e.t.Fatalf("%d rows archived, want 3", n)
	}
	_, err = e.harness.SQL.ExecContext(e.ctx, fmt.Sprintf(
		`INSERT INTO followup_event (id, conversation_id, followup_number, status, sent_at) VALUES (9, %d, 1, 'sent', '%s')`,
		c.ID, time.Now().UTC().Format(sqlTime)))
	if err == nil {
		e.t.Fatal("another duplicate was stored")
	}
}
