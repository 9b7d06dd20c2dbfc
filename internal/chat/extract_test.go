package chat

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"chatops/internal/chatops"
)

type extractionCase struct {
	Message  string         `json:"message"`
	Context  map[string]any `json:"context"`
	Absent   []string       `json:"absent"`
	Confirms *bool          `json:"confirms"`
}

func readCases[T any](tb testing.TB, name string) []T {
	tb.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []T
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var c T
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			tb.Fatalf("%s: %v", sc.Text(), err)
		}
		out = append(out, c)
	}
	return out
}

func factsMap(tb testing.TB, f chatops.Facts) map[string]any {
	tb.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		tb.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		tb.Fatal(err)
	}
	return m
}

func checkExtraction(t *testing.T, x *Extractor, c extractionCase) {
	t.Helper()
	got := factsMap(t, x.Extract(c.Message, AskedNothing).Facts)
	for k, want := range c.Context {
		if got[k] != want {
			t.Errorf("%q: %s = %v, want %v", c.Message, k, got[k], want)
		}
	}
	for _, k := range c.Absent {
		if v, ok := got[k]; ok {
			t.Errorf("%q: %s = %v, want none", c.Message, k, v)
		}
	}
}

func TestExtract_ReadsTheExamples(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, c := range readCases[extractionCase](t, "extraction.jsonl") {
		checkExtraction(t, x, c)
	}
}

// The later rounds list all that a message says: what they leave out must not be
// read.
func TestExtract_ReadsNothingElse(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	for _, round := range []string{"fifth", "sixth", "seventh", "eighth", "ninth", "tenth"} {
		for _, c := range readCases[extractionCase](t, "extraction_"+round+".jsonl") {
			for k, v := range factsMap(t, x.Extract(c.Message, AskedNothing).Facts) {
				if _, ok := c.Context[k]; !ok {
					t.Errorf("%q: %s = %v, want none", c.Message, k, v)
				}
			}
		}
	}
}
