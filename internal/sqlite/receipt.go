package sqlite

import "chatops/internal/chatops"

// keepReceipt leaves an item alone that the lead has been given before.
const keepReceipt = `
update leads set monday_item_id = ?2, updated_at = ?3 where session_id = ?1 and coalesce(monday_item_id, '') = ''`

// keepReceipts notes the items that Monday has made for leads.
func (tx *writeTx) keepReceipts(rec *chatops.Record) error {
	for i := range rec.Outcomes {
		o := &rec.Outcomes[i]
		if o.Receipt == "" || o.Kind != chatops.OutcomeDelivered {
			continue
		}
		for j := range rec.Batch.Alerts {
			a := &rec.Batch.Alerts[j]
			session := a.LeadSession()
			if a.ID != o.AlertID || a.EventType != chatops.EventMondayItem || session == "" {
				continue
			}
			if _, err := tx.exec(keepReceipt, text(session), text(o.Receipt), stamp(tx.now)); err != nil {
				return err
			}
		}
	}
	return nil
}
