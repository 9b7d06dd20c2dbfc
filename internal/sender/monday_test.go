package sender

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

const extColumn = "text_ext"

var lead = chatops.MondayPayload{
	ItemName: "Żaneta Nowak", ExternalID: "lead:s-1:monday",
	Fields: map[string]string{
		"name": "Żaneta Nowak", "email": "zaneta@x.example", "phone": "+48600100200", "city": "Łódź",
		"square_meters": "65", "budget": "90000", "package": "Comfort", "lead_score": "82", "session_id": "s-1",
	},
}

func mondayAlert(t *testing.T, p chatops.MondayPayload) *chatops.Alert {
	t.Helper()
	return &chatops.Alert{ID: 7, Target: "monday:leads", Status: chatops.AlertQueued, Payload: payload(t, p)}
}

func startMonday(t *testing.T, o MondayOptions) (chatops.AlertSender, *sendertest.Monday) {
	t.Helper()
	fake := sendertest.StartMonday(t, "")
	o.APIKey, o.BoardID, o.URL = "key", "77", fake.URL()
	return only(t, Options{Monday: o}), fake
}

func TestMonday_CreatesTheItemWithItsColumns(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{ExternalIDColumn: extColumn, Columns: map[string]string{
		"email": "email_1:email", "phone": "phone_1:phone", "city": "text_2", "lead_score": "numbers_3:numbers",
		"package": "status_4:status", "name": "long_5:long_text", "budget": "drop_6:dropdown", "unknown": "text_9",
	}})
	receipt, err := s.(chatops.ReceiptSender).SendForReceipt(t.Context(), mondayAlert(t, lead))
	if err != nil {
		t.Fatal(err)
	}
	item := fake.Items()[0]
	if receipt == "" || receipt != item.ID {
		t.Errorf("the receipt is %q, want the item's id %q", receipt, item.ID)
	}
	got, err := json.Marshal(item.Columns)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"drop_6":{"labels":["90000"]},"email_1":{"email":"zaneta@x.example","text":"zaneta@x.example"},` +
		`"long_5":{"text":"Żaneta Nowak"},"numbers_3":"82","phone_1":{"countryShortName":"PL","phone":"+48600100200"},` +
		`"status_4":{"label":"Comfort"},"text_2":"Łódź","text_ext":"lead:s-1:monday"}`
	if item.Board != "77" || item.Name != "Żaneta Nowak" || string(got) != want {
		t.Errorf("item %+v\n got %s\nwant %s", item, got, want)
	}
	header := fake.Requests()[0].Header
	if header.Get("Authorization") != "key" || header.Get("Api-Version") != mondayVersion {
		t.Errorf("header %v", header)
	}
	if fake.Searches() != 0 {
		t.Error("a first attempt searched")
	}
}

func TestMonday_APlainBoardGetsTheFactsInTheName(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{})
	receipt, err := s.(chatops.ReceiptSender).SendForReceipt(t.Context(), mondayAlert(t, lead))
	if err != nil {
		t.Fatal(err)
	}
	item := fake.Items()[0]
	if receipt == "" || receipt != item.ID {
		t.Errorf("the receipt is %q, want the item's id %q", receipt, item.ID)
	}
	want := "Żaneta Nowak · zaneta@x.example · +48600100200 · Łódź · 65 m² · 90000 PLN · Comfort · score 82 (ref " +
		chatops.Digest("lead:s-1:monday", 12) + ")"
	if item.Name != want || len(item.Columns) != 0 {
		t.Errorf("got %q %v\nwant %q", item.Name, item.Columns, want)
	}
}

func TestMonday_TextNeverBecomesPartOfTheQuery(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{ExternalIDColumn: extColumn})
	hostile := lead
	hostile.ItemName = "x\") { id } } mutation { delete_item(item_id: 1"
	if err := s.Send(t.Context(), mondayAlert(t, hostile)); err != nil {
		t.Fatal(err)
	}
	var call struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(fake.Requests()[0].Body, &call); err != nil || call.Query != mondayCreate {
		t.Errorf("query %q, %v", call.Query, err)
	}
	if got := fake.Items()[0].Name; !strings.HasPrefix(got, hostile.ItemName) {
		t.Errorf("name %q", got)
	}
}

// F27: Monday created the item and the reply was lost.
func TestMonday_ALostReplyMakesNoSecondItem(t *testing.T) {
	t.Parallel()
	for _, column := range []string{extColumn, ""} {
		for _, again := range []func(*chatops.Alert){
			func(a *chatops.Alert) { a.Status = chatops.AlertPending },
			func(a *chatops.Alert) { a.RetryCount = 1 },
			func(a *chatops.Alert) { a.LastAttemptAt = noon },
		} {
			s, fake := startMonday(t, MondayOptions{ExternalIDColumn: column})
			other := lead // somebody of the same name and data came first
			other.ExternalID = "lead:s-0:monday"
			if err := s.Send(t.Context(), mondayAlert(t, other)); err != nil {
				t.Fatal(err)
			}
			alert := mondayAlert(t, lead)
			fake.Set(sendertest.WorkThenDrop())
			fails(t, s.Send(t.Context(), alert), chatops.FailAmbiguous)
			fake.Set(sendertest.OK())
			again(alert)
			receipt, err := s.(chatops.ReceiptSender).SendForReceipt(t.Context(), alert)
			if err != nil {
				t.Fatal(err)
			}
			if id := fake.Items()[1].ID; receipt != id {
				t.Errorf("column %q: the receipt is %q, want the first item's id %q", column, receipt, id)
			}
			if n := len(fake.Items()); n != 2 {
				t.Errorf("column %q: %d items, want 2", column, n)
			}
		}
	}
}

func TestMonday_ARetryCreatesWhatTheSearchDoesNotFind(t *testing.T) {
	t.Parallel()
	for _, column := range []string{extColumn, ""} {
		s, fake := startMonday(t, MondayOptions{ExternalIDColumn: column})
		alert := mondayAlert(t, lead)
		fake.Set(sendertest.Status(500, ""))
		fails(t, s.Send(t.Context(), alert), chatops.FailTransient)
		alert.Status = chatops.AlertPending
		fake.Set(sendertest.OK())
		if err := s.Send(t.Context(), alert); err != nil || len(fake.Items()) != 1 || fake.Searches() != 1 {
			t.Errorf("column %q: %v, %d items, %d searches", column, err, len(fake.Items()), fake.Searches())
		}
	}
}

func TestMonday_AServerThatCannotSearchStopsOnlyAConfiguredSearch(t *testing.T) {
	t.Parallel()
	for _, column := range []string{extColumn, ""} {
		s, fake := startMonday(t, MondayOptions{ExternalIDColumn: column})
		fake.NoSearch = true
		alert := mondayAlert(t, lead)
		alert.RetryCount = 2
		err := s.Send(t.Context(), alert)
		if column == "" {
			if err != nil || len(fake.Items()) != 1 {
				t.Errorf("without a column: %v, %d items", err, len(fake.Items()))
			}
			continue
		}
		fails(t, err, chatops.FailMisconfigured)
		if len(fake.Items()) != 0 {
			t.Error("an item was created though the search failed")
		}
	}
}

func TestMonday_ASearchThatFailsCreatesNothing(t *testing.T) {
	t.Parallel()
	for _, column := range []string{extColumn, ""} {
		for name, tt := range map[string]struct {
			behaviour sendertest.Behaviour
			kind      chatops.FailureKind
		}{
			"error 500":    {sendertest.Status(500, "x"), chatops.FailTransient},
			"lost reply":   {sendertest.Drop(), chatops.FailTransient},
			"garbage":      {sendertest.Garbage(), chatops.FailTransient},
			"rate limited": {sendertest.MondayErrors("COMPLEXITY_BUDGET_EXHAUSTED", 9), chatops.FailRateLimited},
			"no right":     {sendertest.MondayErrors("UserUnauthorizedException", 0), chatops.FailMisconfigured},
			"locked out":   {sendertest.Status(401, `{"errors":["Not Authenticated"]}`), chatops.FailMisconfigured},
		} {
			s, fake := startMonday(t, MondayOptions{ExternalIDColumn: column})
			fake.Set(tt.behaviour)
			alert := mondayAlert(t, lead)
			alert.RetryCount = 1
			f := failed(t, s.Send(t.Context(), alert), tt.kind)
			if n := len(fake.Requests()); n != 1 {
				t.Errorf("%s: %d requests (%v), want the search only", name, n, f)
			}
		}
	}
}

func TestMonday_FallsBackToTheAlertsOwnKey(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{ExternalIDColumn: extColumn})
	bare := lead
	bare.ExternalID = ""
	alert := mondayAlert(t, bare)
	alert.IdempotencyKey = "lead:s-1:monday"
	if err := s.Send(t.Context(), alert); err != nil {
		t.Fatal(err)
	}
	if got := fake.Items()[0].Columns[extColumn]; got != "lead:s-1:monday" {
		t.Errorf("external id %v", got)
	}
}

func TestMondayItem_HasAUniqueNameThatFits(t *testing.T) {
	t.Parallel()
	m := &monday{}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 400, -1)
		a := chatops.MondayPayload{ItemName: text.Draw(t, "name"), ExternalID: text.Draw(t, "id"), Fields: map[string]string{"email": text.Draw(t, "email")}}
		b := a
		b.ExternalID += "x"
		first, err := m.item(&a)
		again, err2 := m.item(&a)
		other, err3 := m.item(&b)
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		if utf8.RuneCountInString(first.name) > maxItemName || first.name == other.name || first.name != again.name {
			t.Fatalf("%q, %q", first.name, other.name)
		}
	})
}

func TestMonday_IsSerial(t *testing.T) {
	t.Parallel()
	s := only(t, Options{Monday: MondayOptions{APIKey: "k", BoardID: "1"}})
	if p := s.Policy(); !p.Serial || p.Timeout < headerTimeout+5*time.Second {
		t.Errorf("policy %+v", p)
	}
}
