package deadletter

import (
	"fmt"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestFingerprint_IsTwelveHexDigits(t *testing.T) {
	t.Parallel()
	re := regexp.MustCompile(`^[0-9a-f]{12}$`)
	rapid.Check(t, func(t *rapid.T) {
		fp := Fingerprint(rapid.String().Draw(t, "i"), rapid.String().Draw(t, "c"), rapid.String().Draw(t, "m"))
		if !re.MatchString(fp) {
			t.Fatalf("fingerprint %q", fp)
		}
	})
}

func TestFingerprint_StaysTheSameAcrossVersions(t *testing.T) {
	t.Parallel()
	// Rows keep their fingerprint for weeks and operators paste them: a change
	// of this value splits every group.
	if got := Fingerprint("slack", "http_503", "http 503 service unavailable"); got != "0162e7cd4702" {
		t.Fatalf("fingerprint %s", got)
	}
}

func TestFingerprint_IgnoresWhatDiffersFromAlertToAlert(t *testing.T) {
	t.Parallel()
	// "dial db.pwd: item" hides the item, because it could be a password. That
	// such a host splits a group is the lesser evil.
	endsLikeASecret := regexp.MustCompile(`(password|passwd|pwd|secret)$`)
	vary := map[string]*rapid.Generator[string]{
		"number":   rapid.StringMatching(`[0-9]{1,12}`),
		"duration": rapid.StringMatching(`[0-9]{1,3}(\.[0-9])?(ms|s|m)`),
		"time":     rapid.StringMatching(`20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|\+02:00)?`),
		"host": rapid.StringMatching(`[a-z]{1,8}(-[a-z]{1,4})?\.[a-z]{2,8}(\.[a-z]{2,3})?(:[0-9]{2,5})?`).
			Filter(func(host string) bool { return !endsLikeASecret.MatchString(host) }),
		"address":  rapid.StringMatching(`([0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]{2,5}`),
		"ipv6":     rapid.StringMatching(`\[2001:db8::[0-9a-f]{1,4}\]:[0-9]{2,5}`),
		"hex":      rapid.StringMatching(`[0-9a-f]{16,40}`),
		"uuid":     rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`),
		"email":    rapid.StringMatching(`[a-z]{1,8}@[a-z]{1,8}\.[a-z]{2}`),
		"httpDate": rapid.StringMatching(`(Mon|Thu|Sun), [0-3][0-9] (Jan|May|Nov) 20[0-9]{2} [0-2][0-9]:[0-5][0-9]:[0-5][0-9] GMT`),
		"cDate":    rapid.StringMatching(`(Mon|Thu|Sun) (January|May|Sept) [1-9] [0-2][0-9]:[0-5][0-9] 20[0-9]{2}`),
		"length":   rapid.StringMatching(`([0-9]{1,3} (second|seconds|minutes|hours|days|ms|bytes))`),
		"mac":      rapid.StringMatching(`([0-9a-f]{2}:){5}[0-9a-f]{2}`),
		"ulid":     rapid.StringMatching(`01[0-9A-HJKMNP-TV-Z]{24}`),
		"url":      rapid.StringMatching(`https://[a-z]{3,8}\.[a-z]{2,3}/[a-zA-Z0-9/]{1,30}`),
	}
	for name, gen := range vary {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
				const format = "dial %s: item %s was refused (%s)"
				fa := Fingerprint("monday", "x", fmt.Sprintf(format, a, a, a))
				fb := Fingerprint("monday", "x", fmt.Sprintf(format, b, b, b))
				if fa != fb {
					t.Fatalf("%q and %q have other fingerprints", a, b)
				}
			})
		})
	}
}

// What happens to be beside a number is what makes it a date or a unit.
func TestFingerprint_KeepsWordsThatAreNoDates(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"payload may not be empty":                          "payload may not be empty",
		"retry after 1 second":                              "retry after #",
		"retry after 30 seconds":                            "retry after #",
		"quota of the second board is used up":              "quota of the second board is used up",
		"lookup mail on 10.0.0.2:53: no such host":          "lookup # on # no such host",
		"lookup relay on 10.0.0.2:53: no such host":         "lookup # on # no such host",
		"closed at Thu, 26 Nov 2026 08:12:01 GMT by peer":   "closed at # by peer",
		"closed at Mon Jan 2 15:04:05 2027 UTC by peer":     "closed at # by peer",
		"rejected in 30 s: the board has 10000 items, 2 MB": "rejected in # the board has # items #",
	} {
		if got := normalise(message); got != want {
			t.Errorf("%q becomes %q, want %q", message, got, want)
		}
	}
}

func TestFingerprint_TellsCausesApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, c := range [][3]string{
		{"slack", "http_500", "server error"},
		{"slack", "http_404", "server error"},
		{"monday", "http_500", "server error"},
		{"slack", "", "connection refused"},
		{"slack", "", "connection reset by peer"},
		{"slack", "channel_is_archived", "slack: channel_is_archived"},
		{"slack", "", ""},
		{"sla", "ck", ""},
	} {
		fp := Fingerprint(c[0], c[1], c[2])
		if was, ok := seen[fp]; ok {
			t.Errorf("%q and %q share %s", was, c, fp)
		}
		seen[fp] = fmt.Sprint(c)
	}
}
