package chat

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// toySamples: feature 0 means class 0, feature 1 class 1, feature 2 nothing.
func toySamples() []sample {
	var list []sample
	for class := range 2 {
		for range 5 {
			list = append(list, sample{features: []feature{{id: int32(class), value: 1}, {id: 2, value: 1}}, length: 1 / math.Sqrt2, class: class})
		}
	}
	return list
}

func TestLearn_TellsClassesApart(t *testing.T) {
	t.Parallel()
	m := learn(toySamples(), 3, 2)
	p := make([]float32, 2)
	for class := range 2 {
		m.probabilities(p, []feature{{id: int32(class), value: 1}}, 1, nil)
		if p[class] < 0.8 {
			t.Errorf("class %d has %v", class, p)
		}
	}
	if m.probabilities(p, []feature{{id: 2, value: 1}}, 1, nil); p[0] < 0.3 || p[0] > 0.7 {
		t.Errorf("what both have says %v", p)
	}
}

func TestLearn_GivesTheSameAgain(t *testing.T) {
	t.Parallel()
	a, b := learn(toySamples(), 3, 2), learn(toySamples(), 3, 2)
	if !slices.Equal(a.weights, b.weights) || !slices.Equal(a.bias, b.bias) {
		t.Error("two lessons gave two models")
	}
}

func TestProbabilities_AreShares(t *testing.T) {
	t.Parallel()
	m := learn(toySamples(), 3, 2)
	rapid.Check(t, func(t *rapid.T) {
		var features []feature
		for range rapid.IntRange(0, 5).Draw(t, "features") {
			features = append(features, feature{id: int32(rapid.IntRange(0, 2).Draw(t, "id")), value: rapid.Float32Range(0, 2).Draw(t, "value")})
		}
		p := make([]float32, 2)
		m.probabilities(p, features, rapid.Float32Range(0, 1).Draw(t, "length"), []float64{rapid.Float64Range(0, 20).Draw(t, "phrases"), 0})
		if sum := p[0] + p[1]; p[0] < 0 || p[1] < 0 || sum < 0.999 || sum > 1.001 {
			t.Fatalf("probabilities %v", p)
		}
	})
}

func TestProbabilities_KeywordsPullUpToABound(t *testing.T) {
	t.Parallel()
	m := learn(toySamples(), 3, 2)
	at := func(points float64) float32 {
		p := make([]float32, 2)
		m.probabilities(p, []feature{{id: 1, value: 1}}, 1, []float64{points, 0})
		return p[0]
	}
	if !(at(0) < at(2) && at(2) < at(maxPhraseScore)) || at(maxPhraseScore) != at(10*maxPhraseScore) {
		t.Errorf("0: %v, 2: %v, most: %v, more: %v", at(0), at(2), at(maxPhraseScore), at(10*maxPhraseScore))
	}
}
