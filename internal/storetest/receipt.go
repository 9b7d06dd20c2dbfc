package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func receiptCases() []testCase {
	return []testCase{
		{"Record_KeepsTheItemThatMondayMade", receiptKept},
		{"Record_KeepsTheFirstItemOfALead", receiptFirst},
		{"Record_KeepsNoItemOfWhatIsNotMondays", receiptOthers},
		{"Record_OfALostLease_KeepsNoItem", receiptLost},
	}
}

// claimLead stores a session's lead and its alerts, and claims the alert of a
// lane.
func (e *env) claimLead(session, lane string) *chatops.Batch {
	e.t.Helper()
	e.save(leadTurn(session))
	b := e.claim(request(lane, true, 10))
	if len(b.Alerts) != 1 {
		e.t.Fatalf("claimed %d alerts of %s, want 1", len(b.Alerts), lane)
	}
	return b
}

// receipted are the outcomes of a batch, all with one receipt.
func receipted(b *chatops.Batch, kind chatops.OutcomeKind, receipt string) chatops.Record {
	rec := chatops.Record{Batch: b, Outcomes: outcomes(kind, ids(b)...), Done: true}
	for i := range rec.Outcomes {
		rec.Outcomes[i].Receipt = receipt
	}
	return rec
}

func (e *env) wantItem(session, want string) {
	e.t.Helper()
	l, err := e.store.LeadBySession(e.ctx, session)
	e.must(err)
	if l.MondayItemID != want {
		e.t.Fatalf("lead of %s has item %q, want %q", session, l.MondayItemID, want)
	}
}

func receiptKept(e *env) {
	e.record(receipted(e.claimLead("a:b:c", mondayLane), chatops.OutcomeDelivered, "4711"))
	e.wantItem("a:b:c", "4711")
	b := e.claimLead("later", mondayLane)
	e.record(receipted(b, chatops.OutcomeRetry, "4712"))
	e.wantItem("later", "")
	e.clock.Advance(time.Hour)
	e.record(receipted(e.claim(request(mondayLane, false, 10)), chatops.OutcomeDelivered, "x\x00y"))
	e.wantItem("later", chatops.CleanText("x\x00y"))
	e.wantItem("a:b:c", "4711")
}

func receiptFirst(e *env) {
	b := e.claimLead("first", mondayLane)
	e.exec(`UPDATE leads SET monday_item_id = '1' WHERE session_id = 'first'`)
	e.record(receipted(b, chatops.OutcomeDelivered, "2"))
	e.wantItem("first", "1")
}

func receiptOthers(e *env) {
	e.record(receipted(e.claimLead("slack", slackLane), chatops.OutcomeDelivered, "ts-1"))
	e.wantItem("slack", "")
	e.record(receipted(e.claim(request(mondayLane, true, 10)), chatops.OutcomeDelivered, ""))
	e.wantItem("slack", "")
	for _, key := range []string{"", "other:slack:monday", "lead:", "lead:slack", "lead::monday"} {
		_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{newAlert(mondayLane, key)})
		e.must(err)
	}
	b := e.claim(request(mondayLane, true, 10))
	if len(b.Alerts) != 5 {
		e.t.Fatalf("claimed %d alerts, want 5", len(b.Alerts))
	}
	e.record(receipted(b, chatops.OutcomeDelivered, "3"))
	e.wantItem("slack", "")
}

func receiptLost(e *env) {
	b := e.claimLead("lost", mondayLane)
	e.clock.Advance(2 * lease)
	e.sweepAny()
	_, err := e.store.Record(e.ctx, receipted(b, chatops.OutcomeDelivered, "4"))
	e.wantCode(err, chatops.CodeConflict)
	e.wantItem("lost", "")
}
