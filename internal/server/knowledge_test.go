package server

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestKnowledge_IsToldInTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) { o.CORSOrigins = []string{"https://firma.example"} })
	for _, tc := range []struct{ query, accept, lang string }{
		{"", "", "pl"}, {"?lang=", "", "pl"}, {"?lang=en", "pl", "en"}, {"?lang=pl", "en", "pl"}, {"", "en-GB,pl;q=0.5", "en"}, {"", "pl-PL,en;q=0.9", "pl"},
	} {
		r := f.get(t, "/api/knowledge/packages"+tc.query, "Accept-Language", tc.accept)
		want := `[{"id":"comfort","name":"Comfort","price_per_sqm":1499,"standard":"standard ` + tc.lang + `","ideal_for":"dla rodzin"},` +
			`{"id":"individual","name":"Individual","price_per_sqm":null,"standard":"wycena","ideal_for":"dla wymagających"}]`
		if strings.TrimSpace(r.Body) != want || r.Header.Get("Content-Language") != tc.lang {
			t.Errorf("%+v: %s %s", tc, r.Header.Get("Content-Language"), r.Body)
		}
		if got := r.Header.Values("Vary"); !reflect.DeepEqual(got, []string{"Origin", "Accept-Language"}) {
			t.Errorf("Vary %q", got)
		}
		r = f.get(t, "/api/knowledge/faq"+tc.query, "Accept-Language", tc.accept)
		if got := strings.TrimSpace(r.Body); got != `{"area":"Gdańsk","warranty":"36 `+tc.lang+`"}` {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	for _, path := range []string{"/api/knowledge/packages", "/api/knowledge/faq"} {
		f.get(t, path+"?lang=de").wantProblem(t, http.StatusBadRequest)
	}
	f.get(t, "/api/knowledge/team").wantProblem(t, http.StatusNotFound)
}

func TestStatus_TellsWhatRunsHere(t *testing.T) {
	t.Parallel()
	now := at
	var down error
	f := newFull(t, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Environment = "production"
		o.Health.PingFunc = func(context.Context) error { return down }
	})
	now = now.Add(90 * time.Second)
	want := map[string]any{
		"status": "healthy", "service": "chatops", "uptime_seconds": 90.0, "environment": "production", "version": "1.2.3",
		"database": map[string]any{"status": "connected"},
	}
	if got := f.get(t, "/api/status").decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	down = chatops.Errorf(chatops.CodeUnavailable, "connect to db.internal")
	now = now.Add(time.Second)
	want["status"], want["uptime_seconds"], want["database"] = "unhealthy", 91.0, map[string]any{"status": "unreachable"}
	r := f.get(t, "/api/status")
	if got := r.decode(t); r.StatusCode != http.StatusServiceUnavailable || !reflect.DeepEqual(got, want) || r.Header.Get("Retry-After") == "" {
		t.Errorf("status %d: %v, want %v", r.StatusCode, got, want)
	}
	if got := newFixture(t, nil).get(t, "/api/status").decode(t)["environment"]; got != "development" {
		t.Errorf("environment %v when nobody named it", got)
	}
}

func TestOptions_WhatIsNilHasNoEndpoint(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, c := range [][2]string{
		{"POST", "/api/leads/"}, {"GET", "/api/leads/"}, {"GET", "/api/leads/1"}, {"POST", "/api/unsubscribe"}, {"POST", "/api/chatbot/rodo-consent"},
		{"GET", "/api/unsubscribe/status/a@x.pl"}, {"GET", "/api/knowledge/faq"}, {"GET", migrationPath},
	} {
		f.do(t, c[0], c[1], `{}`).wantProblem(t, http.StatusNotFound)
	}
	only := newFixture(t, func(o *Options) { o.CreateLeadFunc = (&fakeLeads{}).create })
	if r := only.do(t, "POST", "/api/leads/", `{"name":"J","email":"j@x.pl"}`); r.StatusCode != http.StatusCreated {
		t.Errorf("creating alone: status %d", r.StatusCode)
	}
	if r := only.get(t, "/api/leads/"); r.wantProblem(t, http.StatusMethodNotAllowed) == "" || r.Header.Get("Allow") != "POST" {
		t.Errorf("Allow %q", r.Header.Get("Allow"))
	}
}
