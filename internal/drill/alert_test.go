package drill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestSlackOutage_AlertsFailWhileSlackIsDownAndItIsBackAfterwards(t *testing.T) {
	t.Parallel()
	r, i := running(t, "slack-outage")
	url := r.Settings()["SLACK_WEBHOOK_URL"]
	looks := 0
	i.statsFunc = func() {
		if looks++; looks == 1 {
			if status, _ := post(t, url, "x"); status != http.StatusServiceUnavailable {
				t.Errorf("while alerts are sent Slack answers %d", status)
			}
			i.count(chatops.AlertFailed, 12)
		}
	}
	if evidence := mustBreak(t, r); evidence != "" {
		t.Errorf("it shows %q", evidence)
	}
	if status, _ := post(t, url, "afterwards"); status != http.StatusOK {
		t.Errorf("afterwards Slack answers %d", status)
	}
	if len(i.queued) != 12 || i.announced != 1 {
		t.Fatalf("%d alerts were queued and announced %d times", len(i.queued), i.announced)
	}
	keys := map[string]bool{}
	for n, a := range i.queued {
		var p chatops.SlackPayload
		if err := json.Unmarshal(a.Payload, &p); err != nil || p.Text != fmt.Sprintf("New lead no. %d", n+1) {
			t.Errorf("alert %d says %s, %v", n, a.Payload, err)
		}
		if err := a.Validate(); err != nil || a.EventType != chatops.EventSlackAlert || a.Target != "slack:alerts" || keys[a.IdempotencyKey] {
			t.Errorf("alert %d is %+v, %v", n, a, err)
		}
		keys[a.IdempotencyKey] = true
	}
}

func TestSlackOutage_IsOverWhenEachAlertHasArrivedOnce(t *testing.T) {
	t.Parallel()
	r, i := running(t, "slack-outage")
	url := r.Settings()["SLACK_WEBHOOK_URL"]
	wantLeft(t, r, "0 of 12 alerts arrived")
	for n := range 11 {
		post(t, url, fmt.Sprint(n))
	}
	wantLeft(t, r, "11 of 12 alerts arrived")
	post(t, url, "the last")
	wantLeft(t, r, "")
	for _, status := range []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed} {
		i.stats.Counts = nil
		i.count(status, 1)
		wantLeft(t, r, "12 of 12 alerts arrived") // one that waits may come twice
	}
	i.stats.Counts = nil
	i.count(chatops.AlertDelivered, 12)
	i.count(chatops.AlertDiscarded, 3)
	i.count(chatops.AlertCancelled, 3)
	wantLeft(t, r, "")
	post(t, url, "the last")
	wantSpoilt(t, r, "1 alert came twice")
}

func TestMondayErrors_ShowTheMailThatWasSent(t *testing.T) {
	t.Parallel()
	r, i := running(t, "monday-errors")
	url := r.Settings()["MONDAY_API_URL"]
	i.statsFunc = func() {
		if len(i.stats.Counts) > 0 {
			return
		}
		if _, text := post(t, url, `{"query":"create_item"}`); !strings.Contains(text, "This status label doesn't exist") {
			t.Errorf("while alerts are sent the board answers %s", text)
		}
		i.count(chatops.AlertFailed, 3)
		dialogue(t, r.mail, "EHLO x", "MAIL FROM:<a@x.pl>", "RCPT TO:<b@x.pl>", "DATA", "From: a\r\nSubject: 3 alerts failed\r\n\r\nlook\r\n.")
	}
	if evidence := mustBreak(t, r); evidence != "Subject: 3 alerts failed\n\nlook" {
		t.Errorf("it shows %q", evidence)
	}
	if len(i.queued) != 3 || r.Settings()["ESCALATION_EMAIL"] == "" {
		t.Errorf("%d alerts are queued, failures are mailed to %q", len(i.queued), r.Settings()["ESCALATION_EMAIL"])
	}
	ids := map[string]bool{}
	for n, a := range i.queued {
		var p chatops.MondayPayload
		if err := json.Unmarshal(a.Payload, &p); err != nil || p.ItemName != fmt.Sprintf("Lead %d", n+1) || ids[p.ExternalID] {
			t.Errorf("alert %d is %s, %v", n, a.Payload, err)
		}
		if ids[p.ExternalID] = true; a.Target != chatops.TargetMondayLeads || a.EventType != chatops.EventMondayItem {
			t.Errorf("alert %d is for %s, a %s", n, a.Target, a.EventType)
		}
	}
}

