package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"chatops/internal/chatops"
)

// cause keeps the driver's error for errors.Is and errors.As without ever
// showing its own text, which may quote a statement.
type cause struct {
	text string
	err  error
}

func (c cause) Error() string { return c.text }
func (c cause) Unwrap() error { return c.err }

// wrap makes an error with a text that may be shown.
func wrap(code chatops.Code, err error, text string) error {
	return chatops.Errorf(code, "%w", cause{text, err})
}

// translate is the function of that name, which also asks the disk: the driver
// reports some writes that found no room as mere I/O errors.
func (p place) translate(err error) error {
	var own *chatops.Error
	if !errors.As(err, &own) && errors.Is(err, sqlite3.IOERR) && p.full() {
		return wrap(chatops.CodeUnavailable, err, diskFull)
	}
	return translate(err)
}

// translate turns any error of a call into a *chatops.Error.
func translate(err error) error {
	var own *chatops.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	var code sqlite3.ErrorCode
	switch {
	case errors.Is(err, context.Canceled):
		return wrap(chatops.CodeInterrupted, err, "database call was cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		return wrap(chatops.CodeUnavailable, err, "database did not answer in time")
	case errors.Is(err, sql.ErrNoRows):
		return wrap(chatops.CodeNotFound, err, "no such row")
	case errors.Is(err, sql.ErrConnDone), strings.Contains(err.Error(), "database is closed"):
		return wrap(chatops.CodeUnavailable, err, "store is closed")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return wrap(chatops.CodeUnavailable, err, diskFull)
	case errors.As(err, &code):
		return engineError(code, err)
	}
	return wrap(chatops.CodeInternal, err, "database call went wrong")
}

const diskFull = "disk full: the database file cannot grow"

// engineErrors are SQLite's result codes that callers can tell apart.
var engineErrors = map[sqlite3.ErrorCode]struct {
	code chatops.Code
	text string
}{
	sqlite3.BUSY:      {chatops.CodeUnavailable, "database is busy: another process has been writing for too long"},
	sqlite3.LOCKED:    {chatops.CodeUnavailable, "database is busy: another process has been writing for too long"},
	sqlite3.FULL:      {chatops.CodeUnavailable, diskFull},
	sqlite3.READONLY:  {chatops.CodeUnavailable, "database file is read-only"},
	sqlite3.IOERR:     {chatops.CodeUnavailable, "database file cannot be read or written"},
	sqlite3.CANTOPEN:  {chatops.CodeUnavailable, "database file cannot be opened"},
	sqlite3.PERM:      {chatops.CodeUnavailable, "database file cannot be opened"},
	sqlite3.AUTH:      {chatops.CodeUnavailable, "database file cannot be opened"},
	sqlite3.NOMEM:     {chatops.CodeUnavailable, "out of memory"},
	sqlite3.INTERRUPT: {chatops.CodeUnavailable, "database did not answer in time"},
	sqlite3.NOTADB:    {chatops.CodeInternal, "database file is damaged or is not a database"},
	sqlite3.CORRUPT:   {chatops.CodeInternal, "database file is damaged or is not a database"},
	sqlite3.TOOBIG:    {chatops.CodeInvalid, "a value is too large to be stored"},
}

// engineError translates what SQLite answered.
func engineError(primary sqlite3.ErrorCode, err error) error {
	if primary == sqlite3.CONSTRAINT {
		code, text := constraintError(err)
		return wrap(code, err, text)
	}
	if msg := err.Error(); primary == sqlite3.ERROR &&
		(strings.Contains(msg, "no such table") || strings.Contains(msg, "no such column")) {
		return wrap(chatops.CodeConflict, err, "database schema is not what this chatops needs: run `chatops migrate up`")
	}
	if known, ok := engineErrors[primary]; ok {
		return wrap(known.code, err, known.text)
	}
	return wrap(chatops.CodeInternal, err, "database refused a statement: "+primary.Error())
}

func constraintError(err error) (code chatops.Code, text string) {
	switch {
	case errors.Is(err, sqlite3.CONSTRAINT_UNIQUE), errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY):
		return chatops.CodeConflict, "the same thing is stored already"
	case errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY):
		return chatops.CodeConflict, "something that this belongs to is gone"
	}
	return chatops.CodeInvalid, "a value does not fit its column"
}

// notFound replaces the text of CodeNotFound by one that names the thing.
func notFound(err error, format string, args ...any) error {
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return chatops.Errorf(chatops.CodeNotFound, format, args...)
	}
	return err
}
