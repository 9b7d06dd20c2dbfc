package chat

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"chatops/internal/breaker"
	"chatops/internal/chat/llm"
	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// llmWorld is an LLM with a scripted endpoint, a clock, a log and metrics.
type llmWorld struct {
	*LLM
	fake *sendertest.LLM
	log  *lockedBuffer
	reg  *prometheus.Registry

	mu  sync.Mutex
	now time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newLLMWorld(tb testing.TB, o LLMOptions) *llmWorld {
	tb.Helper()
	w := &llmWorld{
		fake: sendertest.StartLLM(tb, ""), log: &lockedBuffer{}, reg: prometheus.NewRegistry(),
		now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
	}
	o.BaseURL, o.Registerer, o.NowFunc = w.fake.BaseURL(), w.reg, w.clock
	o.Log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.TotalTimeout == 0 {
		o.TotalTimeout, o.IdleTimeout = time.Minute, time.Minute
	}
	w.LLM = testLLM(tb, o)
	return w
}

func (w *llmWorld) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *llmWorld) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// metrics renders counters, and counts of histograms, as name{label} = value.
func (w *llmWorld) metricValues(tb testing.TB) map[string]float64 {
	tb.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "{" + l.GetValue() + "}"
			}
			out[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// outcome asks and returns what became of it, with the reason of a rejection.
func (w *llmWorld) outcome(tb testing.TB, ctx context.Context, q LLMQuestion) (LLMOutcome, LLMReason) { //nolint:revive // the test comes first
	tb.Helper()
	reply, err := w.Answer(ctx, q)
	if err == nil {
		return LLMAnswered, ""
	}
	var e *LLMError
	if !errors.As(err, &e) || reply != "" {
		tb.Fatalf("reply %q, %v (%T)", reply, err, err)
	}
	return e.Outcome, e.Reason
}

// polish is a question about prices.
func polish(tb testing.TB) LLMQuestion {
	tb.Helper()
	return LLMQuestion{Message: "Ile to kosztuje?", Language: Polish, Entries: entries(tb, Polish, chatops.Facts{}, TopicPrice)}
}

func TestAnswer_ReturnsWhatTheModelSaysFromTheEntries(t *testing.T) {
	t.Parallel()
	for name, behaviour := range map[string]func(string) sendertest.Behaviour{"stream": sendertest.LLMStream, "document": sendertest.LLMDocument} {
		w := newLLMWorld(t, LLMOptions{})
		const text = "Najtańszy jest pakiet Express za 999 zł/m², a najdroższy Premium za 1 999 zł/m²."
		w.fake.Set(behaviour(text))
		if got, err := w.Answer(t.Context(), polish(t)); got != text || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		v := w.metricValues(t)
		if v["chatops_llm_answers_total{answered}"] != 1 || v["chatops_llm_call_seconds"] != 1 {
			t.Errorf("%s: metrics %v", name, v)
		}
		if w.log.String() != "" {
			t.Errorf("%s: logged %s", name, w.log)
		}
	}
}

func TestAnswer_AsksNothingWithoutEntries(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{})
	if got, _ := w.outcome(t, t.Context(), LLMQuestion{Message: "Kim jesteś?", Language: Polish}); got != LLMNoEntries {
		t.Errorf("got %s", got)
	}
	if n := len(w.fake.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// fakes are the ways in which an endpoint fails, with what they count as.
var fakes = []struct {
	name      string
	behaviour sendertest.Behaviour
	outcome   LLMOutcome
	failure   bool // counted by the breaker
}{
	{"hangs before headers", sendertest.Hang(), LLMTimeout, true},
	{"hangs mid-stream", sendertest.LLMHangAfter("Dzień dobry"), LLMTimeout, true},
	{"trickles", sendertest.LLMTrickle(5 * time.Millisecond), LLMTimeout, true},
	{"drops", sendertest.Drop(), LLMConnection, true},
	{"drops mid-stream", sendertest.LLMDropAfter("Dzień dobry"), LLMConnection, true},
	{"cut off", sendertest.LLMCutAfter("Dzień dobry"), LLMGarbage, true},
	{"garbage", sendertest.Garbage(), LLMGarbage, true},
	{"HTML", sendertest.LLMRaw("text/html", "<html>"), LLMGarbage, true},
	{"truncated JSON", sendertest.LLMRaw("application/json", `{"choices":[{"mess`), LLMGarbage, true},
	{"10 MiB", sendertest.LLMHuge(), LLMTooLarge, true},
	{"500", sendertest.Status(http.StatusInternalServerError, "boom"), LLMServerError, true},
	{"408", sendertest.Status(http.StatusRequestTimeout, ""), LLMTimeout, true},
	{"401", sendertest.LLMError(http.StatusUnauthorized, "invalid_api_key"), LLMMisconfigured, false},
	{"404", sendertest.LLMError(http.StatusNotFound, "model_not_found"), LLMMisconfigured, false},
	{"redirect", sendertest.Behaviour{Status: http.StatusFound, Header: map[string]string{"Location": "/"}}, LLMMisconfigured, false},
	{"429", sendertest.RateLimited("7"), LLMRateLimited, false},
	{"endless talk", sendertest.LLMEndless("bla bla "), LLMRejected, false},
}

func TestAnswer_TellsTheBreakerWhatIsTheEndpointsFault(t *testing.T) {
	t.Parallel()
	for _, c := range fakes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := breaker.New("llm", breaker.Options{FailMax: 2})
			o := LLMOptions{Breaker: b, TotalTimeout: time.Minute, IdleTimeout: time.Minute}
			if c.outcome == LLMTimeout {
				o.TotalTimeout, o.IdleTimeout = 300*time.Millisecond, 200*time.Millisecond
			}
			w := newLLMWorld(t, o)
			w.fake.Set(c.behaviour)
			got, _ := w.outcome(t, t.Context(), polish(t))
			if got != c.outcome {
				t.Errorf("got %s, want %s", got, c.outcome)
			}
			want := 0
			if c.failure {
				want = 1
			}
			if n := b.Snapshot().FailCount; n != want {
				t.Errorf("the breaker counts %d failures, want %d", n, want)
			}
			if v := w.metricValues(t); v["chatops_llm_answers_total{"+string(c.outcome)+"}"] != 1 || v["chatops_llm_call_seconds"] != 1 {
				t.Errorf("metrics %v", v)
			}
			if strings.Contains(w.log.String(), llmKey) || strings.Contains(w.log.String(), w.fake.Addr()) {
				t.Errorf("log: %s", w.log)
			}
		})
	}
}

