package sendertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// MondayItem is an item on the fake's board.
type MondayItem struct {
	ID      string
	Board   string
	Name    string
	Columns map[string]any // column id -> value as given
}

// Monday plays the part of Monday's GraphQL API that the product uses:
// create_item, delete_item, and items_page_by_column_values over text columns and "name".
type Monday struct {
	*HTTP
	// NoSearch makes it answer every search with a schema error, like a server
	// that knows create_item only. Set it before the first request.
	NoSearch bool

	mu       sync.Mutex
	items    []MondayItem
	made     int
	searches int
}

// StartMonday starts the fake with an empty board; see StartHTTP.
func StartMonday(tb testing.TB, addr string) *Monday {
	tb.Helper()
	m := &Monday{}
	m.HTTP = startHTTP(tb, addr, m.work)
	return m
}

// URL returns the API's address.
func (m *Monday) URL() string { return m.HTTP.URL() + "v2" }

// Items returns a copy of the items created so far, oldest first.
func (m *Monday) Items() []MondayItem {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]MondayItem(nil), m.items...)
}

// Searches returns how many searches were executed.
func (m *Monday) Searches() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.searches
}

type mondayVariables struct {
	Board  string `json:"board"`
	Name   string `json:"name"`
	Values string `json:"values"` // JSON in a string, as Monday's JSON scalar wants it
	Column string `json:"column"`
	Value  string `json:"value"`
	Item   string `json:"item"`
}

func (m *Monday) work(r Request) string {
	var call struct {
		Query     string          `json:"query"`
		Variables mondayVariables `json:"variables"`
	}
	if err := json.Unmarshal(r.Body, &call); err != nil {
		return graphQLError("JsonParseException", "the request is not JSON: "+err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") == "":
		return `{"errors":["Not Authenticated"]}`
	case strings.Contains(call.Query, "create_item"):
		return m.create(call.Variables)
	case strings.Contains(call.Query, "delete_item"):
		return m.remove(call.Variables)
	case strings.Contains(call.Query, "items_page_by_column_values") && !m.NoSearch:
		return m.search(call.Variables)
	}
	return graphQLError("undefinedField", "Field doesn't exist on type 'Query'")
}

func (m *Monday) create(v mondayVariables) string {
	item := MondayItem{ID: fmt.Sprint(1000 + m.made), Board: v.Board, Name: v.Name}
	if v.Values != "" {
		if err := json.Unmarshal([]byte(v.Values), &item.Columns); err != nil {
			return graphQLError("JsonParseException", "column_values: "+err.Error())
		}
	}
	if v.Board == "" || v.Name == "" {
		return graphQLError("missingRequiredArguments", "board_id and item_name are required")
	}
	m.made++
	m.items = append(m.items, item)
	return mustJSON(map[string]any{"data": map[string]any{"create_item": map[string]any{"id": item.ID}}})
}

func (m *Monday) remove(v mondayVariables) string {
	left := len(m.items)
	m.items = slices.DeleteFunc(m.items, func(i MondayItem) bool { return i.ID == v.Item })
	if len(m.items) == left {
		return graphQLError("InvalidItemIdException", "the item does not exist")
	}
	return mustJSON(map[string]any{"data": map[string]any{"delete_item": map[string]any{"id": v.Item}}})
}

func (m *Monday) search(v mondayVariables) string {
	m.searches++
	found := []any{}
	for _, item := range m.items {
		if item.Board == v.Board && (v.Column == "name" && item.Name == v.Value || item.Columns[v.Column] == v.Value) {
			found = append(found, map[string]any{"id": item.ID})
		}
	}
	return mustJSON(map[string]any{"data": map[string]any{
		"items_page_by_column_values": map[string]any{"items": found},
	}})
}

func graphQLError(code, message string) string {
	return mustJSON(map[string]any{"errors": []any{map[string]any{
		"message": message, "extensions": map[string]any{"code": code},
	}}})
}
