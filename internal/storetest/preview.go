package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

func previewCases() []testCase {
	return []testCase{
		{"Preview_CountsWhatAnOperationWouldSelect", previewCounts},
		{"Preview_TellsAlertsApart", previewApart},
		{"Preview_SeesWhatBelongsToOthers", previewElsewhere},
		{"Preview_SeesWithdrawnConsent", previewWithdrawn},
		{"Preview_SeesWhoIsSuppressed", previewSuppressed},
		{"Preview_IsBoundedAndSaysSo", previewBound},
		{"Preview_OfEveryFilter_AgreesWithTheOperation", previewAgrees},
	}
}

func (e *env) preview(op *chatops.Operation, countTo int) *chatops.Preview {
	e.t.Helper()
	p, err := e.store.PreviewOperation(e.ctx, op, countTo)
	e.must(err)
	return p
}

func retryOf(f chatops.AlertFilter) *chatops.Operation {
	return &chatops.Operation{Kind: chatops.OperationRetry, Filter: f}
}

func previewCounts(e *env) {
	e.fail(slackLane, 3)
	e.enqueue(mondayLane, 2)
	e.settle(e.claim(request(mondayLane, true, 1)), chatops.OutcomeDelivered)
	p := e.preview(retryOf(chatops.AlertFilter{}), 100)
	if p.Counted != 4 || p.Eligible() != 4 || p.Delivered != 1 || p.More || p.DeliveredMore {
		e.t.Fatalf("preview %+v, want 4 and 1 delivered", *p)
	}
	paced := retryOf(chatops.AlertFilter{})
	paced.Pace = &chatops.OperationPace{Rate: 5}
	if p := e.preview(paced, 100); p.Counted != 3 {
		e.t.Fatalf("a paced operation would select %d, want the failed ones only", p.Counted)
	}
	none := e.preview(retryOf(chatops.AlertFilter{Types: []string{"nothing"}}), 100)
	if none.Counted != 0 || len(none.Rows) != 0 || none.Delivered != 0 {
		e.t.Fatalf("preview of nothing: %+v", *none)
	}
	delivered := retryOf(chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertDelivered}})
	if p := e.preview(delivered, 100); p.Counted != 0 {
		e.t.Fatalf("delivered alerts would be selected: %+v", *p)
	}
	_, err := e.store.PreviewOperation(e.ctx, &chatops.Operation{Kind: "explode"}, 10)
	e.wantCode(err, chatops.CodeInvalid)
}

func previewApart(e *env) {
	e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	list := outcomes(chatops.OutcomeFailed, ids(b)...)
	list[0].Attempt.Outcome, list[0].Fingerprint = string(chatops.FailPermanent), "slack:invalid_blocks"
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	now := e.clock.Peek()
	e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET created_at = '%s' WHERE id = %d`, now.Add(-2*time.Hour).Format(sqlTime), list[1].AlertID))
	e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET created_at = '%s' WHERE id = %d`, now.Add(-30*24*time.Hour).Format(sqlTime), list[2].AlertID))
	p := e.preview(retryOf(chatops.AlertFilter{}), 100)
	want := map[int64]chatops.PreviewRow{
		list[0].AlertID: {Fingerprint: "slack:invalid_blocks", Permanent: true},
		list[1].AlertID: {Fingerprint: "slack:503", Age: 1},
		list[2].AlertID: {Fingerprint: "slack:503", Age: 4},
	}
	if len(p.Rows) != len(want) {
		e.t.Fatalf("rows %+v", p.Rows)
	}
	for _, got := range p.Rows {
		w := want[got.Newest]
		w.EventType, w.Lane, w.Count, w.Newest = chatops.EventSlackAlert, slackLane, 1, got.Newest
		if got != w {
			e.t.Fatalf("row %+v, want %+v", got, w)
		}
	}
}

func previewElsewhere(e *env) {
	e.fail(slackLane, 4)
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.release(e.carry("r1"), 1)
	e.fail(slackLane, 2)
	p := e.preview(retryOf(chatops.AlertFilter{}), 100)
	others := p.Sum(func(r *chatops.PreviewRow) bool { return r.Elsewhere })
	if p.Counted != 6 || others != 4 || p.Eligible() != 2 {
		e.t.Fatalf("of %d alerts %d are another operation's: %+v", p.Counted, others, p.Rows)
	}
	e.change(op, chatops.OperationCancelled)
	if p := e.preview(retryOf(chatops.AlertFilter{}), 100); p.Eligible() != 6 {
		e.t.Fatalf("%d are eligible after the other one was cancelled", p.Eligible())
	}
}

func previewWithdrawn(e *env) {
	payload, _ := json.Marshal(map[string]string{"text": "still there?"})
	for i := range 2 {
		_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{{
			EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: payload, IdempotencyKey: fmt.Sprintf("f%d", i),
		}})
		e.must(err)
		e.exec(fmt.Sprintf(`INSERT INTO chat_conversations (session_id, marketing_consent, rodo_consent) VALUES ('s%d', %t, %t)`, i, i == 0, true))
	}
	e.exec(`INSERT INTO followup_event (conversation_id, followup_number, status, alert_id)
		SELECT c.id, 1, 'queued', d.id FROM chat_conversations c JOIN dead_letter_queue d
		ON (c.session_id = 's0' AND d.idempotency_key = 'f0') OR (c.session_id = 's1' AND d.idempotency_key = 'f1')`)
	p := e.preview(retryOf(chatops.AlertFilter{}), 100)
	withdrawn := p.Sum(func(r *chatops.PreviewRow) bool { return r.Withdrawn })
	if p.Counted != 2 || withdrawn != 1 || p.Eligible() != 1 {
		e.t.Fatalf("of %d follow-ups %d are withdrawn: %+v", p.Counted, withdrawn, p.Rows)
	}
}

