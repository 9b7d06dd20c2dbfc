package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

const (
	onceHeader   = "Idempotency-Key"
	replayHeader = "Idempotent-Replayed"
	maxOnceKey   = 255 // characters
	// plainScope is the longest name of a scope that is kept as it is, in bytes.
	plainScope = 150
)

var errOnceKey = chatops.Errorf(chatops.CodeInvalid, "Idempotency-Key must be one header of 1 to %d printable characters", maxOnceKey)

// onceParam documents the header.
func onceParam() *huma.Param {
	one, most := 1, maxOnceKey
	return &huma.Param{
		Name: onceHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most},
		Description: "A text of your own choice, new for each request, such as a UUID. Send the same again with the same " +
			"body when you do not know what became of a request: it has one effect, and you get its answer.",
	}
}

// onceKey reads the header of a request that its client may repeat; nil when
// there is none. owner says whose key it is, so that two visitors who choose the
// same do not meet; content is everything that makes two requests the same.
func (s *Server) onceKey(x *exchange, operation string, owner func() string, content ...string) (*chatops.OnceKey, error) {
	values := x.request.Header[onceHeader]
	if len(values) == 0 {
		return nil, nil //nolint:nilnil // no key is the usual case, and no error
	}
	if len(values) > 1 || !validOnceKey(values[0]) {
		return nil, errOnceKey
	}
	scope := operation + owner()
	if len(scope) > plainScope {
		scope = operation + "#" + digest(scope)
	}
	return &chatops.OnceKey{Scope: scope, Key: digest(values[0]), Body: digest(content...), Owner: rand.Text()}, nil
}

func validOnceKey(key string) bool {
	n := 0
	for _, r := range key {
		n++
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return n > 0 && n <= maxOnceKey
}

// clientScope stands for the client's address, which is not kept.
func (s *Server) clientScope(x *exchange) string {
	return "@" + digest(clientKey(s.clientAddr(x.request)))
}

// digest returns the SHA-256 of texts, each with its length before it, so that
// no two lists are the same.
func digest(parts ...string) string {
	h := sha256.New()
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// replayed says that an answer is that of an earlier request.
func (x *exchange) replayed() { x.Header()[replayHeader] = []string{"true"} }
