package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// plan explains a query, one step per line.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	for n := strings.Count(query, "?") - len(args); n > 0; n-- {
		args = append(args, nil) // a plan does not depend on values
	}
	if numbered := strings.Contains(query, "?1"); numbered {
		args = args[:0]
		for n := 1; strings.Contains(query, fmt.Sprint("?", n)); n++ {
			args = append(args, nil)
		}
	}
	rows, err := s.readPool.QueryContext(t.Context(), "explain query plan "+query, args...)
	var steps []string
	err = eachRow(rows, err, func(row scanner) error {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		steps = append(steps, detail)
		return err
	})
	if err != nil {
		t.Fatalf("explain %s: %v", query, err)
	}
	return strings.Join(steps, "\n")
}

// TestHotQueries_UseTheirIndexes notices a lost index, or a change of a query
// that makes SQLite leave it aside.
func TestHotQueries_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for name, c := range map[string]struct {
		query string
		index []string
	}{
		"conversation":    {selectConversation, []string{"sqlite_autoindex_chat_conversations_1", "sqlite_autoindex_leads_1"}},
		"messages":        {selectMessages, []string{"idx_chat_messages_conversation"}},
		"turn":            {updateConversation, []string{"sqlite_autoindex_chat_conversations_1"}},
		"lead":            {selectLead, []string{"sqlite_autoindex_leads_1"}},
		"lead update":     {updateLead, []string{"sqlite_autoindex_leads_1", "sqlite_autoindex_suppression_1", "idx_consent_audit_lead (lead_id=?)"}},
		"claim":           {claimDue, []string{"idx_dlq_due (lane=? AND status=? AND next_attempt_at<?)", "INTEGER PRIMARY KEY"}},
		"claim blocked":   {selectBlocked, []string{"idx_dlq_due (lane=? AND status=? AND next_attempt_at<?)"}},
		"delivered":       {recordDelivered, []string{"INTEGER PRIMARY KEY"}},
		"failure":         {recordFailure, []string{"INTEGER PRIMARY KEY"}},
		"end of lease":    {freeLeased, []string{"idx_dlq_lease (lease_id=?)"}},
		"stale":           {selectStale, []string{"idx_dlq_lease"}},
		"stale waiting":   {freeStaleWaiting, []string{"idx_dlq_lease"}},
		"lanes":           {selectLanes, []string{"idx_dlq_due (lane=? AND status=?)"}},
		"cleanup":         {deleteOld, []string{"idx_dlq_status (status=? AND created_at<?)"}},
		"attempts":        {selectAttempts, []string{"idx_delivery_attempt_alert (alert_id=?)"}},
		"stats":           {selectStats, []string{"idx_dlq_status (status=?)"}},
		"digest":          {selectDigest, []string{"idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)"}},
		"digest's sample": {selectSample, []string{"idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)"}},
		"groups":          {groupQueries[0], []string{"idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)", "idx_dlq_trouble_fingerprint (fingerprint>?)"}},
		"unexplained":     {groupQueries[1], []string{"idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)"}},
		"progress":        {selectProgress, []string{"idx_dlq_operation (operation_id=?)"}},
		"probe's wait":    {waitProbe, []string{"SEARCH breaker_probe USING PRIMARY KEY"}},
		"job":             {selectJob, []string{"SEARCH scheduled_job USING PRIMARY KEY"}},
		"probe's end":     {endProbe, []string{"SEARCH breaker_probe USING PRIMARY KEY"}},
	} {
		wantPlan(t, name, plan(t, s, c.query), c.index...)
	}
}

// wantPlan fails unless the plan names every index, and when it reads the whole
// queue or sorts it.
func wantPlan(t *testing.T, name, got string, indexes ...string) {
	t.Helper()
	for _, want := range indexes {
		if !strings.Contains(got, want) {
			t.Errorf("%s does not use %s:\n%s", name, want, got)
		}
	}
	for line := range strings.Lines(got) {
		scan := strings.HasPrefix(line, "SCAN dead_letter_queue") || strings.HasPrefix(line, "SCAN d ")
		if scan && !strings.Contains(line, "idx_dlq_lease") && !strings.Contains(line, "idx_dlq_created") {
			t.Errorf("%s reads the whole queue:\n%s", name, got)
		}
	}
}

