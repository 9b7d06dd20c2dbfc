package consent

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// spelling draws an address in one of the ways in which people write it.
func spelling(t *rapid.T) string {
	local := rapid.StringMatching(`[a-z]{1,6}(\.[a-z]{1,4})?(\+[a-z]{1,4})?`).Draw(t, "local")
	address := local + "@" + rapid.SampledFrom([]string{"gmail.com", "googlemail.com", "firma.example", "żółw.pl", "xn--w-uga1v8h.pl"}).Draw(t, "domain")
	if rapid.Bool().Draw(t, "capitals") {
		address = strings.ToUpper(address)
	}
	return rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "before") + address + rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "after")
}

// Somebody who is suppressed under one spelling is suppressed under all of them,
// and a store finds the address that it holds in whatever case.
func TestMailbox_OfAnySpelling_IsThatOfTheKey(t *testing.T) {
	t.Parallel()
	marks := newMarks(t, "b", "a")
	rapid.Check(t, func(t *rapid.T) {
		typed := spelling(t)
		key := KeyOf(typed)
		m := NewMailbox(key, marks.Of)
		if again := KeyOf(key); again != key {
			t.Fatalf("%q has the key %q, which has the key %q", typed, key, again)
		}
		if !slices.Contains(m.Spellings, key) {
			t.Fatalf("the spellings %q have no %q", m.Spellings, key)
		}
		if len(m.Suppressing) != 5 || m.Suppressing[0] != LooseKey(key) {
			t.Fatalf("%q is suppressed by %q", key, m.Suppressing)
		}
		for i, s := range m.Spellings {
			if slices.Contains(m.Spellings[:i], s) {
				t.Fatalf("the spelling %q is there twice: %q", s, m.Spellings)
			}
			if KeyOf(s) != key {
				t.Fatalf("the spelling %q is that of %q, not of %q", s, KeyOf(s), key)
			}
		}
	})
}

// Plus tags and dots change what is erased of an address, and not whether its
// mailbox is recognised.
func TestMarks_OfOneMailbox_HaveTheLooseOneInCommon(t *testing.T) {
	t.Parallel()
	m := newMarks(t, "k")
	rapid.Check(t, func(t *rapid.T) {
		a, b := KeyOf(spelling(t)), KeyOf(spelling(t))
		of, other := m.Of(a), m.Of(b)
		if (of[0] == other[0]) != (a == b) {
			t.Fatalf("%q and %q have the digests %s and %s", a, b, of[0], other[0])
		}
		if (of[1] == other[1]) != (LooseKey(a) == LooseKey(b)) {
			t.Fatalf("%q and %q have the loose digests %s and %s", a, b, of[1], other[1])
		}
		if tagged := strings.Replace(a, "@", "+x@", 1); m.Of(tagged)[1] != of[1] {
			t.Fatalf("%q is not recognised as the mailbox of %q", tagged, a)
		}
	})
}

// What is known of a person is noted at each of their conversations, and at nobody
// else's.
func TestCandidates_OfAnyList_AreBarredByMailbox(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []chatops.FollowupCandidate
		for range rapid.IntRange(0, 8).Draw(t, "candidates") {
			var c chatops.FollowupCandidate
			c.Email = spelling(t)
			list = append(list, c)
		}
		c := NewCandidates(list, func(key string) Mailbox { return NewMailbox(key, nil) })
		people := map[string]bool{}
		for i := range list {
			people[LooseKey(KeyOf(list[i].Email))] = true
		}
		if len(c.People()) != len(people) || len(c.Marks()) != len(people) {
			t.Fatalf("%d people have %d mailboxes and %d marks", len(people), len(c.People()), len(c.Marks()))
		}
		if len(list) == 0 {
			return
		}
		barred := LooseKey(KeyOf(rapid.SampledFrom(list).Draw(t, "barred").Email))
		c.Bar(barred)
		c.Bar("nobody@firma.example")
		for i := range list {
			if want := LooseKey(KeyOf(list[i].Email)) == barred; list[i].Barred != want {
				t.Fatalf("%q is barred: %t, of the mailbox %s", list[i].Email, list[i].Barred, barred)
			}
		}
	})
}

// Keys are read in each of the ways in which tools write base64.
func TestParseKeys_ReadsEachAlphabetAndPadding(t *testing.T) {
	t.Parallel()
	encodings := []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		var secrets [][]byte
		for i := range rapid.IntRange(1, 4).Draw(t, "keys") {
			secret := rapid.SliceOfN(rapid.Byte(), minSecret, 64).Draw(t, "secret")
			secrets = append(secrets, secret)
			blank := rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "blank")
			parts = append(parts, blank+"k"+string(rune('0'+i))+blank+":"+blank+rapid.SampledFrom(encodings).Draw(t, "encoding").EncodeToString(secret))
		}
		keys, err := ParseKeys(strings.Join(parts, ","))
		if err != nil || len(keys) != len(secrets) {
			t.Fatalf("%d of %d keys, %v", len(keys), len(secrets), err)
		}
		for i, k := range keys {
			if k.ID != "k"+string(rune('0'+i)) || string(k.Secret) != string(secrets[i]) {
				t.Fatalf("key %d is %s", i, k.ID)
			}
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	good := strings.Repeat("A", 43) + "="
	for _, seed := range []string{"", "k1:" + good, "k2:" + good + ", k1:" + good[:43], "k1:" + good + ",k1:" + good, ":::", "k1", "ż:" + good, "k1:\x00" + good} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := ParseKeys(text)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		if err != nil && chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Fatalf("the error has the code %s", chatops.ErrorCode(err))
		}
		if _, err := NewMarks(keys); err != nil {
			t.Fatalf("keys that were read make no marks: %v", err)
		}
	})
}

func FuzzLooseKey(f *testing.F) {
	for _, seed := range []string{"", "@", "jan@x.pl", "j.a.n+x@googlemail.com", "...@gmail.com", "+@gmail.com", "a@b@gmail.com", ".+x@gmail.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		loose := LooseKey(key)
		if LooseKey(loose) != loose || len(loose) > len(key) {
			t.Fatalf("%q has the loose key %q", key, loose)
		}
	})
}
