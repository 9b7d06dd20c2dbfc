package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

func TestTranslate_GivesEachFailureItsCodeAndShowsNoData(t *testing.T) {
	t.Parallel()
	const secret = "jan@example.pl"
	for _, c := range []struct {
		err  error
		code chatops.Code
		text string
	}{
		{&pgconn.PgError{Code: "CH409", Message: "lease is gone"}, chatops.CodeConflict, "lease is gone"},
		{&pgconn.PgError{Code: "23505", Message: "dup", Detail: secret}, chatops.CodeConflict, "stored already"},
		{&pgconn.PgError{Code: "22001", Message: "value too long", ColumnName: "email"}, chatops.CodeInvalid, "column email"},
		{&pgconn.PgError{Code: "23514", Message: secret}, chatops.CodeInvalid, "SQLSTATE 23514"},
		{&pgconn.PgError{Code: "42P01", Message: `relation "leads"`}, chatops.CodeConflict, "chatops migrate up"},
		{&pgconn.PgError{Code: "25006"}, chatops.CodeUnavailable, "accepts no writes"},
		{&pgconn.PgError{Code: "57P01"}, chatops.CodeUnavailable, "ended the connection"},
		{&pgconn.PgError{Code: "08006"}, chatops.CodeUnavailable, "ended the connection"},
		{&pgconn.PgError{Code: "53300", Message: "too many clients"}, chatops.CodeUnavailable, "too many clients"},
		{&pgconn.PgError{Code: "40P01"}, chatops.CodeUnavailable, "busy"},
		{&pgconn.PgError{Code: "42601", Message: secret}, chatops.CodeInternal, "SQLSTATE 42601"},
		{&pgconn.PgError{Code: "XX000", Message: secret}, chatops.CodeInternal, "SQLSTATE XX000"},
		{context.DeadlineExceeded, chatops.CodeUnavailable, "did not answer in time"},
		{context.Canceled, chatops.CodeInterrupted, "cancelled"},
		{pgx.ErrNoRows, chatops.CodeNotFound, "no such row"},
		{io.ErrUnexpectedEOF, chatops.CodeUnavailable, "was lost"},
		{&net.OpError{Op: "read", Err: errors.New("reset " + secret)}, chatops.CodeUnavailable, "was lost"},
		{errors.New("odd: " + secret), chatops.CodeInternal, "went wrong"},
	} {
		err := translate("db.example:5432", fmt.Errorf("wrapped: %w", c.err))
		if chatops.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v became %s %q, want %s with %q", c.err, chatops.ErrorCode(err), err, c.code, c.text)
		}
		if strings.Contains(err.Error(), secret) || chatops.ErrorMessage(err) != err.Error() {
			t.Errorf("%v shows %q and %q", c.err, err, chatops.ErrorMessage(err))
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%q hides its cause from errors.Is", err)
		}
	}
	own := chatops.Errorf(chatops.CodeTooLarge, "too much")
	if err := translate("", own); !errors.Is(err, own) || chatops.ErrorCode(err) != chatops.CodeTooLarge {
		t.Errorf("an error of ours became %v", err)
	}
	if translate("", nil) != nil {
		t.Error("nil became an error")
	}
}
