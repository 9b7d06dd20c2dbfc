package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

// SQLSTATE codes that are treated one by one. See "PostgreSQL Error Codes" in
// its documentation. lostCode is our own, raised by chatops_require.
const (
	lostCode          = "CH409"
	uniqueViolation   = "23505"
	foreignKey        = "23503"
	readOnlyTx        = "25006"
	serialization     = "40001"
	deadlock          = "40P01"
	undefinedTable    = "42P01"
	undefinedColumn   = "42703"
	undefinedFunction = "42883"
	noPrivilege       = "42501"
	noSuchDatabase    = "3D000"
	queryCanceled     = "57014"
	lockNotAvailable  = "55P03"
	planChanged       = "0A000" // "cached plan must not change result type"
	noSuchStatement   = "26000"
)

// cause keeps a driver's error for errors.Is and errors.As without ever showing
// its own text, which may quote a URL, a statement or a row.
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

// repeatable reports whether the server has rolled a transaction back in a way
// that a second run may not meet.
func repeatable(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case serialization, deadlock, noSuchStatement:
		return true
	case planChanged:
		return strings.Contains(pg.Message, "cached plan")
	}
	return false
}

// readOnly reports whether the server has become a standby.
func readOnly(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == readOnlyTx
}

// translate turns a driver's error into a *chatops.Error whose text may be
// shown. host names the servers.
func translate(host string, err error) error {
	var own *chatops.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	isServer := errors.As(err, &pg)
	switch {
	case errors.As(err, &connect):
		return wrap(chatops.CodeUnavailable, err, "connect to "+host+": "+reason(err, pg))
	case isServer:
		return serverError(host, err, pg)
	case errors.Is(err, context.Canceled):
		return wrap(chatops.CodeInterrupted, err, "database call was cancelled")
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return wrap(chatops.CodeUnavailable, err, "database "+host+" did not answer in time")
	case errors.Is(err, pgx.ErrNoRows):
		return wrap(chatops.CodeNotFound, err, "no such row")
	case lostConnection(err):
		return wrap(chatops.CodeUnavailable, err, "connection to "+host+" was lost")
	}
	return wrap(chatops.CodeInternal, err, "database call went wrong")
}

// reason says why a connection could not be made.
func reason(err error, pg *pgconn.PgError) string {
	var dns *net.DNSError
	var sys syscall.Errno
	switch {
	case pg != nil && strings.HasPrefix(pg.Code, "28"):
		return "the server refused the user or password"
	case pg != nil && pg.Code == noSuchDatabase:
		return "the database does not exist"
	case pg != nil:
		return pg.Message
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &sys):
		return sys.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "no answer in time"
	case strings.Contains(err.Error(), "read only"), strings.Contains(err.Error(), "read-only"):
		return "no server accepts writes"
	case strings.Contains(err.Error(), "tls"), strings.Contains(err.Error(), "x509"):
		return "TLS was refused"
	}
	return "the server did not accept the connection"
}

// serverError translates what the server answered. Its message is never passed
// on for errors about data, because it quotes them.
func serverError(host string, err error, pg *pgconn.PgError) error {
	code, text := chatops.CodeInternal, "database refused a statement (SQLSTATE "+pg.Code+")"
	switch pg.Code {
	case lostCode:
		code, text = chatops.CodeConflict, pg.Message
	case uniqueViolation:
		code, text = chatops.CodeConflict, "the same thing is stored already"
	case foreignKey:
		code, text = chatops.CodeConflict, "something that this belongs to is gone"
	case undefinedTable, undefinedColumn, undefinedFunction:
		code, text = chatops.CodeConflict, "database schema is not what this chatops needs: run `chatops migrate up`"
	case noPrivilege:
		text = "database user lacks a privilege on the schema"
	case readOnlyTx:
		code, text = chatops.CodeUnavailable, "database "+host+" accepts no writes now"
	case queryCanceled:
		code, text = chatops.CodeUnavailable, "database "+host+" did not answer in time"
	case lockNotAvailable, serialization, deadlock:
		code, text = chatops.CodeUnavailable, "database is busy, try again"
	default:
		switch pg.Code[:2] {
		case "22", "23":
			code, text = chatops.CodeInvalid, "a value does not fit its column (SQLSTATE "+pg.Code+")"
			if pg.ColumnName != "" {
				text = "a value does not fit column " + pg.ColumnName
			}
		case "08", "57", "58":
			code, text = chatops.CodeUnavailable, "database "+host+" ended the connection"
		case "53":
			code, text = chatops.CodeUnavailable, "database "+host+" is out of resources: "+pg.Message
		case "28", "3D":
			code, text = chatops.CodeUnavailable, "connect to "+host+": "+reason(err, pg)
		}
	}
	return wrap(code, err, text)
}

func lostConnection(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "closed pool")
}

// notFound replaces the text of CodeNotFound by one that names the thing.
func notFound(err error, format string, args ...any) error {
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		return chatops.Errorf(chatops.CodeNotFound, format, args...)
	}
	return err
}
