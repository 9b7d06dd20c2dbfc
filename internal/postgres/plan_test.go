package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
)

// fillPlan makes a queue as it looks in production: most rows delivered, some
// in every other state, of several lanes, with many ties.
const fillPlan = `
insert into dead_letter_queue (event_type, target, payload, status, created_at, next_attempt_at, error_message, fingerprint, idempotency_key)
select 'type_' || i % 5, 'webhook:' || i % 7, '{"text":"x"}',
  case when i % 10 < 7 then 'delivered' when i % 10 = 7 then 'failed' when i % 10 = 8 then 'pending' else 'queued' end,
  now() - (i / 20) * interval '1 second', now() - (i / 20) * interval '1 second',
  'HTTP 503', 'webhook:' || i % 11, 'key:' || i
from generate_series(1, 50000) i;
insert into dlq_lease (lane, status, owner, until, ids) select 'webhook:1', 'queued', 'x', now(), '{1,2,3}' from generate_series(1, 20);
insert into delivery_attempt (alert_id, started_at, duration_ms, outcome) select i, now(), 1, 'x' from generate_series(1, 50000) i;
insert into chat_conversations (session_id, email) select 's' || i, 'Jan' || i % 3000 || '@example.pl' from generate_series(1, 5000) i;
update chat_conversations set last_user_message_at = now() - id * interval '1 hour', email = nullif(email, 'Jan1@example.pl');
insert into followup_event (conversation_id, followup_number, status, alert_id, person_key)
select i, 1, 'sent', 60000 + i, 'p' || i || '@example.pl' from generate_series(1, 5000) i;
insert into chat_messages (conversation_id, message, sender) select 1 + i % 5000, 'x', 'bot' from generate_series(1, 20000) i;
insert into leads (session_id, email, status, created_at)
select 's' || i, 'jan' || i % 3000 || '@Example.pl', (array['new', 'contacted', 'lost'])[1 + i % 3], now() - i * interval '1 minute'
from generate_series(1, 5000) i;
insert into consent_audit_log (conversation_id, lead_id, email, action)
select i, i, 'jan' || i || '@example.pl', 'unsubscribe' from generate_series(1, 5000) i;
insert into suppression (email_key, scope) select 'jan' || i || '@example.pl', 'all' from generate_series(1, 5000) i;
insert into idempotency_key (scope, key, body, owner, expires_at)
select 'chat', 'k' || i, 'b', 'o', now() + (i - 100) * interval '1 minute' from generate_series(1, 5000) i;
insert into access_log (actor, command, purpose, subject, at)
select 'ola', 'consent lookup', 'ticket', 's' || i % 100, now() - i * interval '1 hour' from generate_series(1, 5000) i;
insert into breaker_probe (integration, until) select 'webhook:' || i, now() from generate_series(1, 5000) i;
vacuum analyze`

