package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// keepReceipt leaves an item alone that the lead has been given before.
const keepReceipt = `
update leads set monday_item_id = $3::text, updated_at = ` + dbNow + `
where session_id = $2::text and coalesce(monday_item_id, '') = ''`

// queueReceipts notes the items that Monday has made for leads.
func queueReceipts(b *pgx.Batch, now *time.Time, rec *chatops.Record) {
	for i := range rec.Outcomes {
		o := &rec.Outcomes[i]
		if o.Receipt == "" || o.Kind != chatops.OutcomeDelivered {
			continue
		}
		for j := range rec.Batch.Alerts {
			a := &rec.Batch.Alerts[j]
			if session := a.LeadSession(); a.ID == o.AlertID && a.EventType == chatops.EventMondayItem && session != "" {
				b.Queue(keepReceipt, now, chatops.CleanText(session), chatops.CleanText(o.Receipt))
			}
		}
	}
}
