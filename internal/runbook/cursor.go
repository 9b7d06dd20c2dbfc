package runbook

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// encodeCursor makes the opaque text of a place in the list; "" for none.
func encodeCursor(c *chatops.AlertCursor) string {
	if c == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "1:%d:%d", c.CreatedAt.UnixMicro(), c.ID))
}

// decodeCursor reads what encodeCursor made; "" is the start.
func decodeCursor(text string) (chatops.AlertCursor, error) {
	var c chatops.AlertCursor
	if text == "" {
		return c, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	parts := strings.Split(string(raw), ":")
	if err == nil && len(parts) == 3 && parts[0] == "1" {
		micros, errTime := strconv.ParseInt(parts[1], 10, 64)
		id, errID := strconv.ParseInt(parts[2], 10, 64)
		c = chatops.AlertCursor{CreatedAt: time.UnixMicro(micros).UTC(), ID: id}
		if errTime == nil && errID == nil && id > 0 && encodeCursor(&c) == text {
			return c, nil
		}
	}
	return chatops.AlertCursor{}, chatops.Errorf(chatops.CodeUsage, "--after %q: must be the next_cursor of an earlier list", text)
}
