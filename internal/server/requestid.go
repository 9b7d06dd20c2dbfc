package server

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
)

// maxRequestID bounds an incoming X-Request-ID, in bytes.
const maxRequestID = 64

// saneRequestID reports whether an incoming id may appear in logs and headers
// as it is: 1 to 64 letters, digits, dots, dashes and underscores.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// newRequestID returns 24 hexadecimal digits. They tell requests apart and are
// no secret, so the fast generator will do.
func newRequestID() string {
	var raw [12]byte
	a, b := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		raw[i] = byte(a >> (8 * i))
	}
	for i := range 4 {
		raw[8+i] = byte(b >> (8 * i))
	}
	var text [24]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

type requestIDKey struct{}

// requestID returns the id of the request that ctx belongs to, or "".
func requestID(ctx context.Context) string {
	x, _ := ctx.Value(requestIDKey{}).(*exchange)
	if x == nil {
		return ""
	}
	return x.id
}
