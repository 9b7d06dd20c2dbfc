package drill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// wantSpoilt demands that a drill says that nothing helps any more.
func wantSpoilt(t *testing.T, r *Range, want string) {
	t.Helper()
	if left, err := r.drill.Left(t.Context(), r); !Spoilt(err) || left != "" || err.Error() != want {
		t.Errorf("what is left of %s is %q, %v; want it to be spoilt: %s", r.drill.Name, left, err, want)
	}
}

func TestSpoilt_IsNoErrorOfTheInstallation(t *testing.T) {
	t.Parallel()
	if Spoilt(nil) || Spoilt(chatops.Errorf(chatops.CodeUnavailable, "database is away")) || !Spoilt(spoilt("%d came twice", 2)) {
		t.Error("trouble with a look passes for a repair that went wrong, or the other way round")
	}
}

// crmURL is where the leads for the CRM go.
func crmURL(r *Range) string {
	_, url, _ := strings.Cut(r.Settings()["WEBHOOKS"], "=")
	url, _, _ = strings.Cut(url, "#")
	return url
}

func leadOf(form string, number int) string {
	return fmt.Sprintf(`{"data":{"form":%q,"number":%d}}`, form, number)
}

func TestManyCauses_TwoAreGoneAndOneStays(t *testing.T) {
	t.Parallel()
	r, i := running(t, "many-causes")
	slack, crm := r.Settings()["SLACK_WEBHOOK_URL"], crmURL(r)
	i.statsFunc = func() {
		i.stats.Counts = nil
		i.count(chatops.AlertFailed, int64(len(i.queued)))
		if len(i.queued) == 4 { // before the outage
			if status, _ := post(t, crm, leadOf("contact", 0)); status != http.StatusOK {
				t.Errorf("before the outage the CRM answers %d", status)
			}
			return
		}
		for url, body := range map[string]string{slack: "x", crm: leadOf("contact", 1)} {
			if status, _ := post(t, url, body); status != http.StatusServiceUnavailable {
				t.Errorf("during the outage %s answers %d", url, status)
			}
		}
	}
	if evidence := mustBreak(t, r); evidence != "" {
		t.Errorf("it shows %q", evidence)
	}
	for url, body := range map[string]string{slack: "x", crm: leadOf("contact", 2)} {
		if status, _ := post(t, url, body); status != http.StatusOK {
			t.Errorf("afterwards %s answers %d", url, status)
		}
	}
	if status, text := post(t, crm, leadOf(fairForm, 1)); status != http.StatusUnprocessableEntity {
		t.Errorf("of the form that is closed it takes one: %d %s", status, text)
	}
	types, keys := map[string]int{}, map[string]bool{}
	for _, a := range i.queued {
		types[a.EventType]++
		keys[a.IdempotencyKey] = true
		if err := a.Validate(); err != nil {
			t.Errorf("alert %+v: %v", a, err)
		}
	}
	if types[chatops.EventSlackAlert] != 6 || types[chatops.EventWebhook] != 7 || len(keys) != 13 {
		t.Errorf("queued are %v with %d keys", types, len(keys))
	}
}

func TestManyCauses_AreRepairedByATwofoldDecisionOnly(t *testing.T) {
	t.Parallel()
	r, i := running(t, "many-causes")
	i.count(chatops.AlertFailed, 13)
	wantLeft(t, r, "0 of 9 alerts arrived")
	for n := range 6 {
		post(t, r.Settings()["SLACK_WEBHOOK_URL"], fmt.Sprint(n))
	}
	wantLeft(t, r, "6 of 9 alerts arrived")
	for n := range 3 {
		post(t, crmURL(r), leadOf("contact", n))
	}
	i.stats.Counts = nil
	i.count(chatops.AlertFailed, 4) // everything was retried
	wantLeft(t, r, "4 alerts that nobody will ever take, still there")
	i.stats.Counts = nil
	i.count(chatops.AlertPending, 1)
	i.count(chatops.AlertDiscarded, 3)
	wantLeft(t, r, "1 alert that nobody will ever take, still there")
	i.stats.Counts = nil
	i.count(chatops.AlertDiscarded, 4)
	wantLeft(t, r, "")
	post(t, crmURL(r), leadOf("contact", 1))
	wantSpoilt(t, r, "1 alert came twice")
}

