package runbook

import "testing"

func TestParseNetwork_IsCanonical(t *testing.T) {
	t.Parallel()
	tests := []struct {
		word, want string
		noted      bool
	}{
		{"203.0.113.7", "203.0.113.7/32", false},
		{"203.0.113.7/32", "203.0.113.7/32", false},
		{"203.0.113.7/24", "203.0.113.0/24", true},
		{"10.0.0.0/8", "10.0.0.0/8", false},
		{"2001:DB8::7", "2001:db8::/64", true},
		{"2001:db8:0:0:1::7", "2001:db8::/64", true},
		{"2001:db8::7/128", "2001:db8::7/128", false},
		{"2001:db8::7/48", "2001:db8::/48", true},
		{"::ffff:203.0.113.7", "203.0.113.7/32", false},
		{"::ffff:203.0.113.7/120", "203.0.113.0/24", true},
		{"::1", "::/64", true},
		{"0.0.0.0/0", "0.0.0.0/0", false},
	}
	for _, tt := range tests {
		network, note, err := parseNetwork(tt.word)
		if err != nil || network.String() != tt.want || (note != "") != tt.noted {
			t.Errorf("%s is %s (%q, %v), want %s", tt.word, network, note, err, tt.want)
		}
	}
	for _, word := range []string{"", "300.1.1.1", "203.0.113", "203.0.113.07", "203.0.113.7/33", "203.0.113.7/-1", "::1/129", "fe80::1%eth0", "fe80::1%eth0/64", "::ffff:1.2.3.4/90", "host.example", " 203.0.113.7"} {
		if network, _, err := parseNetwork(word); err == nil {
			t.Errorf("%q is taken for %s", word, network)
		}
	}
}

func TestLarge_IsMoreThanOneProvidersCustomers(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]bool{"198.50.0.0/15": true, "198.51.0.0/16": false, "2001:db8::/31": true, "2001:db8::/32": false} {
		network, _, err := parseNetwork(word)
		if err != nil || large(network) != want {
			t.Errorf("large(%s) = %t (%v)", word, !want, err)
		}
	}
}

func FuzzParseNetwork_IsReadBackAsItself(f *testing.F) {
	for _, word := range []string{"203.0.113.7", "2001:db8::7/48", "::ffff:203.0.113.7/120", "x", "::/0"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		network, _, err := parseNetwork(word)
		if err != nil {
			return
		}
		again, note, err := parseNetwork(network.String())
		if err != nil || again != network || note != "" || network != network.Masked() {
			t.Errorf("%q is %s, which is read back as %s (%q, %v)", word, network, again, note, err)
		}
	})
}
