package chatops

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Harmless makes text of any origin harmless in one line of a terminal: control
// characters (so every ANSI, CSI and OSC sequence), line breaks, characters
// that reorder or hide text, and bytes that are no text are shown as escapes.
func Harmless(s string) string {
	if !needsCleaning(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case Harmful(r):
			b.WriteString(EscapeRune(r))
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func needsCleaning(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, Harmful)
}

// Harmful reports whether a character must not reach a terminal as it is.
func Harmful(r rune) bool {
	if r >= ' ' && r <= '~' {
		return false
	}
	return !unicode.IsGraphic(r) || invisible(r)
}

// invisible reports characters that Unicode calls graphic and that show
// nothing: fillers, joiners and selectors of unusual variants.
func invisible(r rune) bool {
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return r >= 0x180b && r <= 0x180f || r >= 0xe0000 && r <= 0xe0fff
}

// EscapeRune is how a harmful character is shown.
func EscapeRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
