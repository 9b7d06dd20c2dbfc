package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"chatops/internal/chatops"
)

func importCases() []testCase {
	return []testCase{
		{"ImportAlerts_KeepsStatusHistoryAndKey_Once", importedOnce},
		{"ImportAlerts_SendsOnlyWhatWaits", importedWaits},
		{"ImportAlerts_StoresAllOrNothing", importedWhole},
	}
}

// exported makes one alert in each status, as an export would have it.
func (e *env) exported() []chatops.Alert {
	var list []chatops.Alert
	at := e.clock.Peek().Add(-48 * time.Hour).Truncate(time.Millisecond)
	for i, status := range chatops.AlertStatuses() {
		a := chatops.Alert{
			ID: int64(1000 + i), EventType: eventType(slackLane), Target: slackLane, Status: status, RetryCount: i,
			Payload: json.RawMessage(`{"text":"Łódź \u0000"}`), IdempotencyKey: fmt.Sprint("lead:", i),
			ErrorMessage: "it's 100% broken", Fingerprint: "abc123", CreatedAt: at.Add(time.Duration(i) * time.Minute), LastAttemptAt: at.Add(time.Hour),
		}
		if status == chatops.AlertDelivered {
			a.DeliveredAt = at.Add(2 * time.Hour)
		}
		list = append(list, a)
	}
	return list
}

func (e *env) importAlerts(list []chatops.Alert) int {
	e.t.Helper()
	n, err := e.store.ImportAlerts(e.ctx, list)
	e.must(err)
	return n
}

func importedOnce(e *env) {
	if n := e.importAlerts(nil); n != 0 {
		e.t.Fatalf("%d of no alerts were new", n)
	}
	list := e.exported()
	if n := e.importAlerts(list); n != len(list) {
		e.t.Fatalf("%d of %d were new", n, len(list))
	}
	if n := e.importAlerts(append(list, list[0])); n != 0 {
		e.t.Fatalf("%d were new at the second time", n)
	}
	stored := e.alerts(chatops.AlertFilter{})
	if len(stored) != len(list) {
		e.t.Fatalf("%d alerts after two imports of %d", len(stored), len(list))
	}
	for i, got := range stored {
		want := list[len(list)-1-i]
		if got.ID >= 1000 || got.NextAttemptAt.IsZero() {
			e.t.Errorf("alert %d is due at %s: it has kept its id, or is never due", got.ID, got.NextAttemptAt)
		}
		want.ID, want.NextAttemptAt, want.Payload = got.ID, got.NextAttemptAt, got.Payload
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) || string(got.Payload) != `{"text":"Łódź \ufffd"}` {
			e.t.Errorf("stored\n%+v\nwant\n%+v", got, want)
		}
	}
	stats, err := e.store.QueueStats(e.ctx)
	e.must(err)
	for _, status := range chatops.AlertStatuses() {
		if n := stats.Total(status); n != 1 {
			e.t.Errorf("the counters have %d %s alerts", n, status)
		}
	}
}

func importedWaits(e *env) {
	list := e.exported()
	e.importAlerts(list)
	var claimed []chatops.AlertStatus
	for _, fresh := range []bool{true, false} {
		for _, a := range e.claim(request(slackLane, fresh, 10)).Alerts {
			claimed = append(claimed, a.Status)
		}
	}
	if fmt.Sprint(claimed) != "[queued pending]" {
		e.t.Fatalf("claimed after an import: %v", claimed)
	}
}

func importedWhole(e *env) {
	for what, spoil := range map[string]func(a *chatops.Alert){
		"no key":         func(a *chatops.Alert) { a.IdempotencyKey = "" },
		"no time":        func(a *chatops.Alert) { a.CreatedAt = time.Time{} },
		"no such status": func(a *chatops.Alert) { a.Status = "sent" },
		"no payload":     func(a *chatops.Alert) { a.Payload = nil },
		"no type":        func(a *chatops.Alert) { a.EventType = "" },
		"negative count": func(a *chatops.Alert) { a.RetryCount = -1 },
	} {
		list := e.exported()
		spoil(&list[3])
		if _, err := e.store.ImportAlerts(e.ctx, list); chatops.ErrorCode(err) != chatops.CodeInvalid {
			e.t.Errorf("%s: %v", what, err)
		}
	}
	if n := len(e.alerts(chatops.AlertFilter{})); n != 0 {
		e.t.Errorf("%d alerts of imports that were refused", n)
	}
}
