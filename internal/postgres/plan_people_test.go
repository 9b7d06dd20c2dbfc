package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestPlans_OfLeadsConsentAndRepeatedRequests_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	who := []string{"jan7@example.pl"}
	ids := []int64{10, 20, 30}
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"lead by id":    {selectLeadByID, []any{7}, []string{"leads_pkey"}},
		"update lead":   {updateLead, []any{nil, 7, "x", nil, nil, nil, nil, nil, nil, nil, nil, nil}, []string{"leads_pkey"}},
		"lead states":   {setLeadStatus, []any{nil, ids, "lost"}, []string{"leads_pkey"}},
		"claim key":     {claimOnce, []any{nil, "chat", "k1", "b", "o", 1, 1}, nil},
		"read key":      {readOnce, []any{"chat", "k1"}, []string{"idempotency_key_pkey"}},
		"keep reply":    {keepTurn, []any{nil, "chat", "k1", "o", 200, "r", 1, "s7"}, []string{"idempotency_key_pkey", "uq_chat_conversations_session"}},
		"abandon key":   {abandonOnce, []any{"chat", "k1", "o"}, []string{"idempotency_key_pkey"}},
		"expired keys":  {deleteExpiredOnce, []any{nil, 50}, []string{"idx_idempotency_key_expires"}},
		"same consent":  {sameConsent, []any{"s7", true, "x"}, []string{"uq_chat_conversations_session", "idx_consent_audit_conversation"}},
		"session's log": {auditSession, []any{nil, "s7", "x", "", "", ""}, []string{"uq_chat_conversations_session", "uq_leads_session"}},
		"said in a turn": {
			auditTurn,
			[]any{nil, "s7", "x", "", "", "", "", "x", "y", true, false},
			[]string{"uq_chat_conversations_session", "uq_leads_session", "idx_consent_audit_conversation"},
		},
		"said with a form": {auditLead, []any{nil, "s7", "x", "", "", "", "", "x", "y", true, false}, []string{"uq_leads_session"}},
		"withdraw conversations": {
			withdrawConversations,
			[]any{who, 7, true},
			[]string{"idx_chat_conversations_email_key", "chat_conversations_pkey"},
		},
		"withdraw leads": {withdrawLeads, []any{nil, who, 7, true}, []string{"idx_leads_email_key", "leads_pkey"}},
		"outdate turns":  {outdateTurns, []any{who, 7, true}, []string{"idx_leads_email_key", "uq_chat_conversations_session"}},
		"audit log":      {auditPage, []any{7, 100}, []string{"consent_audit_log_pkey"}},
		"consent status": {
			consentStatus,
			[]any{who, []string{"jan7@example.pl"}},
			[]string{"idx_chat_conversations_email_key", "idx_leads_email_key", "idx_consent_audit_email", "idx_suppression_loose"},
		},
	} {
		for _, generic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/generic=%v", name, generic), func(t *testing.T) {
				wantPlan(t, explain(t, conn, generic, c.sql, c.args...), c.indexes...)
			})
		}
	}
}

func TestPlans_OfLeadLists_AreOrderedIndexScans(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		f     chatops.LeadFilter
		index string
	}{
		"newest": {chatops.LeadFilter{}, "idx_leads_created"},
		"oldest": {chatops.LeadFilter{Ascending: true}, "idx_leads_created"},
		"since":  {chatops.LeadFilter{Since: time.Now().Add(-time.Hour)}, "idx_leads_created"},
		"status": {chatops.LeadFilter{Status: chatops.LeadNew}, "idx_leads_status"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := newLeadQuery(&c.f)
			if err != nil {
				t.Fatal(err)
			}
			sql, args := q.page(0, 50)
			plan := explain(t, conn, false, sql, args...)
			wantPlan(t, plan, c.index)
			if strings.Contains(plan, "Sort") {
				t.Errorf("the page is sorted:\n%s", plan)
			}
		})
	}
}