func planned(t *testing.T) *pgx.Conn {
	t.Helper()
	url := pgtest.Template(t, "plans", func(url string) error {
		ctx := context.Background()
		m, err := NewMigrator(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = m.Close() }()
		if _, err := m.Up(ctx); err != nil {
			return err
		}
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		for statement := range strings.SplitSeq(fillPlan, ";\n") {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func text(v any) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return quote(v)
	case time.Time:
		return quote(v.Format(time.RFC3339Nano))
	case []int64:
		return quote(strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(v)))
	case []string:
		return quote("{" + strings.Join(v, ",") + "}")
	}
	return fmt.Sprint(v)
}

// explain plans a statement for its parameters, or, when generic, once for all.
func explain(t *testing.T, conn *pgx.Conn, generic bool, sql string, args ...any) string {
	t.Helper()
	mode := "force_custom_plan"
	if generic {
		mode = "force_generic_plan"
	}
	var literals []string
	for _, a := range args {
		literals = append(literals, text(a))
	}
	execute := "explain (costs off) execute probe"
	if len(literals) > 0 {
		execute += "(" + strings.Join(literals, ", ") + ")"
	}
	for _, statement := range []string{"set plan_cache_mode = " + mode, "deallocate all", "prepare probe as " + sql} {
		if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	rows, err := conn.Query(t.Context(), execute, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return strings.Join(lines, "\n")
}

// wantPlan fails the test unless the plan uses the indexes, and never reads one
// of the big tables whole or sorts it.
func wantPlan(t *testing.T, plan string, indexes ...string) {
	t.Helper()
	for _, index := range indexes {
		if !strings.Contains(plan, index) {
			t.Errorf("plan does not use %s:\n%s", index, plan)
		}
	}
	for _, table := range []string{"dead_letter_queue", "delivery_attempt", "chat_conversations", "chat_messages", "leads", "consent_audit_log", "suppression", "idempotency_key", "followup_event"} {
		if strings.Contains(plan, "Seq Scan on "+table) {
			t.Errorf("plan reads all of %s:\n%s", table, plan)
		}
	}
}

func TestPlans_OfHotStatements_UseTheirIndexes(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	ids := []int64{10, 20, 30, 40}
	now := time.Now()
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"claim fresh":   {claimSQL[true], []any{nil, "webhook:1", false, 500, "me", 60_000_000}, []string{"idx_dlq_due"}},
		"claim pending": {claimSQL[false], []any{nil, "webhook:1", true, 50, "me", 60_000_000}, []string{"idx_dlq_due"}},
		"lanes":         {lanesSQL, []any{nil}, []string{"idx_dlq_due"}},
		"delivered":     {markDelivered, []any{nil, ids}, []string{"dead_letter_queue_pkey"}},
		"others": {
			markOthers,
			[]any{nil, ids, []string{"retry", "retry", "failed", "held"}, ids, []string{"a", "b", "c", "d"}, []string{"a", "b", "c", "d"}, "{t,t,t,f}"},
			[]string{"dead_letter_queue_pkey"},
		},
		"free":         {freeLease, []any{nil, 1, ids}, []string{"dead_letter_queue_pkey"}},
		"free expired": {freeExpired, []any{nil}, []string{"dead_letter_queue_pkey"}},
		"stray":        {forClass(findStray, "queued"), []any{nil, 1000}, []string{"idx_dlq_due"}},
		"oldest":       {selectOldest, []any{nil}, []string{"idx_dlq_status"}},
		"digest":       {selectDigest, []any{"webhook:3"}, []string{"idx_dlq_trouble_fingerprint"}},
		"groups":       {selectGroups, []any{20, 1000, 81}, []string{"idx_dlq_trouble_fingerprint"}},
		"unexplained":  {selectUnexplained, []any{20, 1000, 81}, []string{"idx_dlq_trouble_fingerprint"}},
		"growth":       {selectCauseState, []any{nil, "webhook:3"}, []string{"idx_dlq_trouble_fingerprint"}},
		"mute":         {markCause[chatops.CauseMute], []any{nil, "webhook:3", "", "", 1}, []string{"idx_dlq_trouble_fingerprint", "Conflict Arbiter Indexes: dlq_cause_pkey"}},
		"sample":       {selectSample, []any{"webhook:3"}, []string{"idx_dlq_trouble_fingerprint"}},
		"cleanup":      {deleteOld, []any{nil, 0, 500}, []string{"idx_dlq_status", "dead_letter_queue_pkey"}},
		"attempts":     {selectAttempts, []any{7}, []string{"delivery_attempt_pkey"}},
		"progress":     {selectProgress, []any{"op_1"}, []string{"idx_dlq_operation"}},
		"outcomes":     {selectOutcomes, []any{"op_1"}, []string{"idx_dlq_operation", "AND ((status)::text = 'pending'::text))", "AND ((status)::text = 'failed'::text))"}},
		"step retry":   {stepRetry, []any{nil, "op_1", ids, now, []string{"failed"}, false}, []string{"dead_letter_queue_pkey", "uq_followup_alert"}},
		"conversation": {selectConversation, []any{"s7"}, []string{"uq_chat_conversations_session", "uq_leads_session"}},
		"messages":     {selectMessages, []any{"s7", 50}, []string{"idx_chat_messages_conversation"}},
		"lead":         {selectLead, []any{"s7"}, []string{"uq_leads_session"}},
		"heartbeat":    {heartbeat, []any{nil, "me", "1", now, 7, "{}"}, []string{"Conflict Arbiter Indexes: server_instance_pkey"}},
		"probe":        {claimProbe, []any{nil, "slack", "me", 60_000_000}, []string{"Conflict Arbiter Indexes: breaker_probe_pkey"}},
		"probe's end":  {endProbe, []any{nil, "slack", "me", 0}, []string{"breaker_probe_pkey"}},
		"probe's wait": {waitProbe, []any{nil, "slack"}, []string{"breaker_probe_pkey"}},
		"controls":     {selectControls, []any{nil}, []string{"breaker_control", "rate_limit_override"}},
		"order":        {orderBreaker, []any{nil, "slack", "auto", 0, "", ""}, []string{"Conflict Arbiter Indexes: breaker_control_pkey"}},
	} {
		for _, generic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/generic=%v", name, generic), func(t *testing.T) {
				wantPlan(t, explain(t, conn, generic, c.sql, c.args...), c.indexes...)
			})
		}
	}
}