func TestMondayErrors_AreRepairedWhenTheBoardHasEachItemOnce(t *testing.T) {
	t.Parallel()
	r, _ := running(t, "monday-errors")
	url := r.Settings()["MONDAY_API_URL"]
	item := func(n int) string { return fmt.Sprintf(`{"query":"create_item","variables":{"name":"Lead %d"}}`, n) }
	wantLeft(t, r, "0 of 3 alerts arrived")
	for n := range 3 {
		if _, text := post(t, url, item(n)); !strings.Contains(text, fmt.Sprintf(`"id":"%d"`, 1000+n)) {
			t.Errorf("item %d is %s", n, text)
		}
	}
	wantLeft(t, r, "")
	post(t, url, item(1))
	wantSpoilt(t, r, "1 alert came twice")
}

func TestBreakerStuck_IsTrippedBeforeAnythingIsQueued(t *testing.T) {
	t.Parallel()
	r, i := running(t, "breaker-stuck")
	i.instances[0].Revision = 8 // it obeys at once
	if evidence := mustBreak(t, r); evidence != "" {
		t.Errorf("it shows %q", evidence)
	}
	if len(i.orders) != 1 || len(i.queued) != 5 {
		t.Fatalf("orders %+v, %d alerts", i.orders, len(i.queued))
	}
	o := i.orders[0]
	if err := o.Validate(); err != nil || o.Name != "slack" || o.Mode != chatops.BreakerTripped || o.For != 0 || o.Actor == "" || o.Reason == "" {
		t.Errorf("it is ordered %+v, %v", o, err)
	}
}

func TestBreakerStuck_IsNotRepairedWhileAnyBreakerIsTripped(t *testing.T) {
	t.Parallel()
	r, i := running(t, "breaker-stuck")
	url := r.Settings()["SLACK_WEBHOOK_URL"]
	i.controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: chatops.BreakerTripped}}
	for n := range 5 {
		post(t, url, fmt.Sprint(n))
	}
	wantLeft(t, r, "a breaker is still tripped")
	i.controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: chatops.BreakerAuto}, {Name: "email", Mode: chatops.BreakerTripped}}
	wantLeft(t, r, "a breaker is still tripped")
	for _, mode := range []chatops.BreakerMode{chatops.BreakerAuto, chatops.BreakerReset} {
		i.controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: mode}}
		wantLeft(t, r, "")
	}
	i.count(chatops.AlertPending, 1)
	wantLeft(t, r, "5 of 5 alerts arrived")
}

func TestLeft_OfNothingThatCanBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		if name == "redis-loss" || name == "serve-refuses" { // start servers
			continue
		}
		r, i := running(t, name)
		visited(t, r, 1)
		i.err = chatops.Errorf(chatops.CodeUnavailable, "database is away")
		if left, err := r.drill.Left(t.Context(), r); chatops.ErrorCode(err) != chatops.CodeUnavailable {
			t.Errorf("%s: left %q, %v; want the error of the database", name, left, err)
		}
	}
}

func TestBreak_EndsWithTheErrorOfTheInstallation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"slack-outage", "monday-errors", "breaker-stuck", "limiter-storm", "job-paused", "opt-out-race", "many-causes", "refused-payload", "slow-receiver", "job-failed", "uncertain-followup"} {
		r, i := running(t, name)
		visited(t, r, 1)
		statements(r)
		i.err = chatops.Errorf(chatops.CodeUnavailable, "database is away")
		if _, err := r.drill.Break(t.Context(), r); err == nil || err.Error() != "database is away" {
			t.Errorf("%s: %v, want the error of the database", name, err)
		}
	}
}