func TestCauses_AreCountedByIndexAlone(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	trouble := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	for name, c := range map[string]struct {
		filter chatops.AlertFilter
		want   string
	}{
		"fingerprint": {chatops.AlertFilter{Statuses: trouble, Fingerprint: "x"}, "COVERING INDEX idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)"},
		"target":      {chatops.AlertFilter{Statuses: trouble, Targets: []string{"a:b"}}, "INDEX idx_dlq_trouble_target (target=? AND status=?)"},
		"since":       {chatops.AlertFilter{Statuses: trouble, Since: time.Now()}, "INDEX idx_dlq_status (status=? AND created_at>?)"},
		"mark":        {chatops.AlertFilter{Fingerprint: "x"}, "SEARCH m USING PRIMARY KEY (fingerprint=?)"},
	} {
		query, args := causesQuery(c.filter, 20, time.Now())
		wantPlan(t, name, plan(t, s, query, args...), c.want)
	}
	wantPlan(t, "size", plan(t, s, sizeOfCause, "x"), "COVERING INDEX idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)")
	wantPlan(t, "growth", plan(t, s, countCauseSince, "x", "2026", 100), "COVERING INDEX idx_dlq_trouble_fingerprint (fingerprint=? AND status=? AND created_at>?)")
}

func TestCounts_AreTakenFromTheNarrowestIndex(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	trouble := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	for name, c := range map[string]struct {
		filter chatops.AlertFilter
		want   string
	}{
		"statuses":    {chatops.AlertFilter{Statuses: trouble}, "dlq_count"},
		"types":       {chatops.AlertFilter{Types: []string{"a", "b"}}, "dlq_count"},
		"target":      {chatops.AlertFilter{Statuses: trouble, Targets: []string{"a:b"}}, "COVERING INDEX idx_dlq_trouble_target (target=? AND status=?)"},
		"fingerprint": {chatops.AlertFilter{Statuses: trouble, Fingerprint: "x"}, "COVERING INDEX idx_dlq_trouble_fingerprint (fingerprint=? AND status=?)"},
		"since":       {chatops.AlertFilter{Statuses: trouble, Since: time.Now()}, "COVERING INDEX idx_dlq_status (status=? AND created_at>?)"},
	} {
		query, args := countQuery(c.filter, c.filter.Statuses)
		wantPlan(t, name, plan(t, s, query, args...), c.want)
	}
}

func TestPages_ReadTheirFirstRowsFromAnIndex(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	trouble := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	for name, c := range map[string]struct {
		filter chatops.AlertFilter
		index  string
	}{
		"everything":         {chatops.AlertFilter{}, "idx_dlq_created (created_at<?)"},
		"statuses":           {chatops.AlertFilter{Statuses: trouble}, "idx_dlq_status (status=? AND created_at<?)"},
		"delivered":          {chatops.AlertFilter{Statuses: []chatops.AlertStatus{"delivered"}}, "idx_dlq_status (status=? AND created_at<?)"},
		"target":             {chatops.AlertFilter{Statuses: trouble, Targets: []string{"slack:alerts"}}, "idx_dlq_trouble_target (target=? AND status=? AND created_at<?)"},
		"two targets":        {chatops.AlertFilter{Statuses: trouble, Targets: []string{"a:b", "c:d"}}, "idx_dlq_trouble_target (target=? AND status=? AND created_at<?)"},
		"type":               {chatops.AlertFilter{Statuses: trouble, Types: []string{"slack_alert"}}, "idx_dlq_trouble_type (event_type=? AND status=? AND created_at<?)"},
		"fingerprint":        {chatops.AlertFilter{Statuses: trouble, Fingerprint: "slack:503"}, "idx_dlq_trouble_fingerprint (fingerprint=? AND status=? AND created_at<?)"},
		"time":               {chatops.AlertFilter{Statuses: trouble, Since: time.Now()}, "idx_dlq_status (status=?"},
		"target, any status": {chatops.AlertFilter{Targets: []string{"slack:alerts"}}, "idx_dlq_trouble_target (target=? AND status=?"},
		"ids":                {chatops.AlertFilter{IDs: []int64{1, 2}}, "INTEGER PRIMARY KEY (rowid=?)"},
	} {
		p := page{filter: c.filter, statuses: c.filter.Statuses, limit: 51}
		p.after = cursor{"2026-03-01 10:00:00.000000", 1}
		query, args := p.sql()
		got := plan(t, s, query, args...)
		wantPlan(t, name, got, c.index)
		if name == "ids" {
			continue
		}
		ties := strings.ReplaceAll(c.index, "created_at<?", "created_at=? AND id<?")
		if !strings.Contains(strings.ReplaceAll(got, "rowid<?", "id<?"), ties) && strings.Contains(c.index, "created_at") {
			t.Errorf("%s does not look up ties by %s:\n%s", name, ties, got)
		}
		wantNoSort(t, name, got)
	}
}

// wantNoSort fails when a branch sorts what it reads; sorting the few rows that
// the branches give is fine.
func wantNoSort(t *testing.T, name, got string) {
	t.Helper()
	reading := false
	for line := range strings.Lines(got) {
		switch {
		case strings.HasPrefix(line, "SEARCH dead_letter_queue"):
			reading = true
		case strings.HasPrefix(line, "SCAN (subquery"):
			reading = false
		case reading && strings.Contains(line, "TEMP B-TREE"):
			t.Errorf("%s sorts what it reads:\n%s", name, got)
			return
		}
	}
}
