package chat

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chat/llm"
)

// LLMOutcome is what became of a wish for an answer. Those of calls that brought
// none are the kinds of package llm.
type LLMOutcome string

// The outcomes.
const (
	LLMAnswered      LLMOutcome = "answered"
	LLMCached        LLMOutcome = "cached"       // not called: the same prompt was answered before
	LLMRejected      LLMOutcome = "rejected"     // the reply failed a check
	LLMBreakerOpen   LLMOutcome = "breaker_open" // not called
	LLMResting       LLMOutcome = "resting"      // not called: the endpoint asked for a pause
	LLMNoEntries     LLMOutcome = "no_entries"   // not called: there is nothing to answer from
	LLMConnection               = LLMOutcome(llm.KindConnection)
	LLMTimeout                  = LLMOutcome(llm.KindTimeout)
	LLMServerError              = LLMOutcome(llm.KindServer)
	LLMGarbage                  = LLMOutcome(llm.KindGarbage)
	LLMTooLarge                 = LLMOutcome(llm.KindTooLarge)
	LLMRateLimited              = LLMOutcome(llm.KindRateLimited)
	LLMMisconfigured            = LLMOutcome(llm.KindMisconfigured)
	LLMCanceled                 = LLMOutcome(llm.KindCanceled)
)

// LLMReason says which check a reply failed.
type LLMReason string

// The reasons, in the order in which they are looked for.
const (
	ReasonEmpty      LLMReason = "empty"
	ReasonTooLong    LLMReason = "too_long"
	ReasonUnfinished LLMReason = "unfinished" // the endpoint stopped the model
	ReasonCharacters LLMReason = "characters" // control, invisible or foreign ones
	ReasonMarkup     LLMReason = "markup"     // HTML, Markdown, placeholders
	ReasonSecret     LLMReason = "secret"     // of the API key
	ReasonLeak       LLMReason = "leak"       // of the prompt
	ReasonOpaque     LLMReason = "opaque"     // long or spelled-out strings that no reader reads
	ReasonContact    LLMReason = "contact"    // an address or number that no entry holds
	ReasonPrice      LLMReason = "price"      // an amount of money that no entry states so
	ReasonNumber     LLMReason = "number"     // another number that no entry states so
	ReasonLanguage   LLMReason = "language"   // not the one asked for
)

// LLMReasons lists every reason.
func LLMReasons() []LLMReason {
	return []LLMReason{
		ReasonEmpty, ReasonTooLong, ReasonUnfinished, ReasonCharacters, ReasonMarkup, ReasonSecret,
		ReasonLeak, ReasonOpaque, ReasonContact, ReasonPrice, ReasonNumber, ReasonLanguage,
	}
}

// LLMError is an answer that did not come about. Its text holds no personal
// data, no secret and nothing that was received.
type LLMError struct {
	Outcome LLMOutcome
	Reason  LLMReason // of LLMRejected
	Err     error     // an *llm.Error where a call was made
}

// Error says why there is no answer.
func (e *LLMError) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Outcome == LLMRejected:
		return "llm: check reply: " + string(e.Reason)
	}
	return "llm: " + string(e.Outcome)
}

// Unwrap returns the error of the call.
func (e *LLMError) Unwrap() error { return e.Err }

type llmMetrics struct {
	calls    *prometheus.CounterVec
	rejected *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// newLLMMetrics makes the metrics, every label at 0, and registers them where
// there is a registerer.
func newLLMMetrics(reg prometheus.Registerer) (*llmMetrics, error) {
	m := &llmMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "chatops", Name: "llm_answers_total", Help: "Answers wanted of the language model, by what became of them.",
		}, []string{"outcome"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "chatops", Name: "llm_rejected_total", Help: "Replies of the language model that failed a check and were not used, by reason.",
		}, []string{"reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "chatops", Name: "llm_call_seconds", Help: "Duration of calls to the language model, whatever came of them.",
			Buckets: []float64{.1, .25, .5, 1, 2, 3, 5, 8, 12, 20, 50},
		}),
	}
	for _, o := range []LLMOutcome{LLMAnswered, LLMCached, LLMRejected, LLMBreakerOpen, LLMResting, LLMNoEntries} {
		m.calls.WithLabelValues(string(o))
	}
	for _, k := range llm.Kinds() {
		m.calls.WithLabelValues(string(k))
	}
	for _, r := range LLMReasons() {
		m.rejected.WithLabelValues(string(r))
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.rejected, m.seconds} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
