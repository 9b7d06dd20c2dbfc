package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Only what looks into documents, for a person's name anywhere in them, may read
// a whole table.
func TestPlans_OfErasures_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	who, sessions, ids := []string{"jan7@example.pl"}, []string{"s7", "s8"}, []int64{10, 20, 30}
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"person's conversations": {
			personConversations,
			[]any{who},
			[]string{"idx_chat_conversations_email_key", "idx_leads_email_key", "uq_chat_conversations_session"},
		},
		"person's leads":     {personLeads, []any{who, sessions}, []string{"idx_leads_email_key", "uq_leads_session"}},
		"messages":           {countMessages, []any{ids}, []string{"idx_chat_messages_conversation"}},
		"follow-ups":         {countFollowups, []any{ids}, []string{"conversation"}},
		"conversations":      {deleteConversations, []any{ids}, []string{"chat_conversations_pkey"}},
		"leads":              {emptyLeads, []any{nil, ids}, []string{"leads_pkey"}},
		"items at Monday":    {leadItems, []any{ids}, []string{"leads_pkey"}},
		"audit":              {emptyAudit, []any{who, ids, ids}, []string{"idx_consent_audit_email", "idx_consent_audit_conversation", "idx_consent_audit_lead"}},
		"own suppression":    {deleteSuppression, []any{who}, []string{"uq_suppression"}},
		"marks":              {markErased, []any{nil, []string{"hmac:a", "hmac:b"}, "all"}, nil},
		"request to delete":  {queuedAlert, []any{"monday_delete:7"}, []string{"uq_dlq_idempotency"}},
		"person's documents": {listAudit, []any{who, ids, ids}, []string{"idx_consent_audit_email"}},
	} {
		for _, generic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/generic=%v", name, generic), func(t *testing.T) {
				wantPlan(t, explain(t, conn, generic, c.sql, c.args...), c.indexes...)
			})
		}
	}
}

// When much is old, a batch of retention reads an index until it is full, in the
// order in which others lock the rows, and removes them by key.
func TestPlans_OfRetention_AreBoundedByTheirBatch(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	//nolint:paralleltest // they share one connection
	for table, p := range purges {
		t.Run(table, func(t *testing.T) {
			plan := explain(t, conn, false, fmt.Sprintf(p.act, p.old), time.Now().Add(time.Hour), 500)
			wantPlan(t, plan, table+"_pkey")
			if strings.Contains(plan, "Sort") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("a batch reads the whole table:\n%s", plan)
			}
		})
	}
}
