package runbook

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/consent"
)

func TestMask_KeepsEnoughToRecogniseAndNoMore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		maskFunc   func(string) string
		text, want string
	}{
		{maskEmail, "jan@firma.example", "j***@f***.example"},
		{maskEmail, "ł@żółw.pl", "ł***@ż***.pl"},
		{maskEmail, "a@b", "a***@b***"},
		{maskEmail, "nobody", "n***"},
		{maskName, "Jan  Kowalski", "J*** K***"},
		{maskName, "", ""},
		{maskPhone, "+48501234567", "***67"},
		{maskPhone, "997", "***"},
		{maskPhone, "", ""},
		{maskIP, "203.0.113.7", "203.0.0.0/16"},
		{maskIP, "::ffff:203.0.113.7", "203.0.0.0/16"},
		{maskIP, "2001:db8:1:2::9", "2001:db8::/32"},
		{maskIP, "", ""},
		{maskIP, "unknown", "***"},
		{maskSession, "session-0123456789", "sess***"},
		{maskSession, "s1", "***"},
		{maskAddresses, "ticket of Jan <jan@firma.example>, and ola@x.pl.", "ticket of Jan <j***@f***.example>, and o***@x***."},
		{maskAddresses, "postgres://[redacted]@db/x and @ alone", "postgres://[redacted]@db/x and @ alone"},
		{maskAddresses, "--reason=o'brien@x.pl", "-***@x***.pl"},
	} {
		if got := tt.maskFunc(tt.text); got != tt.want {
			t.Errorf("%q is masked as %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestMaskAddresses_LeavesNoAddressInAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.StringMatching(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~łż-]{3,12}@[a-z0-9-]{2,9}\.[a-z]{2,4}`).Draw(t, "address")
		if _, ok := consent.ParseEmail(address); !ok || strings.Contains(address, "://") {
			t.Skip("no address")
		}
		text := rapid.SampledFrom([]string{"%", "for %", "<%>", "%, please", "(%)", "--x=%", "a\t%\n", "\"%\""}).Draw(t, "text")
		got := maskAddresses(strings.ReplaceAll(text, "%", address))
		if strings.Contains(got, address) || !strings.Contains(got, hidden+"@") {
			t.Fatalf("%q in %q becomes %q", address, text, got)
		}
		if again := maskAddresses(got); strings.Contains(again, address) {
			t.Fatalf("masked twice: %q", again)
		}
	})
}
