package chatops_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"chatops/internal/chatops"
)

func TestErrorf_KeepsTheCauseInTheChainAndItsTextOnce(t *testing.T) {
	t.Parallel()
	err := chatops.Errorf(chatops.CodeUnavailable, "connect to db.example:5432: %w", io.ErrUnexpectedEOF)
	if got, want := err.Error(), "connect to db.example:5432: unexpected EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is not in the chain")
	}
}

func TestWrapError_HidesTheCauseFromCallersAndShowsItToLogs(t *testing.T) {
	t.Parallel()
	cause := errors.New("syntax error at or near SELECT")
	err := fmt.Errorf("store: %w", chatops.WrapError(chatops.CodeInternal, cause, "read alerts"))
	if got := chatops.ErrorMessage(err); got != "read alerts" {
		t.Errorf("ErrorMessage = %q, want only the message", got)
	}
	if got, want := err.Error(), "store: read alerts: syntax error at or near SELECT"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is not in the chain")
	}
}

func TestErrorCode_OfForeignErrorsIsInternalAndOfNilIsEmpty(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		err     error
		code    chatops.Code
		message string
	}{
		{"nil", nil, "", ""},
		{"foreign", io.EOF, chatops.CodeInternal, "internal error"},
		{"ours", chatops.Errorf(chatops.CodeNotFound, "alert 7: not found"), chatops.CodeNotFound, "alert 7: not found"},
		{"wrapped", fmt.Errorf("x: %w", chatops.Errorf(chatops.CodeConflict, "lost")), chatops.CodeConflict, "lost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := chatops.ErrorCode(tt.err); got != tt.code {
				t.Errorf("ErrorCode = %q, want %q", got, tt.code)
			}
			if got := chatops.ErrorMessage(tt.err); got != tt.message {
				t.Errorf("ErrorMessage = %q, want %q", got, tt.message)
			}
		})
	}
}

func TestCodes_AreUniqueAndNamed(t *testing.T) {
	t.Parallel()
	seen := map[chatops.Code]bool{}
	for _, c := range chatops.Codes() {
		if c == "" || seen[c] {
			t.Errorf("code %q is empty or listed twice", c)
		}
		seen[c] = true
	}
	if !seen[chatops.CodeInternal] {
		t.Error("the fallback code is not listed")
	}
}
