package sqlite

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// timeFormat is how times are stored: text that sorts, in UTC.
const timeFormat = "2006-01-02 15:04:05.000000"

// stamp renders a time for the database.
func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// stampOrNull is stamp, with the zero time as null.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// timeColumn scans a stored time; null and the empty text are the zero time.
type timeColumn struct{ to *time.Time }

// Scan also reads what older writers and SQLite's own functions store: fewer
// digits, a T, a zone.
func (c timeColumn) Scan(v any) error {
	var text string
	switch v := v.(type) {
	case nil:
	case string:
		text = v
	case time.Time:
		*c.to = v.UTC()
		return nil
	default:
		return fmt.Errorf("stored time is a %T", v)
	}
	*c.to = time.Time{}
	if text == "" {
		return nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999", time.RFC3339Nano, "2006-01-02T15:04:05.999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			*c.to = at.UTC()
			return nil
		}
	}
	return fmt.Errorf("stored time %q cannot be read", text)
}

// textColumn scans text; null is empty.
type textColumn struct{ to *string }

// Scan takes text as it is.
func (c textColumn) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.to = ""
	case string:
		*c.to = v
	case []byte:
		*c.to = string(v)
	default:
		*c.to = fmt.Sprint(v)
	}
	return nil
}

// text cleans a value for the database.
func text(s string) string { return chatops.CleanText(s) }

// textOrNull is text, with the empty text as null.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return chatops.CleanText(s)
}

// or returns the first of two texts that is not empty.
func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
