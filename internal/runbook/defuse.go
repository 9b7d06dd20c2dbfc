package runbook

import (
	"strings"
	"unicode/utf8"
)

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
