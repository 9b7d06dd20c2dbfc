package sender

import (
	"encoding/json"
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// maxItemName is Monday's limit, in characters.
const maxItemName = 255

// mondayItem is an item as it is sent.
type mondayItem struct {
	name       string
	values     string // column_values: JSON in a string
	externalID string
}

// mondayColumn is where one of our fields goes.
type mondayColumn struct{ field, id, kind string }

// mondayColumns reads the mapping, ordered by field so that requests are stable.
func mondayColumns(mapping map[string]string) ([]mondayColumn, error) {
	columns := make([]mondayColumn, 0, len(mapping))
	for field, target := range mapping {
		id, kind, typed := strings.Cut(target, ":")
		if !typed {
			kind = "text"
		}
		if id == "" || columnValue(kind, "x") == nil {
			return nil, chatops.Errorf(chatops.CodeInvalid,
				"MONDAY_COLUMNS: %s=%s: must be a column id, or id:type with a type of text, email, phone, numbers, long_text, status or dropdown",
				field, target)
		}
		columns = append(columns, mondayColumn{field, id, kind})
	}
	slices.SortFunc(columns, func(a, b mondayColumn) int { return strings.Compare(a.field, b.field) })
	return columns, nil
}

// columnValue gives a value the shape that a column type wants, nil for a type
// that is not known (developer.monday.com, "Column types reference").
func columnValue(kind, value string) any {
	switch kind {
	case "text", "numbers":
		return value
	case "email":
		return map[string]string{"email": value, "text": value}
	case "phone":
		phone := map[string]string{"phone": value}
		if strings.HasPrefix(value, "+48") {
			phone["countryShortName"] = "PL"
		}
		return phone
	case "long_text":
		return map[string]string{"text": value}
	case "status":
		return map[string]string{"label": value}
	case "dropdown":
		return map[string][]string{"labels": {value}}
	}
	return nil
}

// item builds the item. It is the same for every attempt of an alert, or a
// search by name would not find it.
func (m *monday) item(p *chatops.MondayPayload) (*mondayItem, error) {
	values := map[string]any{}
	for _, c := range m.columns {
		if v := strings.ToValidUTF8(p.Fields[c.field], "\uFFFD"); v != "" {
			values[c.id] = columnValue(c.kind, v)
		}
	}
	name := p.ItemName
	if len(m.columns) == 0 {
		name = strings.Join(append([]string{name}, facts(p.Fields)...), " · ")
	}
	item := &mondayItem{externalID: p.ExternalID}
	if column := m.options.ExternalIDColumn; column != "" {
		values[column] = p.ExternalID
		item.name = oneLine(name, maxItemName)
	} else {
		mark := " (ref " + chatops.Digest(p.ExternalID, 12) + ")"
		item.name = oneLine(name, maxItemName-len(mark)) + mark
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, failure(chatops.FailPermanent, "payload_invalid", "monday: payload cannot be encoded")
	}
	item.values = string(text)
	return item, nil
}

// facts are the fields that a salesperson needs, for a board without columns.
func facts(fields map[string]string) []string {
	var list []string
	for _, f := range []struct{ field, before, after string }{
		{field: "email"}, {field: "phone"}, {field: "city"},
		{field: "square_meters", after: " m²"}, {field: "budget", after: " PLN"},
		{field: "package"}, {field: "lead_score", before: "score "},
	} {
		if value := strings.TrimSpace(fields[f.field]); value != "" {
			list = append(list, f.before+value+f.after)
		}
	}
	return list
}