func TestAnswer_RejectionsAndRefusalsEndARowOfFailures(t *testing.T) {
	t.Parallel()
	b := breaker.New("llm", breaker.Options{FailMax: 2})
	w := newLLMWorld(t, LLMOptions{Breaker: b})
	for range 3 {
		for _, answer := range []sendertest.Behaviour{
			sendertest.Status(http.StatusInternalServerError, ""), sendertest.LLMStream("Za darmo!"),
			sendertest.Drop(), sendertest.LLMError(http.StatusUnauthorized, ""),
		} {
			w.fake.Set(answer)
			_, _ = w.outcome(t, t.Context(), polish(t))
		}
	}
	if s := b.Snapshot(); s.Opened != 0 || s.Failures != 6 {
		t.Errorf("%+v", s)
	}
}

func TestAnswer_OpensTheBreakerAndLeavesTheEndpointAlone(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{})
	w.fake.Set(sendertest.Status(http.StatusInternalServerError, ""))
	for n := range breaker.DefaultFailMax {
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMServerError {
			t.Fatalf("call %d: %s", n, got)
		}
	}
	for range 3 {
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMBreakerOpen {
			t.Fatalf("after %d failures: %s", breaker.DefaultFailMax, got)
		}
	}
	if n := len(w.fake.Requests()); n != breaker.DefaultFailMax {
		t.Errorf("%d requests, want %d", n, breaker.DefaultFailMax)
	}
	w.advance(breaker.DefaultResetTimeout)
	w.fake.Set(sendertest.LLMStream(sendertest.LLMAnswer))
	for range 2 {
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMAnswered {
			t.Errorf("after the reset time: %s", got)
		}
	}
}

func TestAnswer_ThatComesTooLateCountsForTheBreaker(t *testing.T) {
	t.Parallel()
	b := breaker.New("llm", breaker.Options{FailMax: 2, SlowCall: 10 * time.Second})
	w := newLLMWorld(t, LLMOptions{Breaker: b})
	slow := sendertest.LLMStream(sendertest.LLMAnswer)
	write := slow.WriteFunc
	slow.WriteFunc = func(rw http.ResponseWriter, r sendertest.Request, gone <-chan struct{}) {
		w.advance(10500 * time.Millisecond)
		write(rw, r, gone)
	}
	w.fake.Set(slow)
	for range 2 {
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMAnswered {
			t.Errorf("a slow answer is not shown: %s", got)
		}
	}
	if s := b.Snapshot(); s.State != breaker.Open || s.Reason != "slow: answered after 10.5s" {
		t.Errorf("%+v", s)
	}
}

