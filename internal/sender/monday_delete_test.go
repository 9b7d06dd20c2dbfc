package sender

import (
	"errors"
	"strings"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

func deletion(t *testing.T, item string) *chatops.Alert {
	t.Helper()
	return &chatops.Alert{
		ID: 8, EventType: chatops.EventMondayDelete, Target: "monday:leads", Status: chatops.AlertQueued,
		Payload: payload(t, chatops.MondayDeletePayload{ItemID: item}),
	}
}

func TestMonday_DeletesTheItemOfSomebodyWhoWasErased(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{})
	id, err := s.(chatops.ReceiptSender).SendForReceipt(t.Context(), mondayAlert(t, lead))
	if err != nil {
		t.Fatal(err)
	}
	for attempt := range 2 { // the second finds it gone
		receipt, err := s.(chatops.ReceiptSender).SendForReceipt(t.Context(), deletion(t, id))
		if err != nil || receipt != "" {
			t.Fatalf("attempt %d: %q, %v", attempt, receipt, err)
		}
		if n := len(fake.Items()); n != 0 {
			t.Fatalf("%d items are left", n)
		}
	}
	requests := fake.Requests()
	last := string(requests[len(requests)-1].Body)
	if !strings.Contains(last, "delete_item") || !strings.Contains(last, `"item":"`+id+`"`) {
		t.Errorf("request %s", last)
	}
}

func TestMonday_ADeletionThatFailsIsTriedAgainOrGivenUpByItsKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply sendertest.Behaviour
		want  chatops.FailureKind
	}{
		"down":        {sendertest.Behaviour{Status: 503}, chatops.FailTransient},
		"no id":       {sendertest.Behaviour{Status: 200, Body: `{"data":{"delete_item":null}}`}, chatops.FailTransient},
		"forbidden":   {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"extensions":{"code":"USER_UNAUTHORIZED"}}]}`}, chatops.FailMisconfigured},
		"rate limit":  {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"extensions":{"code":"ComplexityException"}}]}`}, chatops.FailRateLimited},
		"no board":    {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"message":"board of the item","extensions":{"code":"ResourceNotFoundException"}}]}`}, chatops.FailMisconfigured},
		"no json":     {sendertest.Behaviour{Status: 200, Body: `<html>`}, chatops.FailTransient},
		"gone by id":  {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"extensions":{"code":"InvalidItemIdException"}}]}`}, ""},
		"gone by res": {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"message":"Item 7 is missing","extensions":{"code":"ResourceNotFoundException"}}]}`}, ""},
		"gone":        {sendertest.Behaviour{Status: 200, Body: `{"errors":[{"message":"Item not found"}]}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, fake := startMonday(t, MondayOptions{})
			fake.Script(c.reply)
			wantKind(t, s.Send(t.Context(), deletion(t, "7")), c.want)
		})
	}
}

func TestMonday_ADeletionWithoutAnItemIsPermanent(t *testing.T) {
	t.Parallel()
	s, fake := startMonday(t, MondayOptions{})
	for _, item := range []string{"", "x", "7) { id } #", "-1"} {
		wantKind(t, s.Send(t.Context(), deletion(t, item)), chatops.FailPermanent)
	}
	if n := len(fake.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// wantKind fails unless the error is of the kind; "" stands for none.
func wantKind(t *testing.T, err error, want chatops.FailureKind) {
	t.Helper()
	f, ok := errors.AsType[*chatops.SendError](err)
	if want == "" && err == nil || ok && f.Kind == want {
		return
	}
	t.Errorf("error is %v, want %q", err, want)
}
