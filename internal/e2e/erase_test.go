package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// receipt is what `consent erase -o json` prints, as far as tests read it.
type receipt struct {
	Recipients []struct {
		Name    string `json:"name"`
		Request *int   `json:"request_id"`
		Status  string `json:"status"`
	} `json:"recipients"`
}

// A person of whom Monday has an item is erased: the item is deleted through
// the queue, by the service, and the receipt says that Monday has said so.
func TestErase_DeletesTheItemAtMondayAndTheReceiptSaysSo(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		s, _ := w.serveLinked()
		w.await(1, `select count(*) from leads where monday_item_id is not null`)
		w.await(0, `select count(*) from dead_letter_queue where status <> 'delivered'`)
		for _, line := range script("Ewa Nowak", "ewa@przyklad.pl") { // whose item stays
			s.mustSay("other", line)
		}
		w.await(2, `select count(*) from leads where monday_item_id is not null`)

		done := w.must("consent", "erase", linked, "--reason", "letter", "--yes", "--wait", "30s", "-o", "json")
		var r receipt
		if err := json.Unmarshal([]byte(done.out), &r); err != nil {
			t.Fatalf("%v in %s", err, done.out)
		}
		acknowledged := 0
		for _, p := range r.Recipients {
			if p.Request == nil {
				continue
			}
			acknowledged++
			if p.Status != "delivered" || !strings.HasPrefix(p.Name, "monday:") {
				t.Errorf("recipient %+v, want Monday, who has deleted", p)
			}
			if n := w.number(`select count(*) from dead_letter_queue where id = ? and event_type = 'monday_delete' and status = 'delivered'`, *p.Request); n != 1 {
				t.Errorf("request %d is not what the queue has delivered:\n%s", *p.Request, w.queue())
			}
		}
		items := w.monday.Items()
		if acknowledged != 1 || len(items) != 1 || !strings.Contains(items[0].Name, "Ewa") {
			t.Errorf("%d requests answered, items %+v; want one, and Ewa's item; the receipt:\n%s", acknowledged, items, done.out)
		}
		if again := w.run("consent", "erase", linked, "--yes"); again.code != 3 {
			t.Errorf("erased again: exit %d\n%s", again.code, again.err)
		}
	})
}
