package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestForms_TakeAndRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ good, bad []string }{
		"http": {
			[]string{"https://a.example", "http://127.0.0.1:8080/v1", "https://[::1]:9/x?y=1", "HTTPS://A.example"},
			[]string{"", "a.example", "//a.example", "https://", "https:///x", "https://:443", "ftp://a.example", "https://a b", "https://a.example:port"},
		},
		"origins": {
			[]string{"*", "https://a.example", "https://a.example:8443, http://b.example", "https://a.example,"},
			[]string{
				"a.example", "https://a.example/", "https://a.example?x=1", "https://user@a.example", "https://a.example, b",
				"https://a.example#top", "https://a.example?", "https://*.example/x", "null",
			},
		},
		"listen": {
			[]string{"127.0.0.1", "::1", "[::1]", "[::1]:80", "127.0.0.1:0", ":8080", "chat.internal", "chat.internal:65535"},
			[]string{"127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "a b", "a/b", "[::1", "::1]", "[", "1:2:3", "a b:80", "http://a"},
		},
		"networks": {
			[]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32,::1", "::ffff:10.0.0.0/104", "fe80::1%eth0"},
			[]string{"10.0.0.0/33", "10.0.0", "proxy", "10.0.0.0/8;192.0.2.7", "::/129", "10.0.0.0-10.0.0.9"},
		},
		"consentkeys": {
			good: []string{"k1:" + strings.Repeat("A", 44), "k2:" + strings.Repeat("B", 44) + ", k1:" + strings.Repeat("_", 43)},
			bad:  []string{"k1", ":" + strings.Repeat("A", 44), "k1:AAAA", "k 1:" + strings.Repeat("A", 44), "k1:" + strings.Repeat("A", 44) + ",k1:" + strings.Repeat("B", 44)},
		},
		"smtp": {
			[]string{"smtp://mail.example", "smtp://u:p@mail.example:587", "smtp://mail.example/?tls=none", "smtp://mail.example?tls=implicit"},
			[]string{
				"mail.example", "smtp://", "smtp://mail.example/inbox", "smtp://mail.example?tls=ssl", "smtp://mail.example?tls=none&tls=none",
				"smtp://mail.example?TLS=none", "smtp://mail.example?a=%zz", "https://mail.example",
			},
		},
		"email": {
			[]string{"a@b.example", "jan.kowalski+x@b.example"},
			[]string{"", "a", "a@", "@b", "a@b.example ", "<a@b.example>", "Jan <a@b.example>", "a@b.example,c@d.example", strings.Repeat("a", 250) + "@b.example"},
		},
		"mailbox": {
			[]string{"a@b.example", "Bot <a@b.example>", `"Nova, Wnętrza" <a@b.example>`},
			[]string{"", "Bot", "Bot <>", "a@b.example\nBcc: c@d.example", "a@b.example, c@d.example"},
		},
		"digits":         {[]string{"0", "1234567890123456789012"}, []string{"", " 1", "1.0", "-1", "１"}},
		"webhooks":       {[]string{"crm=https://a.example/x?k=v=w", "a=http://b,c-d_9=http://e", ""}, []string{"crm", "=https://a.example", "crm=ftp://a", "crm=https://a,crm=https://b"}},
		"webhooksecrets": {[]string{"crm=whsec_a=b", "a=1, b=2"}, []string{"crm", "crm=", "c.r=1", "a=1,a=2", strings.Repeat("n", 65) + "=1"}},
	} {
		for _, text := range c.good {
			if !forms[name].check(text) {
				t.Errorf("%s refuses %q", name, text)
			}
		}
		for _, text := range c.bad {
			if forms[name].check(text) {
				t.Errorf("%s takes %q", name, text)
			}
		}
	}
}

// Whoever trusts a proxy trusts every address of the network and no other.
func TestParseNetwork_HoldsTheAddressItWasWrittenWith(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		a := netip.AddrFrom16([16]byte(raw))
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 1:
			a = netip.AddrFrom4([4]byte(raw[:4]))
		case 2:
			copy(raw, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) // IPv4 written in IPv6
			a = netip.AddrFrom16([16]byte(raw))
		}
		bits := rapid.IntRange(0, a.BitLen()).Draw(t, "bits")
		p, ok := parseNetwork(fmt.Sprintf("%s/%d", a, bits))
		if !ok || p != p.Masked() {
			t.Fatalf("%s/%d reads as %s, %v", a, bits, p, ok)
		}
		if plain := a.Unmap(); plain.Is4() == p.Addr().Is4() && !p.Contains(plain) {
			t.Fatalf("%s/%d reads as %s, which does not hold it", a, bits, p)
		}
		lone, ok := parseNetwork(a.String())
		if !ok || !lone.IsSingleIP() || !lone.Contains(a.Unmap()) {
			t.Fatalf("%s reads as %s, %v", a, lone, ok)
		}
	})
}

