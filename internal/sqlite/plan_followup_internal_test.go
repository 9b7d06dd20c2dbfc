package sqlite

import (
	"strings"
	"testing"
)

func TestQueriesOfFollowups_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for name, c := range map[string]struct {
		query string
		index []string
	}{
		"silent people": {selectSilent, []string{
			"idx_chat_conversations_silent (last_user_message_at>? AND last_user_message_at<?)",
			"idx_chat_conversations_email_key (<expr>=?)", "idx_leads_email_key (<expr>=?)", "sqlite_autoindex_leads_1",
		}},
		"silent person": {selectSilentOne, []string{"INTEGER PRIMARY KEY", "idx_chat_conversations_email_key (<expr>=?)"}},
		"had by person": {selectHistories, []string{"uq_followup_person (person_key=?)"}},
		"suppressed":    {selectSuppressed, []string{"idx_suppression_loose"}},
		"begin":         {beginFollowup, []string{"uq_followup_alert (alert_id=?)"}},
		"check":         {checkFollowup, []string{"uq_followup_alert (alert_id=?)", "INTEGER PRIMARY KEY"}},
		"end":           {endFollowup, []string{"uq_followup_alert (alert_id=?)"}},
	} {
		got := plan(t, s, c.query)
		wantPlan(t, name, got, c.index...)
		for _, table := range []string{"leads", "chat_conversations", "suppression", "followup_event"} {
			if strings.Contains(got, "SCAN "+table) && !strings.Contains(got, "SCAN "+table+" USING") {
				t.Errorf("%s reads all of %s:\n%s", name, table, got)
			}
		}
	}
}
