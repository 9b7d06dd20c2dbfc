package postgres

import (
	"fmt"
	"testing"
	"time"
)

func TestPlans_OfFollowups_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	who := []string{"jan7@example.pl"}
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"silent people": {
			selectSilent,
			[]any{nil, 86_400_000_000, 604_800_000_000, time.Now().Add(-200 * time.Hour), 5, 20},
			[]string{"idx_chat_conversations_silent", "idx_chat_conversations_email_key", "idx_leads_email_key", "uq_leads_session"},
		},
		"silent person": {lockSilent, []any{nil, 7, "Jan7@example.pl"}, []string{"chat_conversations_pkey"}},
		"had by person": {selectHistories, []any{who}, []string{"uq_followup_person"}},
		"suppressed":    {selectSuppressed, []any{who}, []string{"idx_suppression_loose"}},
		"begin":         {beginFollowup, []any{7}, []string{"uq_followup_alert"}},
		"address":       {followupAddress, []any{7}, []string{"uq_followup_alert", "chat_conversations_pkey"}},
		"check":         {checkFollowup, []any{7, 1, "x"}, []string{"uq_followup_alert", "chat_conversations_pkey", "dead_letter_queue_pkey"}},
		"end":           {endFollowup, []any{nil, 7, 1, "sent"}, []string{"uq_followup_alert"}},
		"next pairs":    {archiveDuplicates, []any{7, 1, 10}, nil},
	} {
		for _, generic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/generic=%v", name, generic), func(t *testing.T) {
				wantPlan(t, explain(t, conn, generic, c.sql, c.args...), c.indexes...)
			})
		}
	}
}
