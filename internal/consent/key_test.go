package consent

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestParseKeys_ReadsAListNewestFirst(t *testing.T) {
	t.Parallel()
	a, b := testKey("a"), testKey("B2")
	std, raw := base64.StdEncoding.EncodeToString(a.Secret), base64.RawURLEncoding.EncodeToString(b.Secret)
	keys, err := ParseKeys(" a:" + std + " ,, B2: " + raw + ",")
	if err != nil || len(keys) != 2 || keys[0].ID != "a" || keys[1].ID != "B2" ||
		!bytes.Equal(keys[0].Secret, a.Secret) || !bytes.Equal(keys[1].Secret, b.Secret) {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
}

func TestParseKeys_OfABadList_SaysWhatIsWrongWithoutTheSecret(t *testing.T) {
	t.Parallel()
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s3cr3t"), 8))
	for text, want := range map[string]string{
		"":                                       "no consent key",
		",,":                                     "no consent key",
		secret:                                   "consent key 1: its id",
		"a b:" + secret:                          "consent key 1: its id",
		":" + secret:                             "consent key 1: its id",
		"seventeenletters1:" + secret:            "consent key 1: its id",
		"a:" + secret + ",b:" + secret[1:] + "!": "consent key 2 (b): its secret is not base64",
		"a:" + secret[:40]:                       "consent key 1 (a): its secret has 30 bytes",
		"a:" + secret + ",a:" + secret:           "consent key 2 (a): another key has the same id",
		"a:":                                     "consent key 1 (a): its secret has 0 bytes",
	} {
		_, err := ParseKeys(text)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%d characters: %v, want %q", len(text), err, want)
		}
		if err != nil && strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestGenerateKey_IsUsableAndNew(t *testing.T) {
	t.Parallel()
	a, b := GenerateKey(), GenerateKey()
	if err := checkKeys([]chatops.ConsentKey{a, b}); err != nil || bytes.Equal(a.Secret, b.Secret) {
		t.Errorf("%s and %s: %v", a.ID, b.ID, err)
	}
}
