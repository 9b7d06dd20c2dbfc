package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/ratelimit"
)

// discardWriter is a ResponseWriter that costs nothing, so that the benchmarks
// show our part.
type discardWriter struct{ header http.Header }

func (d *discardWriter) Header() http.Header         { return d.header }
func (d *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d *discardWriter) WriteHeader(int)             {}

func benchmarkHandler(b *testing.B, h http.Handler, method, path, body string, header ...string) {
	b.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := &discardWriter{header: http.Header{}}
	b.ReportAllocs()
	begin := processorTime(b)
	for b.Loop() {
		clear(w.header)
		r.Pattern = ""
		if body != "" {
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		h.ServeHTTP(w, r)
	}
	// On a busy machine this says more than the time by the clock.
	b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// plainHandler is what net/http and encoding/json alone would do.
func plainHandler(chat ChatService) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(shallowHealth{Status: healthy, Database: "connected", Service: "chatops", Version: "1"})
	})
	mux.HandleFunc("POST /api/chatbot/chat", func(w http.ResponseWriter, r *http.Request) {
		var in chatBody
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := chat.Reply(r.Context(), chatops.ChatRequest{Message: in.Message, SessionID: in.SessionID})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	})
	return mux
}

// instantChat answers at once and keeps nothing.
type instantChat struct{}

var instantReply = &chatops.ChatReply{
	Response: "Pakiet Comfort kosztuje 1499 zł za m².", SessionID: "s-1", ConversationID: 7, LeadScore: 40,
	Context: chatops.Facts{City: "Kraków", SquareMeters: 60}, Sources: []string{"price"}, Language: "pl", Alerts: []string{},
}

func (instantChat) Reply(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) {
	return instantReply, nil
}
func (instantChat) History(context.Context, string) ([]chatops.Message, error) { return nil, nil }

// BenchmarkOverhead compares each hot endpoint, with limits, access log,
// metrics, headers and strict parsing, to a plain handler. The difference of a
// pair is what the middleware and huma cost. "unlimited" is without limits,
// "proxied" with clients behind a proxy that is trusted, each one a new one.
func BenchmarkOverhead(b *testing.B) {
	const body = `{"message":"ile kosztuje wykończenie 60 m2?","session_id":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}`
	limits := benchmarkLimits(b)
	ours := func(l Limits) http.Handler {
		return New(Options{
			Chat:   instantChat{},
			Health: Health{PingFunc: func(context.Context) error { return nil }},
			Log:    slog.New(slog.NewJSONHandler(io.Discard, nil)), //nolint:sloglint // formatting is part of the cost
			Limits: l, TrustedProxies: networks(b, "10.0.0.0/8"),
		})
	}
	for _, tc := range []struct {
		name string
		h    http.Handler
	}{
		{"plain", plainHandler(instantChat{})}, {"unlimited", ours(nil)}, {"ours", ours(limits)}, {"proxied", behindProxy(ours(limits))},
	} {
		b.Run("health/"+tc.name, func(b *testing.B) { benchmarkHandler(b, tc.h, "GET", "/api/health", "") })
		b.Run("chat/"+tc.name, func(b *testing.B) { benchmarkHandler(b, tc.h, "POST", "/api/chatbot/chat", body) })
	}
	over := benchmarkLimits(b, "health", "1 per hour")
	b.Run("health/refused", func(b *testing.B) { benchmarkHandler(b, ours(over), "GET", "/api/health", "") })
}

// benchmarkLimits are the real ones, in memory, and so high that nobody reaches
// them; texts replace some.
func benchmarkLimits(b *testing.B, texts ...string) *ratelimit.Limits {
	b.Helper()
	all := map[string]ratelimit.Limit{}
	texts = append([]string{
		"chat", "100000/second", "api", "100000/second;100000 per 2 seconds", "health", "100000/second", "consent", "100000/second",
		"leads", "100000/second",
	}, texts...)
	for i := 0; i < len(texts); i += 2 {
		limit, err := ratelimit.Parse(texts[i+1])
		if err != nil {
			b.Fatal(err)
		}
		all[texts[i]] = limit
	}
	limits, err := ratelimit.New(ratelimit.Options{Limits: all})
	if err != nil {
		b.Fatal(err)
	}
	return limits
}

// behindProxy sends each request on as that of the next of 10,000 clients.
func behindProxy(next http.Handler) http.Handler {
	clients := make([][]string, 10_000)
	for i := range clients {
		clients[i] = []string{fmt.Sprintf("203.0.113.1, 198.51.%d.%d", i/256, i%256)}
	}
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header["X-Forwarded-For"] = clients[n%len(clients)]
		next.ServeHTTP(w, r)
	})
}

// BenchmarkChat shows what an Idempotency-Key costs, and that a request without
// one pays nothing for it.
func BenchmarkChat(b *testing.B) {
	const body = `{"message":"ile kosztuje wykończenie 60 m2?","session_id":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}`
	s := benchmarkServer(b)
	b.Run("plain", func(b *testing.B) { benchmarkHandler(b, s, "POST", "/api/chatbot/chat", body) })
	b.Run("key", func(b *testing.B) {
		benchmarkHandler(b, s, "POST", "/api/chatbot/chat", body, "Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")
	})
}

// BenchmarkCreateLead is a form's request: counted, read and checked.
func BenchmarkCreateLead(b *testing.B) {
	const body = `{"name":"Zofia Łącka","email":"zofia@przyklad.pl","phone":"+48 600 700 800","message":"Proszę o wycenę mieszkania 60 m2."}`
	s := benchmarkServer(b)
	b.Run("plain", func(b *testing.B) { benchmarkHandler(b, s, "POST", "/api/leads/", body) })
	b.Run("key", func(b *testing.B) { benchmarkHandler(b, s, "POST", "/api/leads/", body, "Idempotency-Key", "k") })
}

// BenchmarkUnguessable is what each look at a history begins with.
func BenchmarkUnguessable(b *testing.B) {
	for b.Loop() {
		unguessable(session)
	}
}

// benchmarkServer stores nothing and refuses nobody.
func benchmarkServer(b *testing.B) *Server {
	b.Helper()
	now := time.Unix(0, 0)
	limits := benchmarkLimits(b)
	return New(Options{
		Chat: instantChat{}, Health: Health{PingFunc: func(context.Context) error { return nil }},
		CreateLeadFunc: func(_ context.Context, l *chatops.Lead, _ *chatops.OnceKey, _ chatops.ChatConsent) (*chatops.Lead, bool, error) {
			return l, false, nil
		},
		Now:    func() time.Time { now = now.Add(time.Minute); return now },
		Limits: limits,
		Log:    slog.New(slog.NewJSONHandler(io.Discard, nil)), //nolint:sloglint // formatting is part of the cost
	})
}

func BenchmarkParseObject(b *testing.B) {
	body := []byte(`{"message":"ile kosztuje wykończenie 60 m2?","session_id":"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseObject(body); err != nil {
			b.Fatal(err)
		}
	}
}
