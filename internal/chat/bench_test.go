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