func TestAnswer_TellsTheBreakerTheReason(t *testing.T) {
	t.Parallel()
	b := breaker.New("llm", breaker.Options{FailMax: 1})
	w := newLLMWorld(t, LLMOptions{Breaker: b})
	w.fake.Set(sendertest.Status(http.StatusInternalServerError, "canary"))
	_, _ = w.outcome(t, t.Context(), polish(t))
	if got := b.Snapshot().Reason; !strings.Contains(got, "HTTP 500") || strings.Contains(got, "canary") {
		t.Errorf("reason %q", got)
	}
}

func TestAnswer_DoesNotBlameTheEndpointForAVisitorWhoLeft(t *testing.T) {
	t.Parallel()
	b := breaker.New("llm", breaker.Options{FailMax: 1})
	w := newLLMWorld(t, LLMOptions{Breaker: b})
	w.fake.Set(sendertest.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.fake.Wait(ctx, 1)
		cancel()
	}()
	if got, _ := w.outcome(t, ctx, polish(t)); got != LLMCanceled {
		t.Errorf("got %s", got)
	}
	if s := b.Snapshot(); s.Failures != 0 || s.State != breaker.Closed {
		t.Errorf("%+v", s)
	}
}

func TestJudge_CountsACallersDeadlineOnlyAfterTheIdleTime(t *testing.T) {
	t.Parallel()
	late := &llm.Error{Kind: llm.KindTimeout, Step: "await answer", Err: context.DeadlineExceeded}
	for took, want := range map[time.Duration]uint64{time.Second: 0, 5 * time.Second: 1} {
		b := breaker.New("llm", breaker.Options{})
		l := testLLM(t, LLMOptions{Breaker: b})
		permit, _ := b.Allow()
		if e := l.judge(permit, late, took); e.Outcome != LLMTimeout || b.Snapshot().Failures != want {
			t.Errorf("after %v: %s, %d failures, want %d", took, e.Outcome, b.Snapshot().Failures, want)
		}
	}
}

func TestAnswer_RestsWhenTheEndpointAsksForIt(t *testing.T) {
	t.Parallel()
	for text, rest := range map[string]time.Duration{"7": 7 * time.Second, "": defaultRest, "999999": maxRest} {
		w := newLLMWorld(t, LLMOptions{})
		w.fake.Script(sendertest.RateLimited(text))
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMRateLimited {
			t.Errorf("%q: %s", text, got)
		}
		w.advance(rest - time.Millisecond)
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMResting {
			t.Errorf("%q: %s before the time has come", text, got)
		}
		w.advance(time.Millisecond)
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMAnswered || len(w.fake.Requests()) != 2 {
			t.Errorf("%q: %s, %d requests", text, got, len(w.fake.Requests()))
		}
	}
}

func TestAnswer_WarnsOfWrongSettingsOncePerInterval(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{WarnInterval: time.Minute})
	w.fake.Set(sendertest.LLMError(http.StatusUnauthorized, "invalid_api_key"))
	for want := 1; want <= 2; want++ {
		for range 10 {
			if got, _ := w.outcome(t, t.Context(), polish(t)); got != LLMMisconfigured {
				t.Fatalf("got %s", got)
			}
		}
		if n := strings.Count(w.log.String(), "level=WARN"); n != want {
			t.Errorf("%d warnings, want %d", n, want)
		}
		w.advance(time.Minute)
	}
	for _, part := range []string{"HTTP 401", "invalid_api_key", "OPENAI_API_KEY"} {
		if !strings.Contains(w.log.String(), part) {
			t.Errorf("the warning does not say %s: %s", part, w.log)
		}
	}
}

func TestAnswer_ShowsNoSecretAndNoPersonalData(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{Breaker: breaker.New("llm", breaker.Options{FailMax: 1000}), TotalTimeout: time.Second, IdleTimeout: 300 * time.Millisecond})
	q := polish(t)
	q.Message = "Jestem Zdzisława Kanarek, kanarek@ptak.pl, 600 700 800"
	q.Facts = chatops.Facts{Name: "Zdzisława Kanarek", Email: "kanarek@ptak.pl", Phone: "+48600700800"}
	var said strings.Builder
	for _, c := range fakes {
		w.fake.Set(c.behaviour)
		if _, err := w.Answer(t.Context(), q); err != nil {
			said.WriteString(err.Error() + "\n" + chatops.ErrorMessage(err) + "\n")
		}
		w.advance(time.Hour)
	}
	w.fake.Set(sendertest.LLMObey(func(r sendertest.LLMRequest) string { return r.Authorization + " " + r.Text("") }))
	if _, err := w.Answer(t.Context(), q); err == nil {
		t.Error("the key and the prompt were taken for an answer")
	}
	said.WriteString(w.log.String())
	for name := range w.metricValues(t) {
		said.WriteString(name + "\n")
	}
	for _, secret := range []string{llmKey, "Kanarek", "kanarek", "600 700 800", "600700800", "Bearer", w.fake.Addr(), "Zasady"} {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%q shows:\n%s", secret, said.String())
		}
	}
}

