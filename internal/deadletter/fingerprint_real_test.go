package deadletter

import "testing"

// Each group holds messages of one cause as receivers and the network word them.
var sameCause = [][2][]string{
	{{"email", "421"}, {
		"421 4.7.0 mx1.firma.example Try again later, closing connection. a640c23a62f3a-b7654321sor1",
		"421 4.7.0 mx2.firma.example Try again later, closing connection. ffacd0b85a97d-42b1c5d9abcdef",
	}},
	{{"email", "550"}, {
		"550 5.1.1 <jan.kowalski@firma.example>: Recipient address rejected: User unknown",
		"550 5.1.1 <ola@inna-firma.example>: Recipient address rejected: User unknown",
	}},
	{{"email", ""}, {
		"dial tcp 192.0.2.10:587: connect: connection refused",
		"dial tcp [2001:db8::17]:587: connect: connection refused",
		"dial tcp 198.51.100.7:465: connect: connection refused",
	}},
	{{"slack", ""}, {
		"dial tcp: lookup hooks.slack.com on 127.0.0.53:53: read udp 127.0.0.1:51234->127.0.0.53:53: i/o timeout",
		"dial tcp: lookup hooks.slack.com on 10.96.0.10:53: read udp 10.1.2.3:40001->10.96.0.10:53: i/o timeout",
	}},
	{{"slack", ""}, {
		"tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-26T08:00:00Z is after 2026-11-25T23:59:59Z",
		"tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-27T09:31:12+01:00 is after 2026-11-25T23:59:59Z",
	}},
	{{"slack", "http_503"}, {
		"slack: HTTP 503: upstream request timeout after 15 seconds (request 7f3a9c1e)",
		"slack: HTTP 503: upstream request timeout after 1 second (request 0b1d2e3f)",
	}},
	{{"monday", "ComplexityException"}, {
		"monday: Complexity budget exhausted, query cost 30001 budget remaining 18 out of 5000000 reset in 12 seconds",
		"monday: Complexity budget exhausted, query cost 29 budget remaining 0 out of 1000000 reset in 1 second",
	}},
	{{"monday", "InvalidColumnIdException"}, {
		"monday: This column ID doesn't exist for the board 4711, item 99001",
		"monday: This column ID doesn't exist for the board 815, item 99002",
	}},
	{{"webhook:crm", "http_500"}, {
		"webhook crm: HTTP 500: trace 4bf92f3577b34da6a3ce929d0e0e4736 at Thu, 26 Nov 2026 08:12:01 GMT",
		"webhook crm: HTTP 500: trace 00f067aa0ba902b7a3ce929d0e0e4736 at Sun, 1 Mar 2026 23:59:59 GMT",
	}},
	{{"webhook:crm", ""}, {
		`Post "https://crm.example/hook/aaaaaaaaaaaaaaaa": context deadline exceeded (after 10.002s)`,
		`Post "https://crm.example/hook/bbbbbbbbbbbbbbbb": context deadline exceeded (after 15s)`,
	}},
	{{"webhook:crm", ""}, {
		"read tcp 10.0.0.7:51000->203.0.113.9:443: read: connection reset by peer",
		"read tcp 10.0.0.8:33222->203.0.113.10:443: read: connection reset by peer",
	}},
}

func TestFingerprint_OfRealMessages_NamesTheCause(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, group := range sameCause {
		integration, code := group[0][0], group[0][1]
		first := Fingerprint(integration, code, group[1][0])
		for _, message := range group[1][1:] {
			if got := Fingerprint(integration, code, message); got != first {
				t.Errorf("two causes:\n%s\n  %s\n%s\n  %s", group[1][0], normalise(group[1][0]), message, normalise(message))
			}
		}
		if other, taken := owner[first]; taken {
			t.Errorf("one cause:\n%s\n%s", other, group[1][0])
		}
		owner[first] = group[1][0]
	}
}
