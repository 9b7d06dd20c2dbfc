package runbook

import (
	"strings"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// clean makes text of any origin harmless in one line of a terminal.
func clean(s string) string { return chatops.Harmless(s) }

// harmful reports whether a character must not reach a terminal as it is.
func harmful(r rune) bool { return chatops.Harmful(r) }

// defuse keeps a spreadsheet from taking a cell for a formula. A plain number
// may begin with its sign.
func defuse(s string) string {
	if s == "" || isNumber(s) {
		return s
	}
	switch r, _ := utf8.DecodeRuneInString(s); r {
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return "'" + s
	}
	return s
}

func isNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}
