package server

import (
	"errors"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// object is a decoded JSON object whose members are asked for by name.
type object []member

// decodeObject reads a body. A text that is no JSON object gives the error that
// clients of the endpoint know, with the reason as its detail.
func decodeObject(body []byte, known string) (object, error) {
	members, err := parseObject(body)
	if err != nil {
		return nil, refuseBody(err, known)
	}
	return members, nil
}

func refuseBody(err error, known string) error {
	var je *jsonError
	if errors.As(err, &je) && je.syntax {
		return &detailedError{error: chatops.Errorf(chatops.CodeInvalid, "%s", known), detail: err.Error()}
	}
	return chatops.Errorf(chatops.CodeInvalid, "%s", err)
}

// get returns a member's raw value. Null counts as absent.
func (o object) get(name string) (raw []byte, given bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, !isNull(m.value)
		}
	}
	return nil, false
}

// has reports whether the member is there, be it null.
func (o object) has(name string) bool {
	raw, _ := o.get(name)
	return raw != nil
}

// text returns a member that must be a string where it is given; "" otherwise.
func (o object) text(name string) (string, error) {
	raw, given := o.get(name)
	if !given {
		return "", nil
	}
	s, ok := parseString(raw)
	if !ok {
		return "", wrongType(name)
	}
	return s, nil
}

// flag returns a member that must be true or false where it is there at all.
func (o object) flag(name string, standard bool) (bool, error) {
	raw, _ := o.get(name)
	switch string(raw) {
	case "":
		return standard, nil
	case "true", "false":
		return raw[0] == 't', nil
	}
	return false, wrongType(name)
}

// unknownID is a number that no row has.
const unknownID = -1

// id returns a member that must be a whole number where it is given; 0
// otherwise. A number that cannot be anybody's is unknownID.
func (o object) id(name string) (int64, error) {
	raw, given := o.get(name)
	if !given {
		return 0, nil
	}
	id, ok := parseID(string(raw))
	if !ok {
		return 0, wrongType(name)
	}
	return id, nil
}

// parseID reads a whole number; false when the text is none. One that no row
// can have, such as 0, -1 or 2^63, is unknownID, so that all of them are
// answered like any other unknown one.
func parseID(text string) (int64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return unknownID, true
	}
	return id, true
}

func wrongType(name string) error {
	return chatops.Errorf(chatops.CodeInvalid, "%s has the wrong type", name)
}

// shorten keeps at most n characters.
func shorten(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
