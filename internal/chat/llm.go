package chat

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/breaker"
	"chatops/internal/chat/llm"
	"chatops/internal/chatops"
)

// Answerer words an answer to a visitor's question from the knowledge entries
// that were found for it. It gives an error when it has none that may be shown;
// then the caller answers with the entries themselves. It returns within seconds
// and is safe for concurrent use.
type Answerer interface {
	Answer(ctx context.Context, q LLMQuestion) (string, error)
}

var _ Answerer = (*LLM)(nil)

// LLMQuestion is what an answer is worded from. What of it leaves this program,
// and in which form, docs/llm.md says.
type LLMQuestion struct {
	Message  string // the visitor's, as typed
	Language Lang   // of the answer
	// Entries are the retrieved knowledge entries: nothing else may be claimed.
	Entries []LLMEntry
	// History holds the messages before this one, oldest first. The last few are
	// used; follow-ups and the message itself do not belong here.
	History []chatops.Message
	// Facts is what is known of the visitor, this message included. City, square
	// metres, budget and package are sent; name, e-mail and phone only serve to
	// find them in the texts and hide them.
	Facts chatops.Facts
}

// LLMEntry is a knowledge entry as it would be shown to the visitor.
type LLMEntry struct {
	Name string // of the topic
	Text string // rendered, in the language of the answer
}

// LLMOptions are the settings of an LLM. Zero values mean the defaults of
// package llm and of the constants here.
type LLMOptions struct {
	BaseURL string // such as https://api.openai.com/v1 or http://localhost:11434/v1
	APIKey  string // may be empty
	Model   string
	Version string // of this program

	TotalTimeout time.Duration // of one answer
	FirstTimeout time.Duration // until its first byte
	IdleTimeout  time.Duration // between two bytes
	MaxBody      int64         // bytes read of an answer
	MaxReply     int           // characters of an answer; a longer one is rejected

	// Knowledge names the company and packages and reads messages; nil means the
	// embedded knowledge base.
	Knowledge *Knowledge
	// Breaker stops calls to an endpoint in trouble; nil means one of its own
	// with the default settings.
	Breaker *breaker.Breaker
	// Cache keeps answers, so that the same question is asked once; nil: every
	// question is asked.
	Cache Cache
	Log   *slog.Logger // nil: nothing is logged
	// Registerer takes the metrics; nil: they are kept to itself.
	Registerer prometheus.Registerer
	// WarnInterval is the least time between two warnings about wrong settings.
	WarnInterval time.Duration
	// NowFunc is the clock of pauses, warnings and measured times; deadlines
	// follow the real one. nil means time.Now.
	NowFunc func() time.Time
}

// DefaultLLMBaseURL is the address of OpenAI.
const DefaultLLMBaseURL = "https://api.openai.com/v1"

const (
	defaultWarnInterval = 5 * time.Minute
	// A rate limit is respected for as long as the endpoint says, within bounds:
	// no visitor is helped by an hour's silence after one wrong header.
	defaultRest = 2 * time.Second
	maxRest     = 5 * time.Minute
)

// LLM is the Answerer that asks a language model. Its answers are checked against
// the entries before they are returned: see checkReply.
type LLM struct {
	opts      LLMOptions
	client    *llm.Client
	knowledge *Knowledge
	metrics   *llmMetrics
	rules     ruleEcho
	restUntil atomic.Int64 // Unix nanoseconds; no call before
	warnAfter atomic.Int64
}

// NewLLM makes an LLM, or gives CodeInvalid for a setting that cannot work. It
// calls nothing yet. Close releases what it holds.
func NewLLM(o LLMOptions) (*LLM, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultLLMBaseURL
	}
	if o.MaxReply == 0 {
		o.MaxReply = llm.DefaultMaxText
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = llm.DefaultIdleTimeout
	}
	if o.WarnInterval == 0 {
		o.WarnInterval = defaultWarnInterval
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Breaker == nil {
		o.Breaker = breaker.New("llm", breaker.Options{NowFunc: o.NowFunc})
	}
	if o.Knowledge == nil {
		k, err := LoadKnowledge(Embedded())
		if err != nil {
			return nil, err
		}
		o.Knowledge = k
	}
	client, err := llm.New(llm.Options{
		BaseURL: o.BaseURL, APIKey: o.APIKey, Model: o.Model, Version: o.Version,
		TotalTimeout: o.TotalTimeout, FirstTimeout: o.FirstTimeout, IdleTimeout: o.IdleTimeout,
		MaxBody: o.MaxBody, MaxText: o.MaxReply,
	})
	if err != nil {
		return nil, err
	}
	m, err := newLLMMetrics(o.Registerer)
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInternal, err, "llm: register metrics")
	}
	l := &LLM{opts: o, client: client, knowledge: o.Knowledge, metrics: m, rules: newRuleEcho(o.Knowledge.Company.Name)}
	l.warnAboutClearText()
	return l, nil
}

// Close releases kept connections. It may be called twice; an answer that is
// under way is not disturbed.
func (l *LLM) Close() { l.client.Close() }

