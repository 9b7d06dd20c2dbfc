package e2e

import (
	"strconv"
	"testing"

	"chatops/internal/sendertest"
)

// F27: Monday has made the item and its reply is lost. The retry finds the item
// and makes no second one.
func TestMonday_ReplyLost_MakesNoSecondItem(t *testing.T) {
	t.Parallel()
	ways := map[string]sendertest.Behaviour{
		"connection closed": sendertest.WorkThenDrop(),
		"no answer":         {Work: true, Hang: true},
		"garbled answer":    {Work: true, Status: 200, Body: `{"data":{"create_`},
	}
	for name, lost := range ways {
		for _, column := range []string{"text_ext", ""} {
			t.Run(name+" column="+column, func(t *testing.T) {
				t.Parallel()
				takeTurns(t, func(t *testing.T, w *world) {
					w.env["MONDAY_EXTERNAL_ID_COLUMN"] = column
					w.monday.Script(lost)
					w.serve()
					id := w.enqueue("monday_item", "monday:leads", mondayPayload, "lead:s1:monday")
					w.await(1, `select count(*) from dead_letter_queue where status = 'pending'`)
					if n := w.number(`select count(*) from delivery_attempt where outcome = 'ambiguous'`); n != 1 {
						t.Errorf("%d ambiguous attempts, want 1:\n%s", n, w.queue())
					}
					w.must("dlq", "retry", strconv.Itoa(id), "--yes", "--now")
					if n := len(w.monday.Items()); n != 1 {
						t.Errorf("%d items on the board, want 1", n)
					}
					if w.monday.Searches() == 0 {
						t.Error("the retry did not look for the item")
					}
				})
			})
		}
	}
}