func TestManyCauses_ADiscardOfEverythingSpoilsThem(t *testing.T) {
	t.Parallel()
	r, i := running(t, "many-causes")
	i.count(chatops.AlertDiscarded, 13)
	wantSpoilt(t, r, "13 alerts were discarded, and not all of them were useless")
}

func TestSlowReceiver_ItsCRMIsBackAndSlow(t *testing.T) {
	t.Parallel()
	r, i := running(t, "slow-receiver")
	i.statsFunc = func() {
		i.stats.Counts = nil
		i.count(chatops.AlertFailed, 30)
		if status, _ := post(t, crmURL(r), leadOf("contact", 0)); status != http.StatusServiceUnavailable {
			t.Errorf("during the outage it answers %d", status)
		}
	}
	mustBreak(t, r)
	i.statsFunc = nil
	if len(i.queued) != 30 {
		t.Errorf("%d alerts are queued", len(i.queued))
	}
	wantLeft(t, r, "0 of 30 alerts arrived")
	for n := range 30 {
		post(t, crmURL(r), leadOf("contact", n))
	}
	wantLeft(t, r, "20 of 30 alerts arrived, and the CRM fell over")
	r.crm.mu.Lock()
	r.crm.until, r.crm.isSlow = r.crm.until.Add(-crmAwayFor), false
	r.crm.mu.Unlock()
	i.stats.Counts = nil
	for n := range 10 {
		post(t, crmURL(r), leadOf("contact", 20+n))
	}
	wantLeft(t, r, "")
}

// board is a call that makes an item.
func board(t *testing.T, name, city string) string {
	t.Helper()
	values, err := json.Marshal(map[string]any{"city": map[string][]string{"labels": {city}}})
	if err != nil {
		t.Fatal(err)
	}
	call, err := json.Marshal(map[string]any{"query": "create_item", "variables": map[string]string{"name": name, "values": string(values)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(call)
}

func TestRefusedPayload_OneOfThreeLeadsIsRefused(t *testing.T) {
	t.Parallel()
	r, i := running(t, "refused-payload")
	url := r.Settings()["MONDAY_API_URL"]
	i.count(chatops.AlertFailed, 1)
	i.statsFunc = func() {
		for n, a := range i.queued {
			var p chatops.MondayPayload
			if err := json.Unmarshal(a.Payload, &p); err != nil {
				t.Error(err)
			}
			_, text := post(t, url, board(t, p.ItemName, p.Fields["city"]))
			if refused := strings.Contains(text, "ColumnValueException"); refused != (n == 1) {
				t.Errorf("of lead %d it says %s", n+1, text)
			}
			failed := chatops.Alert{EventType: a.EventType, Payload: a.Payload}
			if err := failed.CheckEdit(a.Payload); err != nil {
				t.Errorf("lead %d cannot be edited: %v", n+1, err)
			}
		}
	}
	mustBreak(t, r)
	if len(i.queued) != 3 || r.Settings()["DLQ_EDIT"] != "true" {
		t.Errorf("%d leads are queued, DLQ_EDIT is %s", len(i.queued), r.Settings()["DLQ_EDIT"])
	}
}

func TestRefusedPayload_IsRepairedByTheRightCityAlone(t *testing.T) {
	t.Parallel()
	r, i := running(t, "refused-payload")
	url := r.Settings()["MONDAY_API_URL"]
	post(t, url, board(t, "Lead 1", "Kraków"))
	post(t, url, board(t, "Lead 3", "Warszawa"))
	i.count(chatops.AlertFailed, 1)
	wantLeft(t, r, "the lead is not on the board")
	i.stats.Counts = nil
	wantSpoilt(t, r, "the lead was given up: nobody will call the lady")
	post(t, url, board(t, "Lead 2", city))
	wantLeft(t, r, "")
	post(t, url, board(t, "Lead 2", city))
	wantSpoilt(t, r, "the board has a lead twice")
}

func TestRefusedPayload_AnotherCityThatTheBoardKnowsIsNoRepair(t *testing.T) {
	t.Parallel()
	r, _ := running(t, "refused-payload")
	for n := range 3 {
		post(t, r.Settings()["MONDAY_API_URL"], board(t, fmt.Sprint("Lead ", n), "Kraków"))
	}
	wantSpoilt(t, r, "the lead is on the board, with another city than hers")
}
