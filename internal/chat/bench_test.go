package chat

import (
	"testing"

	"chatops/internal/chatops"
)

var benchMessages = []string{
	"Ile kosztuje wykończenie mieszkania?", "Piotr Wiśniewski, Wrocław, 95m2, Express Plus, piotr.w@przyklad.pl, 511 222 333",
	"Czy działacie w Nowym Sączu? Mam 60 metrów i budżet 120 tys. zł", "How long does it take?", "jaka gwaracja na prace",
}

func BenchmarkExtract(b *testing.B) {
	x := testKnowledge(b).Extractor()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Extract(benchMessages[i%len(benchMessages)], AskedNothing)
	}
}

// longMessage is what somebody writes who tells everything at once.
const longMessage = "Dzień dobry, nazywam się Katarzyna Wójcik-Nowak. Kupiliśmy z mężem mieszkanie w stanie deweloperskim w Bielsku-Białej, 64,5 m2, trzecie piętro, " +
	"dwa pokoje z balkonem 8 m2. Odbiór kluczy w marcu. Zastanawialiśmy się nad pakietem Premium, ale raczej wolimy Comfort, bo nasz budżet to 120 tys. zł, najwyżej sto " +
	"trzydzieści tysięcy. Czy materiały są w cenie i jak długo trwają prace? Proszę o kontakt po 17: 600 700 800, a jeśli nie odbiorę, to k.wojcik@przyklad.pl. Z góry dziękuję!"

func BenchmarkExtractLong(b *testing.B) {
	x := testKnowledge(b).Extractor()
	b.ReportAllocs()
	b.SetBytes(int64(len(longMessage)))
	for b.Loop() {
		x.Extract(longMessage, AskedNothing)
	}
}

// BenchmarkExtractHardest reads 4,000 characters made to take long.
func BenchmarkExtractHardest(b *testing.B) {
	x := testKnowledge(b).Extractor()
	for _, name := range []string{"numbers", "cities", "names", "hyphens", "at", "ligature"} {
		text := hardMessages()[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Extract(text, AskedName)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	k := testKnowledge(b)
	x, idx := k.Extractor(), k.Index()
	read := make([]*Extraction, len(benchMessages))
	for i, m := range benchMessages {
		read[i] = x.Extract(m, AskedNothing)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e := read[i%len(read)]
		e.typoBudget = maxTypoWords
		idx.Search(e)
	}
}

func BenchmarkReply(b *testing.B) {
	s, store := testService(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Reply(b.Context(), chatops.ChatRequest{Message: benchMessages[i%len(benchMessages)], SessionID: "bench"}); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 0 {
			clear(store.messages)
		}
	}
}

func BenchmarkLoadKnowledge(b *testing.B) {
	for b.Loop() {
		if _, err := LoadKnowledge(Embedded()); err != nil {
			b.Fatal(err)
		}
	}
}
