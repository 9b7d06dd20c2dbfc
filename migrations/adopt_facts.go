package migrations

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// maxDepth is how deep JSON may be nested for SQLite to accept it.
const maxDepth = 1000

// adoptJSON returns valid JSON as every store keeps it.
func adoptJSON(t string) (string, bool) {
	if !json.Valid([]byte(t)) || depth(t) > maxDepth {
		return "", false
	}
	return string(chatops.CleanJSON([]byte(t))), true
}

// depth is how deep valid JSON is nested.
func depth(t string) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// adoptObject returns the JSON object that a text is, or holds as a string that
// was encoded twice, and its fields.
func adoptObject(t string) (text string, fields map[string]any, ok bool) {
	t, ok = adoptJSON(t)
	if !ok {
		return "", nil, false
	}
	var inside string
	if json.Unmarshal([]byte(t), &inside) == nil && strings.HasPrefix(strings.Trim(t, blanks), `"`) {
		if t, ok = adoptJSON(inside); !ok {
			return "", nil, false
		}
	}
	d := json.NewDecoder(strings.NewReader(t))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil || fields == nil {
		return "", nil, false
	}
	return t, fields, true
}

// encode renders fields without the escapes that are meant for HTML.
func encode(fields map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(fields); err != nil {
		return "{}" // what was decoded can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var (
	factTexts   = []string{"name", "email", "phone", "city", "package", "language"}
	factNumbers = []string{"square_meters", "budget"}
)

const factBooking = "booking_intent_detected"

// adoptFacts returns context_data with the types of chatops.Facts. Fields that
// cannot be read are left out.
func adoptFacts(t string) (string, bool) {
	text, fields, ok := adoptObject(t)
	if !ok {
		return "", false
	}
	changed := false
	put := func(key string, value any, keep bool) {
		changed = true
		delete(fields, key)
		if keep {
			fields[key] = value
		}
	}
	for _, key := range factTexts {
		switch v := fields[key].(type) {
		case nil, string:
		case json.Number:
			put(key, v.String(), true)
		default:
			put(key, nil, false)
		}
	}
	for _, key := range factNumbers {
		switch v := fields[key].(type) {
		case nil:
		case json.Number:
			if n, ok := adoptLoose(plain(v)); !ok || n != v.String() {
				put(key, json.Number(n), ok)
			}
		case string:
			n, ok := adoptLoose(v)
			put(key, json.Number(n), ok)
		default:
			put(key, nil, false)
		}
	}
	switch v := fields[factBooking].(type) {
	case nil, bool:
	case json.Number:
		said, ok := adoptFlag(plain(v))
		put(factBooking, said, ok)
	case string:
		said, ok := adoptFlag(v)
		put(factBooking, said, ok)
	default:
		put(factBooking, nil, false)
	}
	if !changed {
		return text, true
	}
	return encode(fields), true
}

// plain is a number without an exponent.
func plain(n json.Number) string {
	if !strings.ContainsAny(n.String(), "eE") {
		return n.String()
	}
	f, _, err := big.ParseFloat(n.String(), 10, 256, big.ToNearestEven)
	if err != nil || f.MantExp(nil) > 200 {
		return ""
	}
	return f.Text('f', -1)
}

// adoptFurther reports whether an object has fields that chatops.Facts has not:
// the next turn of the conversation would drop them.
func adoptFurther(t string) bool {
	_, fields, _ := adoptObject(t)
	for key := range fields {
		if !slices.Contains(factTexts, key) && !slices.Contains(factNumbers, key) && key != factBooking {
			return true
		}
	}
	return false
}

var oneAt = chatops.Pattern(`^[^@ \t\r\n]+@[^@ \t\r\n]+$`)

func adoptContextEmail(t string) (string, bool) {
	_, fields, _ := adoptObject(t)
	address, _ := fields["email"].(string)
	address, ok := adoptEmail(address)
	return address, ok && oneAt().MatchString(address)
}

var (
	looseToken = chatops.Pattern(`[0-9][0-9 .,]*`)
	looseUnit  = chatops.Pattern(`^ *([^0-9 .,;:/()+-]+)`)
	thousands  = chatops.Pattern(`^[0-9]{1,3}([ .][0-9]{3})+(,[0-9]+)?$`)
	decimal    = chatops.Pattern(`^[0-9]+([.,][0-9]+)?$`)
	spaces     = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ")
)

// adoptLoose reads the whole number that a text such as "75 m2", "150 000" or
// "150 tys." means.
func adoptLoose(t string) (string, bool) {
	t = strings.ToLower(spaces.Replace(t))
	at := looseToken().FindStringIndex(t)
	if at == nil {
		return "", false
	}
	token := strings.TrimRight(t[at[0]:at[1]], " .,")
	unit := ""
	if m := looseUnit().FindStringSubmatch(t[at[0]+len(token):]); m != nil {
		unit = m[1]
	}
	switch {
	case thousands().MatchString(token):
		token = strings.NewReplacer(" ", "", ".", "", ",", ".").Replace(token)
	case decimal().MatchString(token):
		token = strings.ReplaceAll(token, ",", ".")
	default:
		token = token[:strings.IndexAny(token, " .,")]
	}
	n, ok := new(big.Rat).SetString(token)
	if !ok {
		return "", false
	}
	switch {
	case unit == "k" || strings.HasPrefix(unit, "tys"):
		n.Mul(n, big.NewRat(1_000, 1))
	case unit == "mln" || strings.HasPrefix(unit, "milion"): //nolint:misspell // it is Polish
		n.Mul(n, big.NewRat(1_000_000, 1))
	}
	whole := n.FloatString(0) // rounds halves away from zero
	r, _ := new(big.Rat).SetString(whole)
	if r.Cmp(big.NewRat(1, 1)) < 0 || r.Cmp(big.NewRat(1_000_000_000, 1)) > 0 {
		return "", false
	}
	return whole, true
}
