package sendertest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// LLM plays an OpenAI-compatible endpoint. Until told otherwise it streams
// LLMAnswer. Behaviours of every HTTP fake (Hang, Drop, Status, Huge, ...) and
// the LLM ones below can be set and scripted.
type LLM struct{ *HTTP }

// LLMAnswer is what the fake answers by itself. It claims nothing that a
// knowledge base would have to hold.
const LLMAnswer = "Chętnie pomogę w tej sprawie. Szczegóły najlepiej ustalić z naszym doradcą."

// StartLLM starts the fake; see StartHTTP.
func StartLLM(tb testing.TB, addr string) *LLM {
	tb.Helper()
	l := &LLM{StartHTTP(tb, addr)}
	l.Set(LLMStream(LLMAnswer))
	return l
}

// BaseURL returns the address that OPENAI_BASE_URL takes.
func (l *LLM) BaseURL() string { return l.URL() + "v1" }

// LLMRequest is a received completion request.
type LLMRequest struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Authorization string `json:"-"` // the header
	Body          []byte `json:"-"` // as received
}

// Text returns the messages of a role, or of all roles when it is empty.
func (r *LLMRequest) Text(role string) string {
	var parts []string
	for _, m := range r.Messages {
		if role == "" || m.Role == role {
			parts = append(parts, m.Content)
		}
	}
	return strings.Join(parts, "\n")
}

// Prompts returns every completion request received so far.
func (l *LLM) Prompts() []LLMRequest {
	var out []LLMRequest
	for _, r := range l.Requests() {
		out = append(out, readLLM(r))
	}
	return out
}

func readLLM(r Request) LLMRequest {
	var p LLMRequest
	_ = json.Unmarshal(r.Body, &p) // a test that sent no JSON sees an empty prompt
	p.Authorization, p.Body = r.Header.Get("Authorization"), r.Body
	return p
}

// LLMStream streams a text in small events, cut inside words.
func LLMStream(text string) Behaviour {
	return LLMObey(func(LLMRequest) string { return text })
}

// LLMObey streams whatever a scripted model writes about the prompt it got.
func LLMObey(modelFunc func(LLMRequest) string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, r Request, _ <-chan struct{}) {
		s := newLLMWriter(w)
		s.pieces(modelFunc(readLLM(r)))
		s.end()
	}}
}

// LLMDocument answers one JSON document although a stream was asked for.
func LLMDocument(text string) Behaviour {
	return Behaviour{
		Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"},
		Body: mustJSON(map[string]any{"object": "chat.completion", "choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text},
		}}}),
	}
}

// LLMHangAfter streams a text and then stays silent with the stream open.
func LLMHangAfter(text string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, _ Request, gone <-chan struct{}) {
		newLLMWriter(w).pieces(text)
		<-gone
	}}
}

// LLMCutAfter streams a text and ends the answer without saying that the model
// has finished.
func LLMCutAfter(text string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, _ Request, _ <-chan struct{}) { newLLMWriter(w).pieces(text) }}
}

// LLMDropAfter streams a text and closes the connection in the middle.
func LLMDropAfter(text string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, _ Request, _ <-chan struct{}) {
		newLLMWriter(w).pieces(text)
		panic(http.ErrAbortHandler)
	}}
}

// LLMTrickle sends the first byte of an answer and another one at each interval,
// without end.
func LLMTrickle(interval time.Duration) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, _ Request, gone <-chan struct{}) {
		s := newLLMWriter(w)
		s.write(":")
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-gone:
				return
			case <-tick.C:
				s.write(" ")
			}
		}
	}}
}

// LLMEndless streams one event after another without end, as fast as they are
// read.
func LLMEndless(text string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, _ Request, gone <-chan struct{}) {
		s := newLLMWriter(w)
		for s.err == nil {
			select {
			case <-gone:
				return
			default:
				s.event(text)
			}
		}
	}}
}

// LLMRaw answers 200 with the given content type and body.
func LLMRaw(contentType, body string) Behaviour {
	return Behaviour{Status: http.StatusOK, Header: map[string]string{"Content-Type": contentType}, Body: body}
}

// LLMHuge answers a JSON document of 10 MiB.
func LLMHuge() Behaviour {
	b := LLMRaw("application/json", strings.Repeat(" ", 1<<16))
	b.Repeat = 10<<20>>16 - 1
	return b
}

// LLMError refuses a request as OpenAI does, quoting the key in its text.
func LLMError(status int, code string) Behaviour {
	return Behaviour{WriteFunc: func(w http.ResponseWriter, r Request, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"message": "Incorrect API key provided: " + r.Header.Get("Authorization"), "code": code,
		}})
	}}
}

// llmWriter writes server-sent events, each sent at once.
type llmWriter struct {
	w   http.ResponseWriter
	err error
}

func newLLMWriter(w http.ResponseWriter) *llmWriter {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	return &llmWriter{w: w}
}

func (s *llmWriter) write(text string) {
	if s.err != nil {
		return
	}
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = http.NewResponseController(s.w).Flush()
	}
}

func (s *llmWriter) event(text string) {
	s.write("data: " + mustJSON(map[string]any{"object": "chat.completion.chunk", "choices": []any{map[string]any{
		"index": 0, "finish_reason": nil, "delta": map[string]any{"content": text},
	}}}) + "\n\n")
}

// pieces sends a text in events of seven characters.
func (s *llmWriter) pieces(text string) {
	s.write(": a comment, as some endpoints send while the model loads\n\n")
	for part := range slices.Chunk([]rune(text), 7) {
		s.event(string(part))
	}
}

func (s *llmWriter) end() {
	s.write("data: " + mustJSON(map[string]any{"choices": []any{map[string]any{
		"index": 0, "finish_reason": "stop", "delta": map[string]any{},
	}}}) + "\n\ndata: [DONE]\n\n")
}
