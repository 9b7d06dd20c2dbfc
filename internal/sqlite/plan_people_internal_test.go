package sqlite

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestQueriesOfLeadsConsentAndRepeatedRequests_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	key := "PRIMARY KEY (scope=? AND key=?)"
	for name, c := range map[string]struct {
		query string
		index []string
	}{
		"lead by id":      {selectLeadByID, []string{"INTEGER PRIMARY KEY"}},
		"change lead":     {changeLead, []string{"INTEGER PRIMARY KEY"}},
		"lead states":     {setLeadStatus, []string{"INTEGER PRIMARY KEY"}},
		"read key":        {readOnce, []string{key}},
		"keep reply":      {keepOnce, []string{key}},
		"abandon key":     {abandonOnce, []string{key}},
		"expired keys":    {deleteExpiredOnce, []string{"idx_idempotency_key_expires (expires_at<?)", key}},
		"same consent":    {sameConsent, []string{"sqlite_autoindex_chat_conversations_1", "idx_consent_audit_conversation (conversation_id=?)"}},
		"last said":       {lastSaid, []string{"idx_consent_audit_conversation (conversation_id=?)"}},
		"revoked lead":    {unprocessLead, []string{"idx_suppression_loose", "INTEGER PRIMARY KEY"}},
		"session's log":   {sessionPerson, []string{"sqlite_autoindex_chat_conversations_1", "sqlite_autoindex_leads_1"}},
		"conversations":   {withdrawConversations, []string{"idx_chat_conversations_email_key (<expr>=?)", "INTEGER PRIMARY KEY"}},
		"leads":           {withdrawLeads, []string{"idx_leads_email_key (<expr>=?)", "INTEGER PRIMARY KEY"}},
		"outdate turns":   {outdateTurns, []string{"idx_leads_email_key (<expr>=?)", "sqlite_autoindex_chat_conversations_1"}},
		"audit log":       {auditPage, []string{"INTEGER PRIMARY KEY (rowid>?)"}},
		"suppressed lead": {unmarketLead, []string{"idx_suppression_loose", "INTEGER PRIMARY KEY"}},
		"status": {consentStatus, []string{
			"idx_chat_conversations_email_key (<expr>=?)", "idx_leads_email_key (<expr>=?)",
			"idx_consent_audit_email (<expr>=?)", "idx_suppression_loose",
		}},
	} {
		got := plan(t, s, c.query)
		wantPlan(t, name, got, c.index...)
		for _, table := range []string{"leads", "chat_conversations", "consent_audit_log", "suppression", "idempotency_key"} {
			if strings.Contains(got, "SCAN "+table) && !strings.Contains(got, "SCAN "+table+" USING") {
				t.Errorf("%s reads all of %s:\n%s", name, table, got)
			}
		}
	}
}

func TestListsOfLeads_AreReadInOrderFromAnIndex(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for name, c := range map[string]struct {
		filter chatops.LeadFilter
		index  string
	}{
		"newest": {chatops.LeadFilter{}, "idx_leads_created"},
		"oldest": {chatops.LeadFilter{Ascending: true}, "idx_leads_created"},
		"since":  {chatops.LeadFilter{Since: time.Now()}, "idx_leads_created (created_at>?)"},
		"status": {chatops.LeadFilter{Status: chatops.LeadNew}, "idx_leads_status (status=?)"},
	} {
		q, err := newLeadQuery(&c.filter)
		if err != nil {
			t.Fatal(err)
		}
		got := plan(t, s, q.page(), append(q.args, 50, 0)...)
		wantPlan(t, name, got, c.index)
		if strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s is sorted:\n%s", name, got)
		}
	}
}
