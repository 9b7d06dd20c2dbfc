package runbook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// encodeYAML writes a value's JSON form as YAML 1.2 in block style. Every text
// that is not a plain word is a JSON string, which YAML reads as it is, so the
// escapes that make hostile text harmless stay.
func encodeYAML(v any) ([]byte, error) {
	raw, err := encodeJSON(v, "")
	if err != nil {
		return nil, err
	}
	w := &yamlWriter{dec: json.NewDecoder(bytes.NewReader(raw))}
	w.dec.UseNumber()
	if err := w.value(0, atStart); err != nil {
		return nil, fmt.Errorf("encode the result as YAML: %w", err)
	}
	return w.out.Bytes(), nil
}

// yamlWriter turns a stream of JSON tokens into YAML, keeping the order.
type yamlWriter struct {
	dec *json.Decoder
	out bytes.Buffer
}

// value writes the next value. After is what stands before it in the line.
func (w *yamlWriter) value(depth int, after yamlPlace) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return w.block(depth, after, "{}", func() error {
			key, err := w.dec.Token()
			if err != nil {
				return err
			}
			w.out.WriteString(yamlScalar(key) + ":")
			return w.value(depth+1, afterKey)
		})
	case json.Delim('['):
		return w.block(depth, after, "[]", func() error {
			w.out.WriteString("-")
			return w.value(depth+1, afterDash)
		})
	}
	w.out.WriteString(after.space() + yamlScalar(token) + "\n")
	return nil
}

// block writes the entries of an object or array, each in a line of its own;
// after a dash the first one stays in its line.
func (w *yamlWriter) block(depth int, after yamlPlace, empty string, entry func() error) error {
	indent := strings.Repeat("  ", depth)
	switch {
	case !w.dec.More():
		w.out.WriteString(after.space() + empty + "\n")
	case after == afterKey:
		w.out.WriteString("\n" + indent)
	default:
		w.out.WriteString(after.space())
	}
	for first := true; w.dec.More(); first = false {
		if !first {
			w.out.WriteString(indent)
		}
		if err := entry(); err != nil {
			return err
		}
	}
	_, err := w.dec.Token() // the closing bracket
	return err
}

// yamlPlace is what stands before a value in its line.
type yamlPlace int

const (
	atStart yamlPlace = iota
	afterKey
	afterDash
)

func (p yamlPlace) space() string {
	if p == atStart {
		return ""
	}
	return " "
}

// plainWord is a text that YAML reads as text without quotes.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

func yamlScalar(token json.Token) string {
	text, ok := token.(string)
	if !ok {
		if token == nil {
			return "null"
		}
		return fmt.Sprint(token) // a number or bool
	}
	if plainWord.MatchString(text) && !yamlKeyword(text) {
		return text
	}
	raw, err := encodeJSON(text, "")
	if err != nil {
		return `""`
	}
	return strings.TrimSuffix(string(raw), "\n")
}

// yamlKeyword reports words that some YAML version reads as something else.
func yamlKeyword(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf":
		return true
	}
	return false
}
