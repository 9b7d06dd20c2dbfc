package chatops

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// messageIDLength leaves 200 bits of the digest: no two alerts share one.
const messageIDLength = 40

// Reference is what a receiver may recognise a repeated alert by.
func (a *Alert) Reference() string {
	if a.IdempotencyKey != "" {
		return a.IdempotencyKey
	}
	return fmt.Sprintf("alert:%d", a.ID)
}

// MessageID is the Message-ID of the alert's mail up to the @. It is the same for
// every attempt; what follows the @ is the domain of the sender.
func (a *Alert) MessageID() string { return Digest(a.Reference(), messageIDLength) }

// Digest is a stable short name for a text, of n lower-case letters and digits.
func Digest(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:n]
}
