package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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

// newRequestID returns 24 random hexadecimal digits.
func newRequestID() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails: the program ends instead
	return hex.EncodeToString(raw[:])
}

type requestIDKey struct{}

// requestID returns the id of the request that ctx belongs to, or "".
func requestID(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.id
	}
	return ""
}

// exchangeOf returns the exchange that ctx belongs to. Every handler has one.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(requestIDKey{}).(*exchange)
	return x
}