func TestNewLLM_RegistersItsMetricsAtZero(t *testing.T) {
	t.Parallel()
	v := newLLMWorld(t, LLMOptions{}).metricValues(t)
	for _, name := range []string{
		"chatops_llm_answers_total{answered}", "chatops_llm_answers_total{breaker_open}", "chatops_llm_answers_total{timeout}",
		"chatops_llm_rejected_total{price}", "chatops_llm_rejected_total{leak}", "chatops_llm_call_seconds",
	} {
		if got, ok := v[name]; !ok || got != 0 {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	if _, err := NewLLM(LLMOptions{Knowledge: testKnowledge(t), Registerer: full(t)}); chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("registered twice: %v", err)
	}
}

// full is a registry that has the metrics already.
func full(tb testing.TB) *prometheus.Registry {
	tb.Helper()
	reg := prometheus.NewRegistry()
	if _, err := newLLMMetrics(reg); err != nil {
		tb.Fatal(err)
	}
	return reg
}

func TestNewLLM_TakesTheDefaultsAndRefusesBadSettings(t *testing.T) {
	t.Parallel()
	l, err := NewLLM(LLMOptions{})
	if err != nil || l.opts.BaseURL != DefaultLLMBaseURL || l.opts.MaxReply != 2000 || l.opts.IdleTimeout != 5*time.Second {
		t.Errorf("%+v, %v", l.opts, err)
	}
	l.Close()
	l.Close()
	if _, err := NewLLM(LLMOptions{BaseURL: "ftp://x"}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a bad address: %v", err)
	}
}

func TestNewLLM_WarnsOfAKeyInClearText(t *testing.T) {
	t.Parallel()
	for base, warns := range map[string]bool{
		"http://llm.example/v1": true, "https://llm.example/v1": false, "http://localhost:11434/v1": false, "http://127.0.0.1/v1": false, "http://[::1]/v1": false,
	} {
		log := &lockedBuffer{}
		testLLM(t, LLMOptions{BaseURL: base, Log: slog.New(slog.NewTextHandler(log, nil))})
		if got := strings.Contains(log.String(), "level=WARN"); got != warns || strings.Contains(log.String(), llmKey) {
			t.Errorf("%s: %s", base, log)
		}
	}
}

func TestAnswer_ServesManyVisitorsAtOnce(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{})
	q := polish(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 8 {
				if got, err := w.Answer(t.Context(), q); got != sendertest.LLMAnswer || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if v := w.metricValues(t)["chatops_llm_answers_total{answered}"]; v != 16*8 {
		t.Errorf("counted %v answers", v)
	}
}

func TestAnswer_LeavesNoGoroutineBehind(t *testing.T) { //nolint:paralleltest // it looks at every goroutine of the process
	ignore := goleak.IgnoreCurrent()
	for _, c := range fakes {
		w := newLLMWorld(t, LLMOptions{TotalTimeout: 200 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
		w.fake.Set(c.behaviour)
		_, _ = w.outcome(t, t.Context(), polish(t))
		w.Close()
		w.fake.Stop()
	}
	goleak.VerifyNone(t, ignore)
}

func BenchmarkAnswer(b *testing.B) {
	w := newLLMWorld(b, LLMOptions{})
	q := polish(b)
	q.Message = "Piotr Wiśniewski, Wrocław, 95m2, Express Plus, piotr.w@przyklad.pl, 511 222 333. Ile to będzie kosztować?"
	q.Facts = chatops.Facts{Name: "Piotr Wiśniewski", City: "Wrocław", SquareMeters: 95, Package: "Express Plus"}
	answer := "Najtańszy jest pakiet Express za 999 zł/m², a najdroższy Premium za 1 999 zł/m². Na szczegóły odpowie doradca."
	w.fake.Set(sendertest.LLMDocument(answer))
	b.Run("called", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Answer(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("prompt", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.prompt(&q)
		}
	})
	b.Run("check", func(b *testing.B) {
		p := w.prompt(&q)
		b.ReportAllocs()
		for b.Loop() {
			if _, reason := w.check(p, &llm.Completion{Text: answer, Complete: true}); reason != "" {
				b.Fatal(reason)
			}
		}
	})
}
