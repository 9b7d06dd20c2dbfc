package sender

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// mondayVersion pins the API (header API-Version); without it Monday moves its
// callers to a new version every quarter.
const mondayVersion = "2026-04"

const mondayDefaultURL = "https://api.monday.com/v2"

// MondayOptions configures the Monday sender.
type MondayOptions struct {
	APIKey  string // with BoardID empty too: not configured
	BoardID string
	URL     string // empty: https://api.monday.com/v2
	// Columns maps our field names (see chatops.MondayPayload) to column ids,
	// each optionally followed by ":" and the column's type: text (default),
	// email, phone, numbers, long_text, status or dropdown. Without any, the
	// fields become part of the item's name.
	Columns map[string]string
	// ExternalIDColumn is a text column that keeps the payload's external id.
	// Without it the item's name ends in a short form of the id.
	ExternalIDColumn string
}

// The operations. Values go in as variables, never into the text.
const (
	mondayCreate = `mutation create($board: ID!, $name: String!, $values: JSON!) {` +
		` create_item(board_id: $board, item_name: $name, column_values: $values) { id } }`
	mondaySearch = `query find($board: ID!, $column: String!, $value: String!) {` +
		` items_page_by_column_values(limit: 1, board_id: $board,` +
		` columns: [{column_id: $column, column_values: [$value]}]) { items { id } } }`
	mondayDelete = `mutation remove($item: ID!) { delete_item(item_id: $item) { id } }`
)

// monday creates items on one board.
type monday struct {
	options MondayOptions
	columns []mondayColumn
	http    *httpClient
	nowFunc func() time.Time
}

func buildMonday(o *Options) ([]chatops.AlertSender, error) {
	m := o.Monday
	switch {
	case m.APIKey == "" && m.BoardID == "":
		return nil, nil
	case m.APIKey == "":
		return nil, chatops.Errorf(chatops.CodeInvalid, "MONDAY_API_KEY: must be set where MONDAY_BOARD_ID is")
	case m.BoardID == "":
		return nil, chatops.Errorf(chatops.CodeInvalid, "MONDAY_BOARD_ID: must be set where MONDAY_API_KEY is")
	case strings.ContainsFunc(m.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, chatops.Errorf(chatops.CodeInvalid, "MONDAY_API_KEY: holds characters that no key has")
	}
	if m.URL == "" {
		m.URL = mondayDefaultURL
	}
	if err := checkEndpoint("MONDAY_API_URL", m.URL); err != nil {
		return nil, err
	}
	columns, err := mondayColumns(m.Columns)
	if err != nil {
		return nil, err
	}
	return []chatops.AlertSender{&monday{
		options: m, columns: columns,
		http: newHTTPClient("monday", o.Version, nil), nowFunc: o.NowFunc,
	}}, nil
}

func (m *monday) Integration() string { return "monday" }

func (m *monday) Policy() chatops.LanePolicy {
	return chatops.LanePolicy{Serial: true, Timeout: 20 * time.Second}
}

// Send is SendForReceipt for a caller who does not ask for the item.
func (m *monday) Send(ctx context.Context, alert *chatops.Alert) error {
	_, err := m.SendForReceipt(ctx, alert)
	return err
}

// SendForReceipt creates the item of a chatops.MondayPayload and returns its id.
// Where an earlier attempt may have created it already, it is looked for first,
// and being found is success. A chatops.MondayDeletePayload deletes an item.
func (m *monday) SendForReceipt(ctx context.Context, alert *chatops.Alert) (string, error) {
	if alert.EventType == chatops.EventMondayDelete {
		return "", m.remove(ctx, alert)
	}
	var payload chatops.MondayPayload
	if f := decodePayload("monday", alert, &payload); f != nil {
		return "", f
	}
	if strings.TrimSpace(payload.ItemName) == "" {
		return "", failure(chatops.FailPermanent, "payload_invalid", "monday: payload has no item_name")
	}
	if payload.ExternalID == "" {
		payload.ExternalID = alert.Reference()
	}
	item, err := m.item(&payload)
	if err != nil {
		return "", err
	}
	if triedBefore(alert) {
		switch id, found, err := m.find(ctx, item); {
		case err != nil:
			return "", err
		case found:
			return id, nil
		}
	}
	return m.create(ctx, item)
}

// triedBefore reports whether an attempt for the alert may have been made.
func triedBefore(alert *chatops.Alert) bool {
	return alert.RetryCount > 0 || alert.Status == chatops.AlertPending || !alert.LastAttemptAt.IsZero()
}

func (m *monday) create(ctx context.Context, item *mondayItem) (string, error) {
	answer, err := m.call(ctx, mondayCreate, map[string]string{
		"board": m.options.BoardID, "name": item.name, "values": item.values,
	})
	if err != nil {
		return "", err
	}
	// An id counts even beside errors: the item exists.
	if id := answer.created(); id != "" {
		return id, nil
	}
	if f := answer.failure(m.nowFunc()); f != nil {
		return "", f
	}
	f := failure(chatops.FailAmbiguous, "reply_invalid", "monday: reply to create_item has no item id")
	f.HTTPStatus = answer.reply.status
	return "", f
}

// find looks for the item by the external id's column, or by its name where
// no such column is configured. In the latter case an answer that shows only
// that the server cannot search means not found: nothing was promised.
func (m *monday) find(ctx context.Context, item *mondayItem) (id string, found bool, err error) {
	column, value := "name", item.name
	if m.options.ExternalIDColumn != "" {
		column, value = m.options.ExternalIDColumn, item.externalID
	}
	answer, err := m.call(ctx, mondaySearch, map[string]string{
		"board": m.options.BoardID, "column": column, "value": value,
	})
	if err != nil {
		return "", false, unsent(err)
	}
	if id, found, ok := answer.found(); ok {
		return id, found, nil
	}
	if m.options.ExternalIDColumn == "" && answer.cannotSearch() {
		return "", false, nil
	}
	if f := answer.failure(m.nowFunc()); f != nil {
		return "", false, f
	}
	f := failure(chatops.FailTransient, "reply_invalid", "monday: reply to the search has no items")
	f.HTTPStatus = answer.reply.status
	return "", false, f
}

// unsent lowers an ambiguous failure of a request that changes nothing.
func unsent(err error) error {
	if f, ok := errors.AsType[*chatops.SendError](err); ok && f.Kind == chatops.FailAmbiguous {
		f.Kind = chatops.FailTransient
	}
	return err
}

func (m *monday) call(ctx context.Context, query string, variables map[string]string) (*mondayAnswer, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, failure(chatops.FailPermanent, "payload_invalid", "monday: payload cannot be encoded")
	}
	reply, err := m.http.post(ctx, m.options.URL, body, http.Header{
		"Authorization": {m.options.APIKey},
		"Api-Version":   {mondayVersion},
	})
	if err != nil {
		return nil, err
	}
	return readMonday(reply), nil
}
