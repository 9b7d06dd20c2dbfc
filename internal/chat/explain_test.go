package chat

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestExplain_SaysWhatSearchFinds(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, message := range benchMessages {
		e := k.Extractor().Extract(message, AskedNothing)
		hits, reasons := k.Index().Search(e), k.Index().Explain(e)
		if len(hits) != len(reasons) {
			t.Fatalf("%q: %d hits, %d reasons", message, len(hits), len(reasons))
		}
		for i, h := range hits {
			if r := reasons[i]; r.Topic != h.Topic || r.Score != h.Score || r.Likeness < 0 || r.Likeness > 1.0001 {
				t.Errorf("%q: %+v, want %+v", message, r, h)
			}
		}
	}
}

func TestExplain_NamesKeywordsWordsAndTheNearestExample(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	r := k.Index().Explain(k.Extractor().Extract("jaka gwaracja na prace", AskedNothing))
	if len(r) == 0 || r[0].Topic != TopicWarranty {
		t.Fatalf("%+v", r)
	}
	first := r[0]
	if len(first.Keywords) == 0 || first.Keywords[0].Keyword != "gwaranc* ^3.0" || first.Keywords[0].Lang != Polish || first.Keywords[0].Points <= 0 {
		t.Errorf("keywords %+v", first.Keywords)
	}
	if len(first.Words) == 0 || first.Words[0].Word != "gwarancja" || first.Words[0].Weight <= 0 {
		t.Errorf("words %+v: the typing error should be read", first.Words)
	}
	if !strings.Contains(fold(first.Example), "gwaranc") || first.Likeness < 0.3 {
		t.Errorf("nearest example %q, %.2f", first.Example, first.Likeness)
	}
}

func TestExplain_FindsNoReasonInNoWords(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	for _, message := range []string{"", "!!!", "60 m2"} {
		if r := k.Index().Explain(k.Extractor().Extract(message, AskedNothing)); len(r) > 0 {
			t.Errorf("%q: %+v", message, r)
		}
	}
}

func TestAsk_AnswersWithoutAStore(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	a, err := k.Ask("Ile zapłacę za 60 m2 w Express?")
	if err != nil || a.Language != Polish || len(a.Sources) != 1 || a.Sources[0] != TopicEstimate || !strings.Contains(a.Response, "59 940 zł") {
		t.Errorf("%+v, %v", a, err)
	}
	if a.Facts.SquareMeters != 60 || a.Facts.Language != "" {
		t.Errorf("facts %+v", a.Facts)
	}
	for message, code := range map[string]chatops.Code{"  ": chatops.CodeInvalid, strings.Repeat("a", 4001): chatops.CodeTooLarge} {
		if _, err := k.Ask(message); chatops.ErrorCode(err) != code {
			t.Errorf("%d characters: %v, want %s", len(message), err, code)
		}
	}
}