// previewSuppressed counts as the sender of follow-ups decides: by the list of
// those who must not be written to, in every spelling of the address.
func previewSuppressed(e *env) {
	suppress := func(address string) {
		e.exec(fmt.Sprintf(`INSERT INTO suppression (email_key, scope) VALUES ('%s', 'marketing')`, consent.LooseKey(address)))
	}
	var alerts []int64
	for i, email := range []string{"J.an+a@googlemail.com", "ewa@firma.example", "ola@firma.example"} {
		alerts = append(alerts, e.plan(e.silence(fmt.Sprintf("suppressed-%d", i), email, 25*hour), 1))
	}
	e.fail(slackLane, 2)
	all := chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertFailed, chatops.AlertPending}}
	count := func(counted, withdrawn, eligible int64) *chatops.Preview {
		e.t.Helper()
		p := e.preview(retryOf(all), 100)
		barred := p.Sum(func(r *chatops.PreviewRow) bool { return r.Withdrawn })
		if p.Counted != counted || barred != withdrawn || p.Eligible() != eligible {
			e.t.Fatalf("of %d alerts %d are withdrawn, %d eligible: %+v", p.Counted, barred, p.Eligible(), p.Rows)
		}
		return p
	}
	count(5, 0, 5)
	suppress("jan@gmail.com")
	for _, r := range count(5, 1, 4).Rows {
		if r.Withdrawn && r.Newest != alerts[0] || r.EventType == chatops.EventFollowup && !r.Withdrawn && (r.Newest != alerts[2] || r.Count != 2) {
			e.t.Fatalf("row %+v, of %v", r, alerts)
		}
	}
	suppress("ewa@firma.example")
	suppress("ola@firma.example")
	count(5, 3, 2)
	e.exec(`UPDATE chat_conversations SET marketing_consent = false`) // no alert counts twice
	count(5, 3, 2)
	e.exec(fmt.Sprintf(`DELETE FROM followup_event WHERE alert_id = %d`, alerts[1])) // nobody knows whom it is for
	count(5, 2, 3)
}

func previewBound(e *env) {
	made := e.fail(slackLane, 5)
	p := e.preview(retryOf(chatops.AlertFilter{}), 3)
	if !p.More || p.Counted != 4 || p.Rows[0].Newest != made[4] {
		e.t.Fatalf("bounded preview %+v", *p)
	}
	e.settle(e.claimAll(), chatops.OutcomeDelivered)
	p = e.preview(retryOf(chatops.AlertFilter{}), 3)
	if !p.DeliveredMore || p.Delivered != 3 || p.Counted != 0 {
		e.t.Fatalf("after all were delivered: %+v", *p)
	}
}

// claimAll retries everything and claims it.
func (e *env) claimAll() *chatops.Batch {
	e.t.Helper()
	e.finish(e.operate(chatops.OperationRetry, chatops.AlertFilter{}).ID, 100)
	return e.claim(request(slackLane, false, 100))
}

// previewAgrees counts with every field of a filter what the operation then
// selects: a filter that one of them ignored would be noticed.
func previewAgrees(e *env) {
	ids := e.fail(slackLane, 3)
	e.fail(mondayLane, 2)
	e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET retry_count = 5, error_message = 'special' WHERE id = %d`, ids[0]))
	e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET created_at = '2026-01-01 00:00:00' WHERE id = %d`, ids[1]))
	now := e.clock.Peek()
	seen := map[string]bool{}
	for _, c := range []struct {
		f    chatops.AlertFilter
		want int64
	}{
		{chatops.AlertFilter{}, 5},
		{chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}}, 5},
		{chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertPending}}, 0},
		{chatops.AlertFilter{Types: []string{chatops.EventMondayItem}}, 2},
		{chatops.AlertFilter{Targets: []string{slackLane}}, 3},
		{chatops.AlertFilter{Error: "SPECIAL"}, 1},
		{chatops.AlertFilter{Fingerprint: "slack:503"}, 5},
		{chatops.AlertFilter{Fingerprint: "none"}, 0},
		{chatops.AlertFilter{Since: now.Add(-time.Hour)}, 4},
		{chatops.AlertFilter{Until: now.Add(-time.Hour)}, 1},
		{chatops.AlertFilter{MinAttempts: 5}, 1},
		{chatops.AlertFilter{IDs: ids[:2]}, 2},
		{chatops.AlertFilter{OperationID: "op_none"}, 0},
		{chatops.AlertFilter{Targets: []string{slackLane}, Error: "special", MinAttempts: 1}, 1},
	} {
		for field, value := range reflect.ValueOf(c.f).Fields() {
			seen[field.Name] = seen[field.Name] || !value.IsZero()
		}
		if p := e.preview(retryOf(c.f), 100); p.Counted != c.want {
			e.t.Fatalf("preview of %+v counts %d, want %d", c.f, p.Counted, c.want)
		}
		if op := e.operate(chatops.OperationRetry, c.f); op.Matched != c.want {
			e.t.Fatalf("an operation with %+v selects %d, want %d", c.f, op.Matched, c.want)
		}
		if n, err := e.store.CountAlerts(e.ctx, c.f); err != nil || n != c.want {
			e.t.Fatalf("%+v counts %d, %v, want %d", c.f, n, err, c.want)
		}
	}
	for name, tried := range seen {
		if !tried {
			e.t.Fatalf("no case filters by %s: a store might ignore it", name)
		}
	}
}
