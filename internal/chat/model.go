package chat

import (
	"math"
	"math/rand/v2"
)

// model tells topics apart by the words of a sentence: multinomial logistic
// regression over its features, on top of what the keywords say. It is learned
// from the example questions when the knowledge base is loaded, always with the
// same result.
//
// A sum of weights stays explainable: each word has a weight for each topic.
type model struct {
	classes int       // the topics, and last "nothing is asked"
	weights []float32 // of feature f and class c at f*classes+c
	bias    []float32
}

// sample is an example sentence that is learned.
type sample struct {
	features []feature
	length   float32   // 1/length of the vector
	phrases  []float64 // what the keywords say for each topic
	class    int
}

// How the model learns: AdaGrad (Duchi, Hazan and Singer 2011), in an order
// shuffled with a fixed seed. Measured by leaving out a fifth of the examples.
const (
	rounds       = 8
	learningRate = 0.5
	biasRate     = 0.01
	decay        = 0.002 // pulls weights that few examples support towards nothing
	smoothing    = 0.1
	// phraseTrust is how much a point of a keyword phrase counts beside the words.
	phraseTrust = 0.7
	// negligible gradients are skipped: they cost time and teach nothing.
	negligible = 0.005
)

// learn trains a model on the samples.
func learn(samples []sample, features, classes int) *model {
	m := &model{classes: classes, weights: make([]float32, features*classes), bias: make([]float32, classes)}
	past := make([]float32, len(m.weights))
	p := make([]float32, classes)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // an order, not a secret
	for range rounds {
		for _, n := range random.Perm(len(samples)) {
			s := &samples[n]
			m.probabilities(p, s.features, s.length, s.phrases)
			p[s.class]--
			for c, g := range p {
				if g > -negligible && g < negligible {
					continue
				}
				m.bias[c] -= biasRate * g
				m.step(c, g*s.length, s.features, past)
			}
		}
	}
	return m
}

// step moves the weights of a class against a gradient.
func (m *model) step(c int, g float32, features []feature, past []float32) {
	for _, f := range features {
		i := int(f.id)*m.classes + c
		d := g*f.value + decay*m.weights[i]
		past[i] += d * d
		m.weights[i] -= learningRate * d / (float32(math.Sqrt(float64(past[i]))) + smoothing)
	}
}

// probabilities writes how probable each class is into p.
func (m *model) probabilities(p []float32, features []feature, length float32, phrases []float64) {
	clear(p)
	for _, f := range features {
		row := m.weights[int(f.id)*m.classes:][:len(p)]
		for c, w := range row {
			p[c] += w * f.value
		}
	}
	most := float32(math.Inf(-1))
	for c := range p {
		p[c] = p[c]*length + m.bias[c]
		if c < len(phrases) {
			p[c] += float32(phraseTrust * min(phrases[c], maxPhraseScore))
		}
		most = max(most, p[c])
	}
	sum := float32(0)
	for c := range p {
		p[c] = float32(math.Exp(float64(p[c] - most)))
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}

// maxPhraseScore bounds what keywords can say, so that words can object.
const maxPhraseScore = 7

// inverseLength is what makes long and short sentences speak equally loud.
func inverseLength(squares float32) float32 {
	if squares == 0 {
		return 0
	}
	return float32(1 / math.Sqrt(float64(squares)))
}
