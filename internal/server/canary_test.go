package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// canary is planted wherever a visitor or a dependency can put a word.
const canary = "kanarek7319"

func TestCanaries_OfVisitorsAppearNowhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	header := []string{
		"User-Agent", canary, "Referer", "https://x.example/" + canary, "Cookie", "a=" + canary, "Authorization", "Bearer " + canary,
		"X-Forwarded-For", canary, "Origin", "https://" + canary + ".example", "X-Request-ID", canary + " ", "Accept-Language", canary,
	}
	answers := []*answer{
		f.post(t, `{"message":"`+canary+`","session_id":"`+canary+`"}`, header...),
		f.post(t, `{"message":5,"`+canary+`":1}`, header...),
		f.post(t, `{"message":"a","session_id":"`+canary+` "}`, header...),
		f.post(t, `{"`+canary+`":1,"`+canary+`":2}`, header...),
		f.post(t, canary, header...),
		f.post(t, `{}`, append(header, "Content-Type", "text/"+canary)...),
		f.post(t, `{}`, append(header, "Content-Encoding", canary)...),
		f.get(t, "/api/chatbot/history/"+canary, header...),
		f.get(t, "/api/chatbot/history/"+canary+"%20", header...),
		f.get(t, "/api/"+canary+"?"+canary+"="+canary, header...),
		f.get(t, "/"+canary+"%00", header...),
		f.get(t, "/?lang="+canary, header...),
		f.do(t, "X"+canary, "/api/health", "", header...),
	}
	for i, a := range answers {
		if strings.Contains(a.Body, canary) {
			t.Errorf("answer %d repeats the visitor's word: %s", i, a.Body)
		}
		for key, values := range a.Header {
			if strings.Contains(strings.Join(values, ","), canary) {
				t.Errorf("answer %d repeats the visitor's word in %s", i, key)
			}
		}
	}
	wantSilence(t, f)
}

func TestCanaries_OfDependenciesStayInTheLog(t *testing.T) {
	t.Parallel()
	hidden := errors.New("dial " + canary)
	broken := func(context.Context) error {
		return chatops.WrapError(chatops.CodeUnavailable, hidden, "connect to "+canary)
	}
	f := newFixture(t, func(o *Options) {
		o.Health = Health{PingFunc: broken, RedisFunc: broken, SMTPFunc: broken}
		o.Health.JobsFunc = func(context.Context) ([]JobHealth, error) { return nil, hidden }
		o.Health.QueueFunc = func(context.Context) (*chatops.QueueStats, error) { return nil, hidden }
		o.Health.BreakersFunc = func(context.Context) (map[string]BreakerHealth, error) { panic(canary) }
	})
	f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, hidden }
	f.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) {
		return nil, chatops.WrapError(chatops.CodeUnavailable, hidden, "load the conversation: database unreachable")
	}
	for _, a := range []*answer{
		f.post(t, `{"message":"a"}`), f.get(t, "/api/chatbot/history/"+session), f.get(t, "/api/health"),
		f.get(t, "/api/health/deep"), f.get(t, "/readyz"), f.get(t, "/metrics"),
	} {
		if strings.Contains(a.Body, canary) {
			t.Errorf("an answer shows what a dependency said: %s", a.Body)
		}
	}
	if !strings.Contains(f.logs.String(), canary) {
		t.Error("the log does not hold the cause")
	}
}

func TestCanaries_AreNotLoggedWhenTheVisitorLeaves(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	f.chat.replyFunc = func(ctx context.Context, _ chatops.ChatRequest) (*chatops.ChatReply, error) {
		cancel() // the visitor closes the tab
		return nil, chatops.WrapError(chatops.CodeUnavailable, ctx.Err(), "save the turn")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/api/chatbot/chat", strings.NewReader(`{"message":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	f.serve(t, r)
	if logs := f.logs.String(); strings.Contains(logs, `"level":"ERROR"`) {
		t.Errorf("a visitor who left is logged as our error: %s", logs)
	}
}

func TestCanaries_OfLeadsConsentAndSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	secret := []string{"X-API-KEY", canary, "X-Migration-Secret", canary, "Authorization", "Bearer " + canary, "Idempotency-Key", canary}
	for _, c := range [][3]string{
		{"POST", "/api/leads/", `{"name":"` + canary + `","email":"` + canary + `"}`},
		{"POST", "/api/leads/", `{"name":"` + canary + `","email":"a@x.pl","phone":"` + canary + canary + `"}`},
		{"PUT", "/api/leads/" + canary, `{"name":"` + canary + `"}`},
		{"GET", "/api/leads/filter?status=" + canary, ""},
		{"POST", "/api/unsubscribe", `{"email":"` + canary + `","reason":"` + canary + `"}`},
		{"POST", "/api/unsubscribe", `{"lead_id":"` + canary + `"}`},
		{"POST", "/api/chatbot/rodo-consent", `{"session_id":"` + canary + ` "}`},
		{"GET", "/api/unsubscribe/status/" + canary, ""},
		{"GET", "/api/knowledge/faq?lang=" + canary, ""},
		{"GET", migrationPath + "?secret=" + canary, ""},
		{"POST", migrationPath, ""},
	} {
		if r := f.do(t, c[0], c[1], c[2], append(secret, "Content-Type", "application/json")...); strings.Contains(r.Body, canary) || r.StatusCode < 400 {
			t.Errorf("%s %s: %d %s", c[0], c[1], r.StatusCode, r.Body)
		}
	}
	// What is stored may come back to the one who sent it, and goes nowhere else.
	f.do(t, "POST", "/api/leads/", `{"name":"`+canary+`","email":"`+canary+`@x.pl","message":"`+canary+`"}`, "Idempotency-Key", canary)
	f.do(t, "POST", "/api/revoke-consent", `{"email":"`+canary+`@x.pl","reason":"`+canary+`"}`)
	f.admin(t, "GET", "/api/leads/export?package="+canary, "")
	f.admin(t, "GET", "/api/unsubscribe/status/"+canary+"@x.pl", "").wantProblem(t, http.StatusNotFound)
	wantSilence(t, f.fixture)
}

// wantSilence looks for the canary in what operators keep.
func wantSilence(t *testing.T, f *fixture) {
	t.Helper()
	if logs := f.logs.String(); strings.Contains(logs, canary) {
		t.Errorf("logs: %s", logs)
	}
	if text := f.get(t, "/metrics").Body; strings.Contains(text, canary) {
		t.Errorf("metrics: %s", text)
	}
}
