package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr returns the address that a request came from: the peer of the
// connection or, behind trusted proxies, the rightmost entry of X-Forwarded-For
// that is none of them. What stands further left is what the client wrote. An
// entry that is no address ends the search at the proxy that passed it on.
// The address is invalid where the connection has none, as on a Unix socket.
func (s *Server) clientAddr(r *http.Request) netip.Addr {
	client := parseHop(r.RemoteAddr)
	if !s.isTrusted(client) {
		return client
	}
	// Several lines are one list (RFC 9110, section 5.3).
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for rest := line; rest != ""; {
			entry := rest[strings.LastIndexByte(rest, ',')+1:]
			rest = strings.TrimSuffix(rest[:len(rest)-len(entry)], ",")
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			hop := parseHop(entry)
			if !hop.IsValid() {
				return client
			}
			client = hop
			if !s.isTrusted(hop) {
				return client
			}
		}
	}
	return client
}

func (s *Server) isTrusted(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	for _, network := range s.opts.TrustedProxies {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an address with or without a port, brackets and zone. IPv4
// written in IPv6 is IPv4.
func parseHop(text string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone("")
}

// clientKey names the client that an address belongs to: itself or, in IPv6,
// its /64, within which one subscriber may choose as many as they like.
func clientKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr().String() + "/64"
		}
	}
	return a.String()
}
