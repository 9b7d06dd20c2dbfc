package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

const (
	slackLane  = "slack:alerts"
	mondayLane = "monday:leads"
	lease      = time.Minute
	// sqlTime is how the suite writes times into raw statements.
	sqlTime = "2006-01-02 15:04:05.000000"
)

// newAlert makes a valid alert for a target.
func newAlert(target, key string) chatops.NewAlert {
	payload, _ := json.Marshal(map[string]string{"text": "lead " + key})
	return chatops.NewAlert{
		EventType:      eventType(target),
		Target:         target,
		Payload:        payload,
		IdempotencyKey: key,
	}
}

func eventType(target string) string {
	switch scheme, _, _ := strings.Cut(target, ":"); scheme {
	case "slack":
		return chatops.EventSlackAlert
	case "monday":
		return chatops.EventMondayItem
	case "mailto":
		return chatops.EventEmailAlert
	}
	return chatops.EventWebhook
}

// enqueue stores n alerts for a target, one transaction each, and returns their
// ids in order.
func (e *env) enqueue(target string, n int) []int64 {
	e.t.Helper()
	known := map[int64]bool{}
	for _, a := range e.alerts(chatops.AlertFilter{Targets: []string{target}}) {
		known[a.ID] = true
	}
	for i := range n {
		key := fmt.Sprintf("%s:%d:%d", target, len(known), i)
		added, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{newAlert(target, key)})
		e.must(err)
		if added != 1 {
			e.t.Fatalf("enqueue of a new alert added %d", added)
		}
	}
	var ids []int64
	for _, a := range e.alerts(chatops.AlertFilter{Targets: []string{target}}) {
		if !known[a.ID] {
			ids = append([]int64{a.ID}, ids...)
		}
	}
	if len(ids) != n {
		e.t.Fatalf("%d alerts found after %d were queued", len(ids), n)
	}
	return ids
}

// alerts returns every alert that matches, newest first.
func (e *env) alerts(f chatops.AlertFilter) []chatops.Alert {
	e.t.Helper()
	var all []chatops.Alert
	var after chatops.AlertCursor
	for {
		page, next, err := e.store.Alerts(e.ctx, f, after, 500)
		e.must(err)
		all = append(all, page...)
		if next == nil {
			return all
		}
		after = *next
	}
}

// alert returns one alert.
func (e *env) alert(id int64) *chatops.Alert {
	e.t.Helper()
	a, _, err := e.store.Alert(e.ctx, id)
	e.must(err)
	return a
}

// wantStatus ends the test unless the alert has the status and retry count.
func (e *env) wantStatus(id int64, status chatops.AlertStatus, retries int) {
	e.t.Helper()
	a := e.alert(id)
	if a.Status != status || a.RetryCount != retries {
		e.t.Fatalf("alert %d is %s with retry_count %d, want %s with %d", id, a.Status, a.RetryCount, status, retries)
	}
}

// request asks for up to limit alerts of a lane.
func request(lane string, fresh bool, limit int) chatops.ClaimRequest {
	return chatops.ClaimRequest{Lane: lane, Fresh: fresh, Limit: limit, Owner: "replica-1", Lease: lease}
}

// claim claims from the first store.
func (e *env) claim(req chatops.ClaimRequest) *chatops.Batch {
	e.t.Helper()
	return e.claimFrom(e.store, req)
}

func (e *env) claimFrom(s chatops.Store, req chatops.ClaimRequest) *chatops.Batch {
	e.t.Helper()
	b, err := s.Claim(e.ctx, req)
	e.must(err)
	if b == nil {
		e.t.Fatal("Claim returned neither a batch nor an error")
	}
	if (b.LeaseID == 0) != (len(b.Alerts) == 0) {
		e.t.Fatalf("lease %d with %d alerts: only an empty batch has lease 0", b.LeaseID, len(b.Alerts))
	}
	return b
}

// record reports outcomes to the first store.
func (e *env) record(rec chatops.Record) *chatops.Batch {
	e.t.Helper()
	next, err := e.store.Record(e.ctx, rec)
	e.must(err)
	if (next != nil) != (rec.Next != nil) {
		e.t.Fatalf("Record returned batch %v for Next %v", next, rec.Next)
	}
	return next
}

// settle records the same outcome for a whole batch and gives the lease up.
func (e *env) settle(b *chatops.Batch, kind chatops.OutcomeKind) {
	e.t.Helper()
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(kind, ids(b)...), Done: true})
}

// outcomes makes an outcome with an attempt for each alert.
func outcomes(kind chatops.OutcomeKind, alertIDs ...int64) []chatops.Outcome {
	list := make([]chatops.Outcome, 0, len(alertIDs))
	for _, id := range alertIDs {
		o := chatops.Outcome{AlertID: id, Kind: kind}
		switch kind {
		case chatops.OutcomeDelivered:
			o.Attempt = attempt(id, "delivered", 200, "")
		case chatops.OutcomeHeld, chatops.OutcomeParked:
		default:
			o.Error, o.Fingerprint = "slack answered 503", "slack:503"
			o.Attempt = attempt(id, string(chatops.FailTransient), 503, o.Error)
		}
		list = append(list, o)
	}
	return list
}

func attempt(id int64, outcome string, status int, text string) *chatops.Attempt {
	return &chatops.Attempt{
		AlertID: id, StartedAt: time.Date(2026, 3, 1, 12, 30, 0, 123_456_000, time.UTC),
		Duration: 250 * time.Millisecond, Outcome: outcome, HTTPStatus: status, Error: text, Replica: "replica-1",
	}
}

func ids(b *chatops.Batch) []int64 {
	list := make([]int64, 0, len(b.Alerts))
	for _, a := range b.Alerts {
		list = append(list, a.ID)
	}
	return list
}

// fail makes n new alerts of a target that have failed for good.
func (e *env) fail(target string, n int) []int64 {
	e.t.Helper()
	made := e.enqueue(target, n)
	b := e.claim(request(chatops.Lane(target), true, n))
	if len(b.Alerts) != n {
		e.t.Fatalf("claimed %d alerts to fail, want %d", len(b.Alerts), n)
	}
	e.settle(b, chatops.OutcomeFailed)
	return made
}

// insertRaw writes a row as an older program does: only the columns it knows.
func (e *env) insertRaw(target, status, text string, created time.Time) int64 {
	e.t.Helper()
	e.exec(fmt.Sprintf(`INSERT INTO dead_letter_queue (event_type, target, payload, error_message, retry_count, status, created_at)
		VALUES ('%s', '%s', '{"text":"raw"}', '%s', 0, '%s', '%s')`,
		eventType(target), target, strings.ReplaceAll(text, "'", "''"), status, created.Format(sqlTime)))
	return e.count(`SELECT MAX(id) FROM dead_letter_queue`)
}

// equal compares lists of ids.
func (e *env) wantIDs(what string, got, want []int64) {
	e.t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		e.t.Fatalf("%s: alerts %v, want %v", what, got, want)
	}
}