// A slip of one key is always found again; what is far from everything is not
// guessed at.
func TestNearest_FindsEverySettingAfterOneSlip(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, f := range Fields() {
		keys = append(keys, f.Key)
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		at := rapid.IntRange(0, len(key)-2).Draw(t, "at")
		slip := map[string]string{
			"left out": key[:at] + key[at+1:],
			"doubled":  key[:at+1] + key[at:],
			"swapped":  key[:at] + key[at+1:at+2] + key[at:at+1] + key[at+2:],
			"replaced": key[:at] + "~" + key[at+1:],
		}[rapid.SampledFrom([]string{"left out", "doubled", "swapped", "replaced"}).Draw(t, "slip")]
		if d := editDistance(slip, key); d > 1 {
			t.Fatalf("%q is %d from %q", slip, d, key)
		}
		near, ok := Nearest(strings.ToUpper(slip), keys)
		if !ok || editDistance(slip, near) > editDistance(slip, key) {
			t.Fatalf("%q is taken for %q", slip, near)
		}
	})
}

func TestEditDistance_IsADistance(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[abc]{0,7}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := editDistance(a, b)
		if d != editDistance(b, a) || (d == 0) != (a == b) {
			t.Fatalf("%q and %q: %d one way, %d the other", a, b, d, editDistance(b, a))
		}
		if least, most := max(len(a), len(b))-min(len(a), len(b)), max(len(a), len(b)); d < least || d > most {
			t.Fatalf("%q and %q: %d, want %d to %d", a, b, d, least, most)
		}
	})
}

func TestDecimal_TakesNoOtherNotation(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"5": 5, "-5": -5, "+5": 5, "0.5": 0.5, ".5": 0.5, "5.": 5, "007": 7} {
		if got, ok := decimal(text); !ok || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ".", "-", "1.2.3", "1-2", "--1", "1e3", "0x1", "1_000", "Inf", "NaN", " 1", "1 ", "٣", "1,5"} {
		if got, ok := decimal(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestURL_TellsSchemeAndIsLoggedRedacted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://u:" + canary + "@h/d": "postgres", "REDISS://:" + canary + "@h": "rediss", "sqlite::memory:": "sqlite", "sqlite://a.db": "sqlite",
		"no address": "", "": "", "a b://h": "",
	} {
		u := NewURL(text)
		if got := u.Scheme(); got != want {
			t.Errorf("%q has the scheme %q, want %q", text, got, want)
		}
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "url", u)
		raw, err := u.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		assertNoCanary(t, text, b.String()+string(raw)+fmt.Sprintf("%#v", u))
		if u.IsZero() != (text == "") || string(raw) != u.String() {
			t.Errorf("%q: zero %v, encoded as %q", text, u.IsZero(), raw)
		}
	}
}

func TestURLSecrets_AreThePiecesThatMustNotBeShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://app:p%40w@h/d":              "p%40w p@w",
		"postgres://app@h/d":                    "",
		"postgres://app@h/d?sslpassword=x%2By":  "x%2By x+y",
		"redis://token@h":                       "token",
		"redis://u:@h":                          "",
		"https://h/x?api_key=k&page=2&sig=s%zz": "k s%zz",
		"sqlite://a:b@c.db?_key=k":              "k",
		"postgres://u:a/b@h/d":                  "postgres://u:a/b@h/d",
	} {
		if got := strings.Join(urlSecrets(text), " "); got != want {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}
