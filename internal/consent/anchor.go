package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Anchor is the head of the chain at some time, to be kept where nobody who can
// write the database can write too: a chain that was cut or built anew since
// does not lead through it.
type Anchor struct {
	Number int64
	Hash   []byte // empty when Number is 0
	At     time.Time
}

// NewAnchor makes an anchor of a head.
func NewAnchor(head *chatops.AuditHead, at time.Time) Anchor {
	return Anchor{Number: head.Number, Hash: head.Hash, At: at.UTC().Truncate(time.Second)}
}

// String returns the anchor as a line of an anchor file: number, hash in
// hexadecimal ("-" for an empty chain) and time.
func (a Anchor) String() string {
	hash := "-"
	if a.Number > 0 {
		hash = hex.EncodeToString(a.Hash)
	}
	return fmt.Sprintf("%d %s %s", a.Number, hash, a.At.UTC().Format(time.RFC3339))
}

// ParseAnchors reads an anchor file: one anchor a line, so that a file can grow.
// Empty lines and lines that begin with # do not count. CodeInvalid names the
// line; a file without anchors is invalid too.
func ParseAnchors(text string) ([]Anchor, error) {
	var list []Anchor
	number := 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		a, ok := parseAnchor(line)
		if !ok {
			return nil, chatops.Errorf(chatops.CodeInvalid,
				"line %d of the anchor file: expected a number, a hash of 64 hexadecimal digits and a time, as `consent audit anchor` prints them", number)
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "the anchor file holds no anchor: make one with `consent audit anchor`")
	}
	return list, nil
}

func parseAnchor(line string) (a Anchor, ok bool) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return a, false
	}
	var err error
	if a.Number, err = strconv.ParseInt(fields[0], 10, 64); err != nil || a.Number < 0 {
		return a, false
	}
	if a.At, err = time.Parse(time.RFC3339, fields[2]); err != nil {
		return a, false
	}
	if a.Number == 0 {
		return a, fields[1] == "-"
	}
	a.Hash, err = hex.DecodeString(fields[1])
	return a, err == nil && len(a.Hash) == sha256.Size
}