// Answer asks the model and checks what it says, or returns what it has said to
// the same prompt, also while it cannot be asked. Every error is an *LLMError:
// the knowledge base answers then.
func (l *LLM) Answer(ctx context.Context, q LLMQuestion) (string, error) {
	if len(q.Entries) == 0 {
		return "", l.failed(&LLMError{Outcome: LLMNoEntries})
	}
	if l.opts.Cache == nil {
		return l.ask(ctx, nil, &q)
	}
	p := l.prompt(&q)
	key := l.cacheKey(p)
	if reply, ok := l.remembered(ctx, key, p); ok {
		l.metrics.calls.WithLabelValues(string(LLMCached)).Inc()
		return reply, nil
	}
	reply, err := l.ask(ctx, p, &q)
	if err == nil {
		l.opts.Cache.Set(ctx, key, []byte(reply), answerKeep)
	}
	return reply, err
}

// ask asks the endpoint for an answer, unless it is to be left alone; p may be
// nil, and is made only when it is needed.
func (l *LLM) ask(ctx context.Context, p *prompt, q *LLMQuestion) (string, error) {
	start := l.opts.NowFunc()
	if start.UnixNano() < l.restUntil.Load() {
		return "", l.failed(&LLMError{Outcome: LLMResting})
	}
	permit, ok := l.opts.Breaker.Allow()
	if !ok {
		return "", l.failed(&LLMError{Outcome: LLMBreakerOpen})
	}
	if p == nil {
		p = l.prompt(q)
	}
	written, err := l.client.Complete(ctx, p.messages)
	took := l.opts.NowFunc().Sub(start)
	l.metrics.seconds.Observe(took.Seconds())
	if err != nil {
		return "", l.failed(l.judge(permit, err, took))
	}
	permit.SuccessIn(took)
	reply, reason := l.check(p, written)
	if reason != "" {
		return "", l.failed(&LLMError{Outcome: LLMRejected, Reason: reason})
	}
	l.metrics.calls.WithLabelValues(string(LLMAnswered)).Inc()
	return reply, nil
}

// judge tells the breaker of a call that brought no answer.
func (l *LLM) judge(permit breaker.Permit, err error, took time.Duration) *LLMError {
	var e *llm.Error
	if !errors.As(err, &e) {
		permit.Cancel()
		return &LLMError{Outcome: LLMGarbage, Err: err}
	}
	switch e.Kind {
	case llm.KindCanceled:
		permit.Cancel()
	case llm.KindTimeout:
		if errors.Is(e, context.DeadlineExceeded) && took < l.opts.IdleTimeout {
			permit.Cancel() // the caller had hardly any time left: that says nothing about the endpoint
		} else {
			permit.FailureBecause(e.Error())
		}
	case llm.KindRateLimited:
		permit.Success()
		l.rest(e.RetryAfter)
	case llm.KindMisconfigured:
		permit.Success()
	case llm.KindConnection, llm.KindServer, llm.KindGarbage, llm.KindTooLarge:
		permit.FailureBecause(e.Error())
	}
	return &LLMError{Outcome: LLMOutcome(e.Kind), Err: e}
}

// rest keeps from calling for as long as the endpoint asked.
func (l *LLM) rest(asked time.Duration) {
	if asked <= 0 {
		asked = defaultRest
	}
	l.restUntil.Store(l.opts.NowFunc().Add(min(asked, maxRest)).UnixNano())
}

// failed counts and logs an answer that did not come about.
func (l *LLM) failed(e *LLMError) *LLMError {
	l.metrics.calls.WithLabelValues(string(e.Outcome)).Inc()
	switch e.Outcome {
	case LLMNoEntries, LLMResting, LLMBreakerOpen, LLMCanceled:
	case LLMRejected:
		l.metrics.rejected.WithLabelValues(string(e.Reason)).Inc()
		l.opts.Log.Info("reply of the language model rejected, the knowledge base answers", "reason", e.Reason)
	case LLMMisconfigured:
		now := l.opts.NowFunc().UnixNano()
		if after := l.warnAfter.Load(); now >= after && l.warnAfter.CompareAndSwap(after, now+int64(l.opts.WarnInterval)) {
			l.opts.Log.Warn("the language model's endpoint refuses our requests; check OPENAI_BASE_URL, OPENAI_API_KEY and GPT_MODEL", "err", e)
		}
	default:
		l.opts.Log.Info("no reply of the language model, the knowledge base answers", "outcome", e.Outcome, "err", e)
	}
	return e
}

// warnAboutClearText tells of a key that would be sent without encryption.
func (l *LLM) warnAboutClearText() {
	u, err := url.Parse(l.opts.BaseURL)
	if err != nil || u.Scheme != "http" || l.opts.APIKey == "" {
		return
	}
	host := u.Hostname()
	if host != "localhost" && host != "::1" && !strings.HasPrefix(host, "127.") {
		l.opts.Log.Warn("OPENAI_API_KEY and visitors' messages are sent unencrypted: OPENAI_BASE_URL begins with http://")
	}
}
