package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

func TestComplete_ReadsAStream(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	fake.Set(sendertest.LLMStream("Zażółć gęślą jaźń – 1 499 zł/m²."))
	got, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(t.Context(), prompt)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Completion{Text: "Zażółć gęślą jaźń – 1 499 zł/m².", Complete: true}); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestComplete_ReadsADocumentThatAnswersTheWishForAStream(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	fake.Set(sendertest.LLMDocument("Tak."))
	got, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(t.Context(), prompt)
	if err != nil || got.Text != "Tak." || !got.Complete {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestComplete_SendsTheRequestOfTheProtocol(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"":                    `"max_tokens":1000,"temperature":0.2`,
		"llama3.2:3b":         `"max_tokens":1000,"temperature":0.2`,
		"gpt-4.1":             `"max_tokens":1000,"temperature":0.2`,
		"o4-mini":             `"max_completion_tokens":5000`,
		"gpt-5-nano":          `"max_completion_tokens":5000`,
		"openai/gpt-5.1":      `"max_completion_tokens":5000`,
		"bielik-11b-v2.3-o15": `"max_tokens":1000,"temperature":0.2`,
	} {
		fake := sendertest.StartLLM(t, "")
		if _, err := client(t, Options{BaseURL: fake.BaseURL() + "/", Model: model, Version: "1.2"}).Complete(t.Context(), prompt); err != nil {
			t.Fatal(err)
		}
		r := fake.Requests()[0]
		if model == "" {
			model = "gpt-4o-mini"
		}
		body := `{"model":"` + model + `","messages":[{"role":"system","content":"rules"},{"role":"user","content":"ile <kosztuje> & \u2028?"}],"stream":true,` + want + "}\n"
		if string(r.Body) != body {
			t.Errorf("%s: body\n%s\nwant\n%s", model, r.Body, body)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer " + key, "Content-Type": "application/json",
			"Accept": "text/event-stream, application/json", "User-Agent": "chatops/1.2",
		} {
			if got := r.Header.Get(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if r.Method != http.MethodPost || r.Path != "/v1/chat/completions" {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func TestComplete_SendsNoAuthorizationWithoutAKey(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	c, err := New(Options{BaseURL: fake.BaseURL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Complete(t.Context(), prompt); err != nil {
		t.Fatal(err)
	}
	if _, ok := fake.Requests()[0].Header["Authorization"]; ok {
		t.Error("an Authorization header was sent")
	}
}

func TestComplete_KeepsAConnectionWhoseAnswerWasReadToItsEnd(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]sendertest.Behaviour{"stream": sendertest.LLMStream("Tak."), "document": sendertest.LLMDocument("Tak.")} {
		fake := sendertest.StartLLM(t, "")
		fake.Set(b)
		c := client(t, Options{BaseURL: fake.BaseURL()})
		var dials atomic.Int32
		dial := c.http.Transport.(*http.Transport).DialContext
		c.http.Transport.(*http.Transport).DialContext = countDials(dial, &dials)
		for range 3 {
			if _, err := c.Complete(t.Context(), prompt); err != nil {
				t.Fatal(err)
			}
		}
		if dials.Load() != 1 {
			t.Errorf("%s: %d connections for three answers, want 1", name, dials.Load())
		}
	}
}

func TestComplete_TellsFailuresApart(t *testing.T) {
	t.Parallel()
	const text = "Dzień dobry"
	for name, c := range map[string]struct {
		behaviour sendertest.Behaviour
		kind      Kind
	}{
		"dropped before headers":     {sendertest.Drop(), KindConnection},
		"dropped mid-stream":         {sendertest.LLMDropAfter(text), KindConnection},
		"stream cut off":             {sendertest.LLMCutAfter(text), KindGarbage},
		"garbage":                    {sendertest.Garbage(), KindGarbage},
		"garbage that says JSON":     {sendertest.LLMRaw("application/json", "\x00<html>\xff{{"), KindGarbage},
		"garbage in an event":        {sendertest.LLMRaw("text/event-stream", "data: {{{\n\n"), KindGarbage},
		"HTML error page":            {sendertest.LLMRaw("text/html", "<html><body>maintenance</body></html>"), KindGarbage},
		"HTML that says stream":      {sendertest.LLMRaw("text/event-stream", "<html>\n<body>\n"), KindGarbage},
		"no content type":            {sendertest.LLMRaw("", `{"choices":[]}`), KindGarbage},
		"truncated JSON":             {sendertest.LLMRaw("application/json", `{"choices":[{"message":{"content":"Dzie`), KindGarbage},
		"other JSON":                 {sendertest.LLMRaw("application/json", `{"status":"ok"}`), KindGarbage},
		"JSON array":                 {sendertest.LLMRaw("application/json", `[1]`), KindGarbage},
		"no choice":                  {sendertest.LLMRaw("application/json", `{"choices":[]}`), KindGarbage},
		"content that is no text":    {sendertest.LLMRaw("application/json", `{"choices":[{"message":{"content":5}}]}`), KindGarbage},
		"empty body":                 {sendertest.LLMRaw("application/json", ""), KindGarbage},
		"empty stream":               {sendertest.LLMRaw("text/event-stream", ""), KindGarbage},
		"accepted":                   {sendertest.Status(http.StatusAccepted, ""), KindGarbage},
		"no content":                 {sendertest.Status(http.StatusNoContent, ""), KindGarbage},
		"error within the stream":    {sendertest.LLMRaw("text/event-stream", "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"), KindServer},
		"error within the document":  {sendertest.LLMRaw("application/json", `{"error":"overloaded"}`), KindServer},
		"10 MiB document":            {sendertest.LLMHuge(), KindTooLarge},
		"10 MiB line":                {sendertest.LLMRaw("text/event-stream", "data: "+strings.Repeat("x", 10<<20)), KindTooLarge},
		"endless comments":           {endless(": ping\n\n"), KindTooLarge},
		"endless events without end": {endless("data: {\"choices\":[]}\n\n"), KindTooLarge},
		"400":                        {sendertest.LLMError(http.StatusBadRequest, "unsupported_parameter"), KindMisconfigured},
		"401":                        {sendertest.LLMError(http.StatusUnauthorized, "invalid_api_key"), KindMisconfigured},
		"403":                        {sendertest.LLMError(http.StatusForbidden, ""), KindMisconfigured},
		"404":                        {sendertest.LLMError(http.StatusNotFound, "model_not_found"), KindMisconfigured},
		"408":                        {sendertest.LLMError(http.StatusRequestTimeout, ""), KindTimeout},
		"429":                        {sendertest.LLMError(http.StatusTooManyRequests, "insufficient_quota"), KindRateLimited},
		"500":                        {sendertest.LLMError(http.StatusInternalServerError, ""), KindServer},
		"503 with 16 MiB":            {sendertest.Behaviour{Status: http.StatusServiceUnavailable, Body: strings.Repeat("x", 1<<16), Repeat: 255}, KindServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := sendertest.StartLLM(t, "")
			fake.Set(c.behaviour)
			got, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(t.Context(), prompt)
			if got != nil {
				t.Errorf("answer %+v beside an error", got)
			}
			e := fails(t, err, c.kind)
			if strings.Contains(e.Error(), key) || strings.Contains(e.Error(), fake.Addr()) || !strings.HasPrefix(e.Error(), "llm: ") {
				t.Errorf("error text %q", e)
			}
			if n := len(fake.Requests()); n != 1 {
				t.Errorf("%d requests, want 1: nothing is repeated", n)
			}
		})
	}
}

func TestComplete_NamesTheCodesThatHelpAnOperator(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	c := client(t, Options{BaseURL: fake.BaseURL()})
	fake.Script(sendertest.LLMError(http.StatusUnauthorized, "invalid_api_key"), sendertest.LLMError(http.StatusUnauthorized, key))
	for _, want := range []string{"llm: await answer: HTTP 401: invalid_api_key", "llm: await answer: HTTP 401"} {
		if _, err := c.Complete(t.Context(), prompt); err == nil || err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestComplete_ReportsARefusedConnection(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	c := client(t, Options{BaseURL: fake.BaseURL()})
	fake.Stop()
	_, err := c.Complete(t.Context(), prompt)
	if e := fails(t, err, KindConnection); e.Error() != "llm: connect: connection refused" {
		t.Errorf("got %q", e)
	}
}

func TestComplete_ReportsAnUnknownHost(t *testing.T) {
	t.Parallel()
	_, err := client(t, Options{BaseURL: "http://llm.invalid/v1"}).Complete(t.Context(), prompt)
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindConnection && e.Kind != KindTimeout || e.Step != stepConnect {
		t.Errorf("got %v", err)
	}
}

func TestComplete_VerifiesCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	// A busy machine takes its time for a handshake; this is not about time.
	c := client(t, Options{BaseURL: server.URL, ConnectTimeout: time.Minute, TotalTimeout: time.Minute, IdleTimeout: time.Minute})
	_, err := c.Complete(t.Context(), prompt)
	if e := fails(t, err, KindConnection); e.Cause != "certificate is not trusted" {
		t.Errorf("got %q", e)
	}
}

func TestComplete_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	other, fake := sendertest.StartLLM(t, ""), sendertest.StartLLM(t, "")
	for _, status := range []int{301, 302, 303, 307, 308} {
		fake.Set(sendertest.Behaviour{Status: status, Header: map[string]string{"Location": other.URL()}})
		_, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(t.Context(), prompt)
		_ = fails(t, err, KindMisconfigured)
	}
	if n := len(other.Requests()); n != 0 {
		t.Errorf("%d requests, and with them the key, went to another address", n)
	}
}

func TestComplete_ReadsHowLongToWait(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	c := client(t, Options{BaseURL: fake.BaseURL()})
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0.5": 500 * time.Millisecond, "": 0, "-3": 0, "soon": 0, "NaN": 0, "1e999": 0,
		"99999999999999": 1e6 * time.Second, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		fake.Set(sendertest.RateLimited(text))
		_, err := c.Complete(t.Context(), prompt)
		if e := fails(t, err, KindRateLimited); e.RetryAfter != want {
			t.Errorf("Retry-After %q: %v, want %v", text, e.RetryAfter, want)
		}
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	if got := retryAfter("Mon, 02 Mar 2026 12:01:30 GMT", now); got != 90*time.Second {
		t.Errorf("a date: %v", got)
	}
}

func TestComplete_CutsALongTextAndHangsUp(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	hungUp := make(chan struct{})
	fake.Set(sendertest.Behaviour{WriteFunc: func(w http.ResponseWriter, r sendertest.Request, gone <-chan struct{}) {
		sendertest.LLMEndless("żółw ").WriteFunc(w, r, gone)
		close(hungUp)
	}})
	got, err := client(t, Options{BaseURL: fake.BaseURL(), MaxText: 12}).Complete(t.Context(), prompt)
	if err != nil || *got != (Completion{Text: "żółw żółw żó", TooLong: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	<-hungUp
}

func TestComplete_TellsAnUnfinishedTextFromAFinishedOne(t *testing.T) {
	t.Parallel()
	for finish, complete := range map[string]bool{`"stop"`: true, `null`: true, `"length"`: false, `"content_filter"`: false, `"tool_calls"`: false} {
		fake := sendertest.StartLLM(t, "")
		fake.Set(sendertest.LLMRaw("application/json", `{"choices":[{"message":{"content":"Tak"},"finish_reason":`+finish+`}]}`))
		got, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(t.Context(), prompt)
		if err != nil || got.Complete != complete {
			t.Errorf("%s: %+v, %v; want complete %v", finish, got, err, complete)
		}
	}
}

func TestComplete_EndsWhenTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	for name, b := range map[string]sendertest.Behaviour{"before headers": sendertest.Hang(), "mid-stream": sendertest.LLMHangAfter("Dzień dobry")} {
		fake.Set(b)
		ctx, cancel := context.WithCancel(t.Context())
		n := len(fake.Requests())
		go func() {
			fake.Wait(ctx, n+1)
			cancel()
		}()
		_, err := client(t, Options{BaseURL: fake.BaseURL()}).Complete(ctx, prompt)
		if e := fails(t, err, KindCanceled); !errors.Is(e, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestNew_RefusesWhatCannotWorkWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{BaseURL: ""}, {BaseURL: "localhost:11434"}, {BaseURL: "ftp://x/secret0"}, {BaseURL: "https://user:secret0@x/v1"},
		{BaseURL: "http://"}, {BaseURL: "https://x/v1#secret0"}, {BaseURL: "https://x/%zzsecret0"},
		{BaseURL: "https://x/v1", APIKey: "secret0\n"}, {BaseURL: "https://x/v1", APIKey: "secret0 x"}, {BaseURL: "https://x/v1", APIKey: "secret0ż"},
	} {
		_, err := New(o)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || strings.Contains(err.Error(), "secret0") || !strings.HasPrefix(err.Error(), "OPENAI_") {
			t.Errorf("%q, key %q: %v", o.BaseURL, o.APIKey, err)
		}
	}
}

func TestNew_FindsTheEndpoint(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.openai.com/v1":               "https://api.openai.com/v1/chat/completions",
		"http://localhost:11434/v1/":              "http://localhost:11434/v1/chat/completions",
		"http://x":                                "http://x/chat/completions",
		"https://x/v1/chat/completions":           "https://x/v1/chat/completions",
		"https://x/openai/v1?api-version=preview": "https://x/openai/v1/chat/completions?api-version=preview",
	} {
		if c := client(t, Options{BaseURL: base}); c.endpoint != want {
			t.Errorf("%s: %s, want %s", base, c.endpoint, want)
		}
	}
}

func TestClose_MayBeCalledTwiceAndBeforeACall(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartLLM(t, "")
	c := client(t, Options{BaseURL: fake.BaseURL()})
	c.Close()
	c.Close()
	if _, err := c.Complete(t.Context(), prompt); err != nil {
		t.Error(err)
	}
}

func FuzzReadStream(f *testing.F) {
	f.Add("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	f.Add(": x\r\n\r\nevent: y\r\ndata:{}\r\n\r\n")
	f.Add("data: {\ndata: \"choices\":[]}\n\n")
	f.Add("data")
	f.Fuzz(func(t *testing.T, s string) {
		text := collector{limit: 10}
		err := readStream(strings.NewReader(s), &text)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%q: %v", s, err)
		}
		if err == nil && !text.done && !text.full && text.finish == "" {
			t.Fatalf("%q: taken for a whole answer", s)
		}
		if c := text.completion(); len([]rune(c.Text)) > 10 {
			t.Fatalf("%q: %q is longer than 10 characters", s, c.Text)
		}
	})
}

func TestReadStream_JoinsTheLinesOfAnEvent(t *testing.T) {
	t.Parallel()
	text := collector{limit: 100}
	in := "\ufeff:hello\r\nid: 1\r\ndata: {\"choices\":\r\ndata: [{\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\r\n\r\n" +
		"data:{\"choices\":[],\"usage\":{}}\n\ndata: {\"choices\":[{\"delta\":{\"content\":null},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]"
	if err := readStream(strings.NewReader(in), &text); err != nil || text.text.String() != "a" || !text.done {
		t.Errorf("%q, %v", text.text.String(), err)
	}
}

func BenchmarkComplete(b *testing.B) {
	document, err := json.Marshal(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": "Tak."}, "finish_reason": "stop"}}})
	if err != nil {
		b.Fatal(err)
	}
	var stream bytes.Buffer
	for range 40 {
		stream.WriteString("data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" słowo\"},\"finish_reason\":null}]}\n\n")
	}
	stream.WriteString("data: [DONE]\n\n")
	for name, answer := range map[string]struct {
		media string
		body  []byte
	}{"document": {"application/json", document}, "stream": {"text/event-stream", stream.Bytes()}} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", answer.media)
				_, _ = w.Write(answer.body)
			}))
			defer server.Close()
			c := client(b, Options{BaseURL: server.URL})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Complete(b.Context(), prompt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
