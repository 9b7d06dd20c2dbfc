package migrations

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// Function is a function that SQLite must know while a database is adopted. Its
// arguments are nil, int64, float64, string or []byte; so are its results, and
// bool. It has no side effects.
type Function struct {
	Name string
	Args int
	Func func(args []any) any
}

// Functions lists what a connection to SQLite must be able to call before it is
// given to New: what an older application's values mean. PostgreSQL is taught
// the same by adopt/functions.sql.
func Functions() []Function {
	one := func(name string, f func(text string) any) Function {
		return Function{"adopt_" + name, 1, func(args []any) any {
			if args[0] == nil {
				return nil
			}
			return f(textOf(args[0]))
		}}
	}
	return []Function{
		one("text", func(t string) any { return t }),
		one("time", func(t string) any { return orNil(adoptTime(t)) }),
		one("flag", func(t string) any { return orNil(adoptFlag(t)) }),
		one("id", func(t string) any { return orNil(adoptID(t)) }),
		one("whole", func(t string) any { return orNil(adoptWhole(t)) }),
		one("session", func(t string) any { return orNil(adoptSession(t)) }),
		one("email", func(t string) any { return orNil(adoptEmail(t)) }),
		one("key", func(t string) any { return adoptKey(t) }),
		one("json", func(t string) any { return orNil(adoptJSON(t)) }),
		one("facts", func(t string) any { return orNil(adoptFacts(t)) }),
		one("further", func(t string) any { return adoptFurther(t) }),
		one("context_email", func(t string) any { return orNil(adoptContextEmail(t)) }),
		one("hide", func(t string) any { return adoptHide(t) }),
		one("redact", func(t string) any { return adoptRedact(t) }),
		{"adopt_said", 2, func(args []any) any {
			if args[0] == nil {
				return nil
			}
			return orNil(adoptSaid(textOf(args[0]), textOf(args[1])))
		}},
		{"adopt_target", 3, func(args []any) any {
			return orNil(adoptTarget(textOf(args[0]), textOf(args[1]), textOf(args[2])))
		}},
		{"adopt_payload", 3, func(args []any) any {
			if args[2] == nil {
				return "{}"
			}
			return adoptPayload(textOf(args[0]), textOf(args[1]), textOf(args[2]))
		}},
		// A value as JSON can hold it: bytes that are no text become hexadecimal.
		{"adopt_value", 1, func(args []any) any {
			switch v := args[0].(type) {
			case []byte:
				return `\x` + hex.EncodeToString(v)
			case string:
				if !utf8.ValidString(v) {
					return `\x` + hex.EncodeToString([]byte(v))
				}
			}
			return args[0]
		}},
	}
}

func orNil[T any](v T, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

// textOf is a value of SQLite as text that every store can keep.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return chatops.CleanText(v)
	case []byte:
		return chatops.CleanText(string(v))
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

const blanks = " \t\r\n"

var (
	timeForm = chatops.Pattern(`(?i)^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]((?:[01][0-9]|2[0-3]):[0-5][0-9])` +
		`(?:(:[0-5][0-9])(?:[.,]([0-9]{1,6})[0-9]*)?)?)? ?(Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?$`)
	epochForm  = chatops.Pattern(`^[0-9]{9,17}(\.[0-9]*)?$`)
	numberForm = chatops.Pattern(`^[+-]?[0-9]{1,18}(\.[0-9]{1,18})?$`)
	wholeForm  = chatops.Pattern(`^([+-]?[0-9]{1,18})(\.0*)?$`)
)

// storedTime is how the SQLite store writes times.
const storedTime = "2006-01-02 15:04:05.000000"

// adoptTime reads a date and time, with or without an offset (none: UTC), or a
// number of seconds, milliseconds or microseconds since 1970, and renders it as
// the SQLite store does.
func adoptTime(t string) (string, bool) {
	t = strings.Trim(t, blanks)
	if len(t) == len(storedTime) && t > "0001" {
		if _, err := time.Parse(storedTime, t); err == nil {
			return t, true // most are stored like this
		}
	}
	var at time.Time
	if m := timeForm().FindStringSubmatch(t); m != nil {
		fraction := "." + (m[4] + "000000")[:6]
		parsed, err := time.Parse(storedTime, m[1]+" "+cmp.Or(m[2], "00:00")+cmp.Or(m[3], ":00")+fraction)
		if err != nil || parsed.Year() < 1 {
			return "", false
		}
		at = parsed.Add(-offset(m[5]))
	} else if epochForm().MatchString(t) {
		n, err := strconv.ParseFloat(t, 64)
		if err != nil || n < 1e8 {
			return "", false
		}
		switch {
		case n < 1e11:
			n *= 1e6
		case n < 1e14:
			n *= 1e3
		}
		at = time.UnixMicro(int64(math.Round(n))).UTC()
	}
	if at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		return "", false
	}
	return at.Format(storedTime), true
}

// offset is the duration of "+02:00", "+0200", "+02", "Z" or "".
func offset(zone string) time.Duration {
	if zone == "" || zone == "Z" || zone == "z" {
		return 0
	}
	digits := strings.ReplaceAll(zone[1:], ":", "") + "00"
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi(digits[2:4])
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if zone[0] == '-' {
		return -d
	}
	return d
}

func adoptFlag(t string) (value, ok bool) {
	switch t = strings.ToLower(strings.Trim(t, blanks)); t {
	case "t", "true", "y", "yes", "on", "tak":
		return true, true
	case "f", "false", "n", "no", "off", "nie":
		return false, true
	}
	return strings.Trim(t, "+-0.") != "", numberForm().MatchString(t)
}

func adoptID(t string) (int64, bool) {
	m := wholeForm().FindStringSubmatch(strings.Trim(t, blanks))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n, err == nil
}

func adoptWhole(t string) (int64, bool) {
	n, ok := adoptID(t)
	return n, ok && n >= math.MinInt32 && n <= math.MaxInt32
}

// adoptSession keeps a session's id as the client sends it. One that is longer
// than the column ends in a digest, so that two never become one.
func adoptSession(t string) (string, bool) {
	if strings.Trim(t, blanks) == "" {
		return "", false
	}
	runes := []rune(t)
	if len(runes) <= 255 {
		return t, true
	}
	sum := sha256.Sum256([]byte(t))
	return string(runes[:222]) + "~" + hex.EncodeToString(sum[:])[:32], true
}

func adoptEmail(t string) (string, bool) {
	t = strings.Trim(t, blanks)
	n := utf8.RuneCountInString(t)
	return t, n >= 1 && n <= 255
}

// adoptKey is what two spellings of an address have in common.
func adoptKey(t string) string { return strings.ToLower(strings.Trim(t, blanks)) }

var saidForms = map[string]func() *regexp.Regexp{"marketing": saidForm("marketing"), "rodo": saidForm("rodo")}

func saidForm(what string) func() *regexp.Regexp {
	return chatops.Pattern(`\b` + what + `[_ -]?consent\\*["']?[ \t\r\n]*[:=][ \t\r\n]*\\*["']?(true|false|yes|no|tak|nie|on|off|1|0|t|f)\b`)
}

// adoptSaid is what a text such as "marketing_consent: false" says; a no
// outweighs a yes.
func adoptSaid(t, what string) (value, ok bool) {
	for _, m := range saidForms[what]().FindAllStringSubmatch(strings.ToLower(t), -1) {
		yes, _ := adoptFlag(m[1])
		value, ok = yes && (value || !ok), true
	}
	return value, ok
}
