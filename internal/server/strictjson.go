package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxJSONDepth bounds nesting. The API's own bodies are at most two deep.
const maxJSONDepth = 64

// member is one name and value of a JSON object; the value is its raw text.
type member struct {
	name  string
	value []byte
}

// jsonError says why a body was refused. Its text never repeats the body.
type jsonError struct {
	// syntax is set when the text is not JSON at all or not an object, as
	// opposed to JSON that two readers may understand differently.
	syntax bool
	offset int
	reason string
}

// Error returns the reason and the place.
func (e *jsonError) Error() string {
	return fmt.Sprintf("request body: %s at byte %d", e.reason, e.offset)
}

// parseObject reads data as exactly one JSON object (RFC 8259) and returns its
// members in order. It is stricter than encoding/json, following I-JSON (RFC
// 7493): a repeated name in any object, a name that is invalid UTF-8, a number
// beyond float64 and deep nesting are errors, and names are compared exactly.
// Invalid UTF-8 in values is left to parseString: a visitor's text is mended,
// not refused.
func parseObject(data []byte) ([]member, error) {
	p := parser{data: data}
	p.space()
	if p.peek() != '{' {
		return nil, p.syntaxError("expected an object")
	}
	var members []member
	if err := p.object(func(m member) { members = append(members, m) }); err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.data) {
		return nil, p.syntaxError("unexpected data after the object")
	}
	return members, nil
}

// parseString decodes the raw text of a member's value, which must be a string.
// Halves of surrogate pairs and bytes that are not UTF-8 become U+FFFD.
func parseString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// isNull reports whether a member's value is null.
func isNull(raw []byte) bool { return string(raw) == "null" }

// parser walks a JSON text. The methods expect pos at the first byte of what
// they read and leave it behind the last.
type parser struct {
	data  []byte
	pos   int
	depth int
}

func (p *parser) syntaxError(reason string) error {
	return &jsonError{syntax: true, reason: reason, offset: p.pos}
}

// peek returns the byte at pos, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) enter() error {
	p.depth++
	p.pos++
	if p.depth > maxJSONDepth {
		return &jsonError{reason: "nesting deeper than " + strconv.Itoa(maxJSONDepth), offset: p.pos}
	}
	return nil
}

func (p *parser) value() error {
	switch c := p.peek(); {
	case c == '{':
		return p.object(nil)
	case c == '[':
		return p.array()
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(p.data[p.pos:], []byte(word)) {
			p.pos += len(word)
			return nil
		}
	}
	return p.syntaxError("expected a value")
}

// object reads an object and gives each member to visit, which may be nil.
func (p *parser) object(visit func(member)) error {
	if err := p.enter(); err != nil {
		return err
	}
	var seen names
	p.space()
	if p.peek() == '}' {
		return p.leave()
	}
	for {
		if p.peek() != '"' {
			return p.syntaxError("expected a name")
		}
		start := p.pos
		if err := p.str(); err != nil {
			return err
		}
		if !utf8.Valid(p.data[start:p.pos]) {
			return &jsonError{reason: "invalid UTF-8 in a name", offset: start}
		}
		name, _ := parseString(p.data[start:p.pos])
		if !seen.add(name) {
			return &jsonError{reason: "repeated name", offset: start}
		}
		p.space()
		if p.peek() != ':' {
			return p.syntaxError("expected a colon")
		}
		p.pos++
		p.space()
		start = p.pos
		if err := p.value(); err != nil {
			return err
		}
		if visit != nil {
			visit(member{name, p.data[start:p.pos]})
		}
		if more, err := p.next('}'); !more {
			return err
		}
	}
}

func (p *parser) array() error {
	if err := p.enter(); err != nil {
		return err
	}
	p.space()
	if p.peek() == ']' {
		return p.leave()
	}
	for {
		if err := p.value(); err != nil {
			return err
		}
		if more, err := p.next(']'); !more {
			return err
		}
	}
}

// next reads what follows an element: a comma, so that there is one more, or
// the closing bracket.
func (p *parser) next(closing byte) (more bool, err error) {
	p.space()
	switch p.peek() {
	case ',':
		p.pos++
		p.space()
		return true, nil
	case closing:
		return false, p.leave()
	}
	return false, p.syntaxError("expected a comma or a closing bracket")
}

func (p *parser) leave() error {
	p.depth--
	p.pos++
	return nil
}

func (p *parser) str() error {
	for p.pos++; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return nil
		case c < ' ':
			return p.syntaxError("control character in a string")
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		}
	}
	return p.syntaxError("string without an end")
}

// escape reads an escape and leaves pos on its last byte.
func (p *parser) escape() error {
	p.pos++
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			p.pos++
			if !isHex(p.peek()) {
				return p.syntaxError("bad \\u escape")
			}
		}
		return nil
	}
	return p.syntaxError("unknown escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (p *parser) number() error {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return p.syntaxError("expected a digit")
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return p.syntaxError("expected a digit")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return p.syntaxError("expected a digit")
		}
	}
	if _, err := strconv.ParseFloat(string(p.data[start:p.pos]), 64); err != nil {
		return &jsonError{reason: "number out of range", offset: start}
	}
	return nil
}

// digits reads one or more digits.
func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// names is the set of names of one object: a list while it is short, as it
// nearly always is, and a map so that 100,000 names cost no 10^10 comparisons.
type names struct {
	list []string
	set  map[string]struct{}
}

const maxNameList = 16

// add reports false for a name that is in the set already.
func (n *names) add(name string) bool {
	if n.set != nil {
		if _, ok := n.set[name]; ok {
			return false
		}
		n.set[name] = struct{}{}
		return true
	}
	if slices.Contains(n.list, name) {
		return false
	}
	n.list = append(n.list, name)
	if len(n.list) > maxNameList {
		n.set = make(map[string]struct{}, 2*len(n.list))
		for _, old := range n.list {
			n.set[old] = struct{}{}
		}
	}
	return true
}
