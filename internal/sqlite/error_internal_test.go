package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"chatops/internal/chatops"
)

func TestTranslate(t *testing.T) {
	t.Parallel()
	own := chatops.Errorf(chatops.CodeInvalid, "mine")
	for _, c := range []struct {
		err  error
		code chatops.Code
		text string
	}{
		{sqlite3.BUSY, chatops.CodeUnavailable, "busy"},
		{sqlite3.BUSY_SNAPSHOT, chatops.CodeUnavailable, "busy"},
		{sqlite3.LOCKED, chatops.CodeUnavailable, "busy"},
		{sqlite3.FULL, chatops.CodeUnavailable, "disk full"},
		{errors.Join(sqlite3.IOERR_WRITE, syscall.ENOSPC), chatops.CodeUnavailable, "disk full"},
		{sqlite3.IOERR_READ, chatops.CodeUnavailable, "cannot be read or written"},
		{sqlite3.READONLY_DBMOVED, chatops.CodeUnavailable, "read-only"},
		{sqlite3.CANTOPEN, chatops.CodeUnavailable, "cannot be opened"},
		{sqlite3.NOMEM, chatops.CodeUnavailable, "memory"},
		{sqlite3.INTERRUPT, chatops.CodeUnavailable, "in time"},
		{sqlite3.CORRUPT, chatops.CodeInternal, "damaged"},
		{sqlite3.NOTADB, chatops.CodeInternal, "not a database"},
		{sqlite3.TOOBIG, chatops.CodeInvalid, "too large"},
		{sqlite3.CONSTRAINT_CHECK, chatops.CodeInvalid, "does not fit"},
		{sqlite3.CONSTRAINT_NOTNULL, chatops.CodeInvalid, "does not fit"},
		{sqlite3.CONSTRAINT_UNIQUE, chatops.CodeConflict, "already"},
		{sqlite3.CONSTRAINT_PRIMARYKEY, chatops.CodeConflict, "already"},
		{sqlite3.CONSTRAINT_FOREIGNKEY, chatops.CodeConflict, "gone"},
		{sqlite3.MISUSE, chatops.CodeInternal, "refused"},
		{sql.ErrNoRows, chatops.CodeNotFound, "no such row"},
		{sql.ErrConnDone, chatops.CodeUnavailable, "closed"},
		{context.Canceled, chatops.CodeInterrupted, "cancelled"},
		{context.DeadlineExceeded, chatops.CodeUnavailable, "in time"},
		{errors.New("insert into leads values ('jan@example.pl')"), chatops.CodeInternal, "went wrong"},
		{own, chatops.CodeInvalid, "mine"},
	} {
		err := translate(fmt.Errorf("insert into leads: %w", c.err))
		if chatops.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.text) || !errors.Is(err, c.err) {
			t.Errorf("%v: %v (%s), want %s with %q", c.err, err, chatops.ErrorCode(err), c.code, c.text)
		}
		if shown := chatops.ErrorMessage(err); strings.Contains(shown, "insert") || strings.Contains(shown, "jan@") {
			t.Errorf("%v: the message shows %q", c.err, shown)
		}
	}
	if translate(nil) != nil {
		t.Error("nil became an error")
	}
}
