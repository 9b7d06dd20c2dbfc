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
	return chatops.AlertCursor{}, errCursor(text)
}

// errCursor is the error of an --after that no list has given.
func errCursor(text string) error {
	return chatops.Errorf(chatops.CodeUsage, "--after %q: must be the next_cursor of an earlier list", text)
}

// checkLimit checks the --limit of a list that is shown at once.
func checkLimit(limit int) error {
	if limit < 1 || limit > maxPage {
		return chatops.Errorf(chatops.CodeUsage, "--limit %d: must be 1 to %d", limit, maxPage)
	}
	return nil
}

// checkPage checks the --limit of a list that has further pages.
func checkPage(limit int) error {
	if err := checkLimit(limit); err != nil {
		return chatops.Errorf(chatops.CodeUsage, "%s; --after shows further pages", chatops.ErrorMessage(err))
	}
	return nil
}

// tellPage says on a terminal what a table cannot: that there is nothing, or
// more.
func (e *Env) tellPage(what string, items int, next *string) {
	switch {
	case !e.OutTTY:
	case items == 0:
		e.notef("no %s match", what)
	case next != nil:
		e.notef("there are more: --after %s", *next)
	}
}
