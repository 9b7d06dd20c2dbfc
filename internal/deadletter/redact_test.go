package deadletter

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestRedact_TakesSecretsAndPersonalDataAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"slack webhook", `Post "https://hooks.slack.com/services/T000/B000/XXXX": EOF`, `Post "https://hooks.slack.com/[redacted]": EOF`},
		{"webhook without scheme", "hooks.slack.com/services/T0/B0/abc says no", "hooks.slack.com/[redacted] says no"},
		{"userinfo", "dial smtp://bot:s3cret@mail.example:587: refused", "dial smtp://mail.example:587: refused"},
		{"password with a slash", "postgres://u:p/w@db:5432/x", "postgres://[redacted]"},
		{"query", "get http://crm.example?key=1&t=2", "get http://crm.example/[redacted]"},
		{"url with odd host", "get http://a$b/x", "get http://[redacted]"},
		{"email", "550 <jan.kowalski@firma.example>: unknown", "550 <[email]>: unknown"},
		{"email with national letters", "to=łukasz@żółw.pl, next", "to=[email], next"},
		{"email full width", "jan＠firma.example!", "[email]!"},
		{"email with zero width space", "ja\u200bn@\u200bfirma.example", "[email]"},
		{"email percent-encoded", "rcpt jan%40firma.example", "rcpt [email]"},
		{"dsn without scheme", "connect user:pa:ss@tcp(db:3306)", "connect [email](db:3306)"},
		{"phone", "call +48 600 100 200 now", "call [number] now"},
		{"phone plain", "sms to 600100200 or 600-100-200", "sms to [number] or [number]"},
		{"phone in brackets", "(22) 555 12 34 99", "([number]"},
		{"bearer", "Authorization: Bearer abc.def-ghi", "Authorization: [redacted] [redacted]"},
		{"basic", "sent basic dXNlcjpwYXNz to it", "sent basic [redacted] to it"},
		{"password", "login with password=hunter2 refused", "login with password=[redacted] refused"},
		{"password with colon", "password: hunter2", "password: [redacted]"},
		{"password of a dotted setting", "spring.datasource.password: hunter2", "spring.datasource.password: [redacted]"},
		{"json secret", `{"token":"abc","x":1}`, `{"token":"[redacted]","x":1}`},
		{"slack token", "token xoxb-123456-abcdefghijkl bad", "token [token] bad"},
		{"hex", "trace 0123456789abcdef", "trace [token]"},
		{"uuid", "id 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "id [token]"},
		{"base64 with slashes", "sig: aGVsbG8/d29ybGQ+Zm9vYmFy/YmF6cXV4MTIz", "sig: [token]"},
		{"letters at random", "key AbXcQzRtYuIoPlKjHgFd", "key [token]"},
		{"control characters", "a\x00b\x1b[31mred\r\nnew\tline\u2028x\u202ey", "ab [31mred new line xy"},
		{"invalid utf-8", "bad \xff byte", "bad byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Redact(c.in); got != c.want {
				t.Errorf("Redact(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

func TestRedact_LeavesWhatHelps(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"dial tcp 192.168.100.200:5432: connect: connection refused",
		"lookup hooks.slack.com on 10.0.0.2:53: no such host",
		"http 503 service unavailable, retry after 30s",
		"monday: ComplexityException: query limit reached",
		"monday: ColumnValueExceptionInvalidBoard",
		"slack: channel_is_archived",
		"550 5.7.1 relaying denied",
		"context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
		"read tcp 10.0.0.1:40000->10.0.0.2:443: i/o timeout",
		"invalid token: expired",
		"since 2026-01-02 15:04:05 down",
		"unexpected content type application/x-www-form-urlencoded",
		"@channel is not allowed",
		"",
	} {
		if got := Redact(s); got != s {
			t.Errorf("Redact(%q) = %q", s, got)
		}
	}
}

func TestRedact_IsBounded(t *testing.T) {
	t.Parallel()
	got := Redact(strings.Repeat("źle ", 5_000_000))
	if n := utf8.RuneCountInString(got); n != MaxErrorText {
		t.Errorf("%d characters, want %d", n, MaxErrorText)
	}
	if !strings.HasSuffix(got, "…") {
		t.Errorf("the cut is not marked: %q", got[len(got)-10:])
	}
	long := strings.Repeat("[", maxScrubbed-6) + " 600 100 200"
	if got := Redact(long); strings.Contains(got, "600") {
		t.Errorf("half a phone number is left at the cut")
	}
}

var leaks = []*regexp.Regexp{
	regexp.MustCompile(`[\pL\pN._-]@[\pL\pN]`),
	regexp.MustCompile(`[a-z]://[^ "'/]*@`),
	regexp.MustCompile(`[a-z]://[a-z0-9.]+/[a-zA-Z0-9]`),
	regexp.MustCompile(`[0-9]{9}`),
	regexp.MustCompile(`[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}`),
	regexp.MustCompile(`[0-9a-f]{15}[0-9][a-f][0-9a-f]*`),
}

func checkRedacted(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, in string,
) {
	t.Helper()
	got := Redact(in)
	if !utf8.ValidString(got) || utf8.RuneCountInString(got) > MaxErrorText {
		t.Fatalf("Redact(%q) is not valid text within the bound", in)
	}
	for _, r := range got {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Fatalf("Redact(%q) holds %U", in, r)
		}
	}
	for _, re := range leaks {
		if m := re.FindString(got); m != "" {
			t.Fatalf("Redact(%q) = %q lets %q through (%s)", in, got, m, re)
		}
	}
}

func TestRedact_HidesPlantedSecretsAnywhere(t *testing.T) {
	t.Parallel()
	secret := rapid.OneOf(
		rapid.StringMatching(`https://hooks\.slack\.com/services/T[0-9A-Z]{8}/B[0-9A-Z]{8}/canary[0-9a-z]{18}`),
		rapid.StringMatching(`smtp://canary[0-9a-z]{0,8}:canary[!#-&(-.0-9a-z]{1,12}@[a-z]{3,8}\.example`),
		rapid.StringMatching(`canary[0-9a-z.+_-]{0,12}@[a-z]{2,8}\.[a-z]{2,5}`),
		rapid.StringMatching(`Bearer canary[0-9A-Za-z._-]{3,40}`),
		rapid.StringMatching(`password=canary[!#-%(-+\--.0-9a-z]{0,12}`),
		rapid.StringMatching(`canary[0-9][0-9a-zA-Z]{13,40}`),
	)
	// The words around hold no letter that could join the secret.
	around := rapid.StringMatching(`([a-z]{1,8}: )?([a-z]{0,6} ?["(<]?)`)
	rapid.Check(t, func(t *rapid.T) {
		before, s, after := around.Draw(t, "before"), secret.Draw(t, "secret"), around.Draw(t, "after")
		text := before + " " + s + " " + after
		got := Redact(text)
		if strings.Contains(strings.ToLower(got), "canary") {
			t.Fatalf("Redact(%q) = %q", text, got)
		}
		checkRedacted(t, text)
	})
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{
		"", "https://a.example/b?c", "a@b.c", "+48 600 100 200", "Bearer abcdefgh", "password: x",
		"0123456789abcdef0", "%40", "://", "a://@/", "\x00\xff", "10.0.0.1 600 100 200", "2026-01-02 600 100 200",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkRedacted(t, s) })
}
