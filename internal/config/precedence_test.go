package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestChoose_StrongestOriginWins(t *testing.T) {
	t.Parallel()
	all := map[Origin]candidate{}
	for _, o := range Origins() {
		all[o] = candidate{text: string(o), given: true}
	}
	for _, want := range []Origin{OriginFlag, OriginEnv, OriginEnvFile, OriginProfile, OriginFile, OriginDefault} {
		got, origin := choose(all)
		if origin != want || got.text != string(want) {
			t.Fatalf("choose = %q from %q, want %q", got.text, origin, want)
		}
		delete(all, want)
	}
	if _, origin := choose(all); origin != OriginNone {
		t.Fatalf("nothing offered: origin %q, want %q", origin, OriginNone)
	}
}

func TestChoose_NoWeakerOfferChangesTheChoice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		offers := map[Origin]candidate{}
		for _, o := range Origins() {
			offers[o] = candidate{text: rapid.StringN(0, 3, -1).Draw(t, string(o)), given: rapid.Bool().Draw(t, "given")}
		}
		before, origin := choose(offers)
		weaker := false
		for _, o := range Origins() {
			if weaker {
				offers[o] = candidate{text: "changed", given: true}
			}
			weaker = weaker || o == origin
		}
		if after, _ := choose(offers); after != before {
			t.Fatalf("a weaker offer changed %v to %v", before, after)
		}
	})
}
