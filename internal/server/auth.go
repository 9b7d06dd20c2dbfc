package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// adminSecurity marks operations that need the admin key; routes enforces it.
var adminSecurity = []map[string][]string{{"bearer": {}}, {"adminKey": {}}, {"apiKey": {}}}

// securitySchemes documents the three ways to send the key. The headers are
// those of the older API.
func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"bearer":   {Type: "http", Scheme: "bearer", Description: "The key of ADMIN_API_KEY"},
		"adminKey": {Type: "apiKey", In: "header", Name: "X-ADMIN-API-KEY", Description: "The same key"},
		"apiKey":   {Type: "apiKey", In: "header", Name: "X-API-KEY", Description: "The same key"},
	}
}

// keyring is a set of secrets, kept as digests, so that comparing takes the
// same time wherever a guess differs and whatever its length.
type keyring [][sha256.Size]byte

// newKeyring ignores empty secrets: an unset one opens nothing.
func newKeyring(secrets ...string) keyring {
	var k keyring
	for _, s := range secrets {
		if s != "" {
			k = append(k, sha256.Sum256([]byte(s)))
		}
	}
	return k
}

// has reports whether any of the given texts is one of the secrets.
func (k keyring) has(given ...string) bool {
	found := 0
	for _, text := range given {
		sum := sha256.Sum256([]byte(text))
		for i := range k {
			found |= subtle.ConstantTimeCompare(sum[:], k[i][:])
		}
	}
	return found == 1
}

// isAdmin reports whether a request carries the admin key.
func (s *Server) isAdmin(r *http.Request) bool {
	return s.adminKeys.has(bearer(r), r.Header.Get("X-Admin-Api-Key"), r.Header.Get("X-Api-Key"))
}

// bearer returns the token of RFC 6750, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// unauthorizedDetail is the same for a missing key, a wrong one, and a server
// that has none.
const unauthorizedDetail = "send the admin key as \"Authorization: Bearer KEY\", X-ADMIN-API-KEY or X-API-KEY; " +
	"without ADMIN_API_KEY on the server this part of the API is closed"

func unauthorized(id, detail string) *Problem {
	p := newProblem(http.StatusUnauthorized, "Unauthorized", id)
	p.Detail = detail
	return p
}

// guard lets a request through that carries the admin key.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.isAdmin(r) {
			unauthorized(requestID(r.Context()), unauthorizedDetail).write(w)
			return
		}
		next(w, r)
	}
}