func TestPlans_OfLists_AreOrderedIndexScans(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	trouble := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	deep := chatops.AlertCursor{CreatedAt: time.Now().Add(-20 * time.Minute), ID: 20000}
	//nolint:paralleltest // they share one connection
	for name, c := range map[string]struct {
		f     chatops.AlertFilter
		index string
	}{
		"everything":    {chatops.AlertFilter{}, "idx_dlq_status"},
		"default":       {chatops.AlertFilter{Statuses: trouble}, "idx_dlq_status"},
		"target":        {chatops.AlertFilter{Statuses: trouble, Targets: []string{"webhook:3"}}, "idx_dlq_trouble_target"},
		"targets":       {chatops.AlertFilter{Statuses: trouble, Targets: []string{"webhook:3", "webhook:5"}}, "idx_dlq_trouble_target"},
		"type":          {chatops.AlertFilter{Statuses: trouble, Types: []string{"type_3"}}, "idx_dlq_trouble_type"},
		"fingerprint":   {chatops.AlertFilter{Statuses: trouble, Fingerprint: "webhook:9"}, "idx_dlq_trouble_fingerprint"},
		"since":         {chatops.AlertFilter{Statuses: trouble, Since: time.Now().Add(-time.Hour)}, "idx_dlq_status"},
		"text":          {chatops.AlertFilter{Statuses: trouble, Error: "503"}, "idx_dlq_status"},
		"ids":           {chatops.AlertFilter{IDs: []int64{5, 6, 7}}, "dead_letter_queue_pkey"},
		"delivered":     {chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertDelivered}}, "idx_dlq_status"},
		"type and text": {chatops.AlertFilter{Statuses: trouble, Types: []string{"type_1", "type_2"}, Error: "503"}, "idx_dlq_trouble_type"},
	} {
		for _, after := range []chatops.AlertCursor{{}, deep} {
			t.Run(fmt.Sprintf("%s/deep=%v", name, after.ID > 0), func(t *testing.T) {
				sql, args := listQuery(c.f, after, 50)
				plan := explain(t, conn, false, sql, args...)
				wantPlan(t, plan, c.index)
				if strings.Contains(plan, "Incremental Sort") {
					t.Errorf("a scan is not in the list's order:\n%s", plan)
				}
			})
		}
	}
}

func TestPlans_OfOperations_WalkTheirSelectionByIndex(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	//nolint:paralleltest // they share one connection
	for name, f := range map[string]chatops.AlertFilter{
		"all": {}, "target": {Targets: []string{"webhook:3"}}, "failed": {Statuses: []chatops.AlertStatus{"failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := operationPlan{
				op:    chatops.Operation{Kind: chatops.OperationRetry, Filter: f, CreatedAt: time.Now()},
				maxID: 50000, cursorAt: time.Now().Add(-time.Hour), cursorID: 40000,
			}
			sel := p.selection()
			sql := sel.list("d.id, d.created_at, d.status", "created_at, id", 500)
			wantPlan(t, explain(t, conn, false, sql, sel.args...), "idx_dlq_")
		})
	}
}

func TestPlans_OutcomesOfALargeOperationAreNotCountedByReadingTheTable(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	for _, statement := range []string{
		`begin`, // what it sets is forgotten with the transaction
		`update dead_letter_queue set operation_id = 'op_9', status = 'delivered' where id % 2 = 0`,
		`update dead_letter_queue set operation_id = null, status = 'failed' where id % 2 = 1`,
		`analyze dead_letter_queue`,
		`set local seq_page_cost = 0.01`, // as it seems where the table is large
		`set local enable_bitmapscan = off`,
		byIndex,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, generic := range []bool{false, true} {
		wantPlan(t, explain(t, conn, generic, selectOutcomes, "op_9"), "idx_dlq_operation")
	}
}
