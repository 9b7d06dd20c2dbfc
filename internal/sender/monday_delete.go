package sender

import (
	"context"
	"strings"

	"chatops/internal/chatops"
)

// remove deletes an item. An item that is not there counts as deleted: somebody
// has done it by hand, or the reply to an earlier attempt was lost.
func (m *monday) remove(ctx context.Context, alert *chatops.Alert) error {
	var payload chatops.MondayDeletePayload
	if f := decodePayload("monday", alert, &payload); f != nil {
		return f
	}
	if strings.Trim(payload.ItemID, "0123456789") != "" || payload.ItemID == "" {
		return failure(chatops.FailPermanent, "payload_invalid", "monday: payload has no item_id of digits")
	}
	answer, err := m.call(ctx, mondayDelete, map[string]string{"item": payload.ItemID})
	if err != nil {
		return unsent(err) // to delete twice does no harm
	}
	if answer.deleted() || answer.itemGone() {
		return nil
	}
	if f := answer.failure(m.nowFunc()); f != nil {
		return unsent(f)
	}
	f := failure(chatops.FailTransient, "reply_invalid", "monday: reply to delete_item has no item id")
	f.HTTPStatus = answer.reply.status
	return f
}

// deleted reports whether the answer names the item that was deleted.
func (a *mondayAnswer) deleted() bool {
	return a.reply.ok() && itemID(a.data["delete_item"]) != ""
}

// itemGone reports whether the server says that there is no such item.
func (a *mondayAnswer) itemGone() bool {
	if a.err == nil {
		return false
	}
	switch message := strings.ToLower(a.err.message); fold(a.err.code) {
	case "invaliditemidexception", "itemnotfoundexception":
		return true
	case "resourcenotfoundexception", "invalidargumentexception":
		return strings.Contains(message, "item") && !strings.Contains(message, "board")
	default:
		return strings.Contains(message, "item not found")
	}
}
