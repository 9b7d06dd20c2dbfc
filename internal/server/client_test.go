package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func networks(tb rapid.TB, list ...string) []netip.Prefix {
	tb.Helper()
	all := make([]netip.Prefix, len(list))
	for i, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			tb.Fatal(err)
		}
		all[i] = p
	}
	return all
}

func TestClientAddr_BelievesTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	s := &Server{opts: Options{TrustedProxies: networks(t, "10.0.0.0/8", "fd00::/8")}}
	for _, tc := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"203.0.113.7:1", nil, "203.0.113.7"},
		{"203.0.113.7:1", []string{"198.51.100.1"}, "203.0.113.7"}, // not through a proxy
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"1.1.1.1, 2.2.2.2, 198.51.100.1"}, "198.51.100.1"}, // the rest is the client's own word
		{"10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1, 10.0.0.2,10.0.0.3"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"}, // several lines
		{"10.0.0.1:1", []string{strings.Repeat("1.1.1.1,", 10) + "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"10.0.0.9, 10.0.0.2"}, "10.0.0.9"}, // everybody is trusted: the first
		{"10.0.0.1:1", []string{"198.51.100.1, junk"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1, junk, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1,, ,"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"10.0.0.1:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[fd00::1%eth0]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"256.1.1.1"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1\x00"}, "10.0.0.1"},
		{"@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: tc.remote, Header: http.Header{"X-Forwarded-For": tc.forwarded}}
		if got := s.clientAddr(r).String(); got != tc.want {
			t.Errorf("%s with %q is %s, want %s", tc.remote, tc.forwarded, got, tc.want)
		}
	}
	none := &Server{}
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}}}
	if got := none.clientAddr(r).String(); got != "10.0.0.1" {
		t.Errorf("without trusted proxies the header gives %s", got)
	}
}

func TestClientAddr_WhatTheClientWritesChangesNothing(t *testing.T) {
	t.Parallel()
	s := &Server{opts: Options{TrustedProxies: networks(t, "10.0.0.0/8")}}
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`((10|198)\.0\.0\.[1-9](, ?)?){0,5}`),
		).Draw(t, "forged")
		r := &http.Request{RemoteAddr: "10.0.0.1:9", Header: http.Header{"X-Forwarded-For": {forged + ", 203.0.113.5, 10.0.0.7"}}}
		if got := s.clientAddr(r).String(); got != "203.0.113.5" {
			t.Fatalf("%q makes the client %s", forged, got)
		}
	})
}

func TestClientKey_IsTheNetworkOfASubscriber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "::1": "::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := clientKey(parseHop(text)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if got := clientKey(netip.Addr{}); got != "invalid IP" {
		t.Errorf("no address is %q", got)
	}
}

func FuzzParseHop(f *testing.F) {
	for _, seed := range []string{"1.2.3.4", "[::1]:80", "::ffff:1.2.3.4", "fe80::1%25eth0", "[", "1.2.3.4:99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := parseHop(text)
		if a.IsValid() && (a.Is4In6() || a.Zone() != "") {
			t.Fatalf("%q is %s", text, a)
		}
		if clientKey(a) == "" {
			t.Fatalf("%q has no key", text)
		}
	})
}

// modelClient is clientAddr said another way: all lines are one list, which is
// read from its end for as long as proxies that are trusted have passed it on.
func modelClient(remote string, lines []string, trusted func(netip.Addr) bool) netip.Addr {
	client := parseHop(remote)
	entries := strings.Split(strings.Join(lines, ","), ",")
	for len(entries) > 0 && client.IsValid() && trusted(client) {
		last := strings.TrimSpace(entries[len(entries)-1])
		entries = entries[:len(entries)-1]
		if last == "" {
			continue
		}
		hop := parseHop(last)
		if !hop.IsValid() {
			break
		}
		client = hop
	}
	return client
}

func FuzzClientAddr_NobodyForgesTheirAddress(f *testing.F) {
	for _, seed := range [][3]string{
		{"10.0.0.1:1", "1.1.1.1, 2.2.2.2", "10.0.0.2"}, {"10.0.0.1:1", strings.Repeat("203.0.113.1, ", 10), "junk"},
		{"[fd00::1%eth0]:1", "::ffff:198.51.100.1", "fe80::1%eth0"}, {"203.0.113.7:1", "10.0.0.1", ""}, {"@", "10.0.0.1", ","},
		{"[::ffff:10.0.0.1]:9", ", ,10.0.0.3:80", "[2001:db8::1]:4711"}, {"10.0.0.1:1", "10.0.0.1\x00", "[]"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	s := &Server{opts: Options{TrustedProxies: networks(f, "10.0.0.0/8", "fd00::/8")}}
	f.Fuzz(func(t *testing.T, remote, first, second string) {
		ask := func(remote string, lines ...string) netip.Addr {
			return s.clientAddr(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": lines}})
		}
		got := ask(remote, first, second)
		if want := modelClient(remote, []string{first, second}, s.isTrusted); got != want {
			t.Fatalf("%q with %q and %q is %s, want %s", remote, first, second, got, want)
		}
		if peer := parseHop(remote); !s.isTrusted(peer) && got != peer {
			t.Fatalf("%q is no proxy of ours, and its word makes it %s", remote, got)
		}
		if got.IsValid() && (got.Is4In6() || got.Zone() != "") {
			t.Fatalf("%q with %q and %q is %s", remote, first, second, got)
		}
		// What our proxy has seen holds, whatever the client wrote before it.
		if got := ask("10.0.0.1:9", first, second+", 203.0.113.5, 10.0.0.7"); got.String() != "203.0.113.5" {
			t.Fatalf("%q and %q make the client %s", first, second, got)
		}
		if got := ask("203.0.113.6:9", first, second); got.String() != "203.0.113.6" {
			t.Fatalf("%q and %q make a client without proxies %s", first, second, got)
		}
	})
}

func TestClientKey_OfTwoAddressesIsOneWithinANetworkOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) netip.Addr {
			// Few prefixes, so that two often share one.
			b := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, rapid.ByteRange(0, 2).Draw(t, name+" network")}
			copy(b[8:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, name+" host"))
			return netip.AddrFrom16(b)
		}
		a, b := draw("a"), draw("b")
		same := a.As16()[7] == b.As16()[7]
		if (clientKey(a) == clientKey(b)) != same {
			t.Fatalf("%s and %s have the keys %s and %s", a, b, clientKey(a), clientKey(b))
		}
	})
}
