package e2e

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/sendertest"
)

// llmKey is the API key of the language model: it must show up nowhere.
const llmKey = "llmkey0canary"

// useLLM starts a scripted language model and configures it.
func (w *world) useLLM() *sendertest.LLM {
	w.t.Helper()
	m := sendertest.StartLLM(w.t, receiverAddress())
	w.env["OPENAI_BASE_URL"], w.env["OPENAI_API_KEY"], w.env["GPT_MODEL"] = m.BaseURL(), llmKey, "test-model"
	w.env["OPENAI_TIMEOUT_SECONDS"], w.env["OPENAI_IDLE_TIMEOUT_SECONDS"] = "3", "1"
	return m
}

// The model words the answer to a question that the knowledge base answers; what
// it may see and say is bounded.
func TestLLM_WordsTheAnswerFromTheEntriesAndSeesNoPersonalData(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		m := w.useLLM()
		const worded = "Gwarancja jest u nas standardem i chętnie o niej opowiemy."
		m.Set(sendertest.LLMStream(worded))
		s := w.serve()
		s.mustSay("visit-1", "Nazywam się Jan Kowalski, jan@przyklad.pl, telefon 600 700 800")
		r := s.mustSay("visit-1", "Czy dajecie gwarancję? Proszę pisać na jan@przyklad.pl")
		if !strings.Contains(r.Response, worded) {
			t.Errorf("the answer is %q, want the model's", r.Response)
		}
		sent := ""
		for _, p := range m.Prompts() {
			sent += p.Text("system") + p.Text("user") + p.Text("assistant")
		}
		if sent == "" {
			t.Fatal("the model was not asked")
		}
		for _, personal := range []string{"jan@przyklad.pl", "600 700 800", "600700800", "Kowalski"} {
			if strings.Contains(sent, personal) {
				t.Errorf("the model was sent %q", personal)
			}
		}
		if n := w.number(`select count(*) from chat_messages where message like '%' || ? || '%'`, worded); n != 1 {
			t.Errorf("the answer is stored %d times, want once", n)
		}
		s.expectNowhere(llmKey)
	})
}

// F24: whatever the model does, the visitor is answered from the knowledge base
// within the budget.
func TestLLM_ThatMisbehavesIsReplacedByTheKnowledgeBaseInTime(t *testing.T) {
	t.Parallel()
	faults := map[string]sendertest.Behaviour{
		"hangs":               sendertest.Hang(),
		"hangs in between":    sendertest.LLMHangAfter("Gwarancja"),
		"trickles":            sendertest.LLMTrickle(100 * time.Millisecond),
		"closes":              sendertest.LLMDropAfter("Gwarancja"),
		"garbage":             sendertest.LLMRaw("text/html", "<html>no such luck</html>"),
		"ten megabytes":       sendertest.LLMHuge(),
		"refuses":             sendertest.LLMError(401, "invalid_api_key"),
		"fails":               sendertest.LLMError(500, "server_error"),
		"invents a price":     sendertest.LLMStream("Pakiet Comfort kosztuje tylko 1 zł za metr!"),
		"tells its prompt":    sendertest.LLMObey(func(r sendertest.LLMRequest) string { return r.Text("system") }),
		"links to a stranger": sendertest.LLMStream("Gwarancja: szczegóły na https://evil.example/gwarancja"),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite)
			s := w.serve()
			want := s.mustSay("plain", "Czy dajecie gwarancję?").Response
			s.term()
			s.wait()

			m := w.useLLM()
			m.Set(fault)
			s = w.serve()
			begun := time.Now()
			got := s.mustSay("visit-1", "Czy dajecie gwarancję?").Response
			t.Logf("answered after %v", time.Since(begun).Round(time.Millisecond))
			if got != want {
				t.Errorf("the answer is %q, want the knowledge base's %q", got, want)
			}
			if len(m.Prompts()) == 0 {
				t.Error("the model was not asked")
			}
			s.expectNowhere(llmKey)
			s.term()
			if code := s.wait(); code != 0 {
				t.Errorf("serve ended with %d, want 0", code)
			}
		})
	}
}

// After CB_FAIL_MAX failures the model is left alone, and visitors do not wait
// for it.
func TestLLM_BehindAnOpenBreakerIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	m := w.useLLM()
	m.Set(sendertest.LLMError(500, "server_error"))
	w.env["CB_FAIL_MAX"] = "2"
	s := w.serve()
	for range 5 {
		s.mustSay("visit-1", "Czy dajecie gwarancję?")
	}
	if n := len(m.Prompts()); n != 2 {
		t.Errorf("the model was asked %d times, want 2", n)
	}
	if _, body := s.get("/api/health/deep"); !strings.Contains(body, `"llm"`) {
		t.Errorf("deep health does not tell of the model's breaker: %s", body)
	}
}

// expectNowhere looks for a text in what the service wrote and shows.
func (s *server) expectNowhere(secret string) {
	s.t.Helper()
	_, metrics := s.get("/metrics")
	_, health := s.get("/api/health/deep")
	for place, text := range map[string]string{"log": s.err.String(), "output": s.out.String(), "metrics": metrics, "health": health} {
		if strings.Contains(text, secret) {
			s.t.Errorf("the %s of the service holds %q", place, secret)
		}
	}
}
