package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/ratelimit"
)

// limitedFixture is a server under the standard limits and a clock to turn.
type limitedFixture struct {
	*full
	limits *fakeLimits
	now    time.Time
}

// newLimited makes one; texts replace limits.
func newLimited(t *testing.T, change func(*Options), texts ...string) *limitedFixture {
	t.Helper()
	f := &limitedFixture{now: at}
	f.limits = newLimits(func() time.Time { return f.now }, append([]string{
		"chat", "30 per minute", "api", "200 per hour;50 per minute", "health", "30 per minute",
		"consent", "10 per minute", "leads", "5 per minute",
	}, texts...)...)
	f.full = newFull(t, func(o *Options) {
		o.Limits, o.Now = f.limits, func() time.Time { return f.now }
		if change != nil {
			change(o)
		}
	})
	return f
}

// from sends a request from an address.
func (f *limitedFixture) from(t *testing.T, remote, method, target, body string, header ...string) *answer {
	t.Helper()
	r := newRequest(t, method, target, body)
	r.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return f.serve(t, r)
}

func (f *limitedFixture) form(t *testing.T, remote string, header ...string) *answer {
	t.Helper()
	return f.from(t, remote, "POST", "/api/leads/", `{"name":"Jan","email":"jan@x.pl"}`, header...)
}

func TestLimit_35QuickLooksAtHealthGive30AnswersAnd5Refusals(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil)
	for i := range 35 {
		r := f.get(t, "/api/health")
		remaining := max(0, 29-i)
		for name, want := range map[string]string{
			"RateLimit-Policy": `"health";q=30;w=60`, "RateLimit": fmt.Sprintf(`"health";r=%d;t=60`, remaining),
			"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": fmt.Sprint(remaining), "X-RateLimit-Reset": fmt.Sprint(at.Unix() + 60),
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("look %d: %s is %q, want %q", i, name, got, want)
			}
		}
		if i < 30 {
			if r.StatusCode != http.StatusOK || r.Header.Get("Retry-After") != "" {
				t.Errorf("look %d: status %d, %v", i, r.StatusCode, r.Header)
			}
			continue
		}
		if got := r.wantProblem(t, http.StatusTooManyRequests); got != "Rate limit exceeded" {
			t.Errorf("look %d: error %q", i, got)
		}
		if r.Header.Get("Retry-After") != "60" || r.decode(t)["retry_after"] != 60.0 ||
			r.decode(t)["detail"] != "at most 30 per minute are accepted from one client" {
			t.Errorf("look %d: Retry-After %q, %s", i, r.Header.Get("Retry-After"), r.Body)
		}
	}
	f.now = f.now.Add(time.Minute)
	if r := f.get(t, "/api/health"); r.StatusCode != http.StatusOK {
		t.Errorf("after waiting as told: status %d", r.StatusCode)
	}
}

// Which limits a request counts towards, and under which key.
func TestLimit_EveryRouteOfTheAPICountsWhereItBelongs(t *testing.T) {
	t.Parallel()
	const who = "192.0.2.1"
	api := func(route string) []ratelimit.Check {
		return []ratelimit.Check{{Limit: "api", Key: who + " " + route}}
	}
	alone := func(name string) []ratelimit.Check { return []ratelimit.Check{{Limit: name, Key: who}} }
	for _, tc := range []struct {
		method, path string
		want         []ratelimit.Check // nil: none
	}{
		{"POST", "/api/chatbot/chat", alone("chat")},
		{"GET", "/api/health", alone("health")},
		{"HEAD", "/api/health", alone("health")},
		{"POST", "/api/unsubscribe", alone("consent")},
		{"POST", "/api/revoke-consent", alone("consent")},
		{"POST", "/api/leads", append(api("POST /api/leads/"), alone("leads")...)},
		{"POST", "/api/leads/", append(api("POST /api/leads/"), alone("leads")...)},
		{"GET", "/api/leads", api("GET /api/leads/")},
		{"GET", "/api/leads/7", api("GET /api/leads/{id}")},
		{"PUT", "/api/leads/8", api("PUT /api/leads/{id}")},
		{"GET", "/api/health/deep", api("GET /api/health/deep")},
		{"GET", "/api/chatbot/health", api("GET /api/chatbot/health")},
		{"GET", "/api/chatbot/history/sesja", api("GET /api/chatbot/history/{session_id}")},
		{"GET", "/api/status", api("GET /api/status")},
		{"GET", "/api/unsubscribe/status/jan@x.pl", api("GET /api/unsubscribe/status/{email}")},
		{"POST", migrationPath, api("POST " + migrationPath)},
		{"GET", "/api/nothing", api("unmatched")},
		{"GET", "/api/nothing/else", api("unmatched")},
		{"GET", "/api", api("unmatched")},
		{"GET", "/api/", api("unmatched")},
		{"DELETE", "/api/health", api("unmatched")},
		{"BREW", "/api/health", api("unmatched")},
		{"OPTIONS", "/api/health", api("unmatched")},
		{"GET", "/api//health", api("unmatched")},
		{"GET", "/api/a%2Fb", api("unmatched")},
		{"GET", "/api/health%00", api("unmatched")},
		{"GET", "/livez", nil},
		{"GET", "/readyz", nil},
		{"GET", "/metrics", nil},
		{"GET", "/", nil},
		{"GET", "/static/chat.css", nil},
		{"GET", "/openapi.json", nil},
		{"GET", "/docs", nil},
		{"GET", "/nothing", nil},
		{"GET", "/apinothing", nil},
	} {
		f := newLimited(t, nil)
		r := f.from(t, who+":1", tc.method, tc.path, "")
		if tc.want == nil {
			if len(f.limits.asked) != 0 || r.Header.Get("Ratelimit") != "" {
				t.Errorf("%s %s counts: %v", tc.method, tc.path, f.limits.asked)
			}
			continue
		}
		if len(f.limits.asked) != 1 || !slices.Equal(f.limits.asked[0], tc.want) || f.limits.clients[0] != who {
			t.Errorf("%s %s counts %v for %v, want %v", tc.method, tc.path, f.limits.asked, f.limits.clients, tc.want)
		}
		for _, name := range []string{"RateLimit-Policy", "RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			if r.Header.Get(name) == "" {
				t.Errorf("%s %s: status %d lacks %s", tc.method, tc.path, r.StatusCode, name)
			}
		}
	}
}

func TestLimit_NoOperationIsWithout(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil)
	for id, op := range operations(f.fixture) {
		for _, status := range []string{"403", "429"} {
			if op.Responses[status] == nil {
				t.Errorf("%s does not document %s", id, status)
			}
		}
		for _, name := range quotaOf(op).limits {
			if f.limits.values[name] == nil {
				t.Errorf("%s is under the limit %s, which does not exist", id, name)
			}
		}
	}
	if op := operations(newFull(t, nil).fixture)["health"]; op.Responses["429"] != nil {
		t.Error("without limits 429 is documented")
	}
}

func TestLimit_EachRouteHasItsOwnAndUnknownPathsShareOne(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "api", "2 per minute")
	for range 2 {
		f.get(t, "/api/status")
	}
	f.get(t, "/api/status").wantProblem(t, http.StatusTooManyRequests)
	if r := f.get(t, "/api/chatbot/health"); r.StatusCode != http.StatusOK {
		t.Errorf("another route: status %d", r.StatusCode)
	}
	f.get(t, "/api/one").wantProblem(t, http.StatusNotFound)
	if r := f.do(t, "DELETE", "/api/status", ""); r.Header.Get("Allow") == "" {
		t.Errorf("405 names no methods: %v", r.Header)
	} else {
		r.wantProblem(t, http.StatusMethodNotAllowed)
	}
	for _, tc := range []struct{ method, path string }{
		{"GET", "/api/two"}, {"DELETE", "/api/status"}, {"GET", "/api//x"}, {"GET", "/api/a%2fb"}, {"GET", "/api/a%00"},
	} {
		r := f.do(t, tc.method, tc.path, "")
		r.wantProblem(t, http.StatusTooManyRequests)
		if r.Header.Get("Location") != "" || !strings.Contains(r.Header.Get("Ratelimit"), `"api";r=0`) {
			t.Errorf("%s %s: %v", tc.method, tc.path, r.Header)
		}
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/", "/static/chat.css", "/docs"} {
		if r := f.get(t, path); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
}

func TestLimit_IsAskedBeforeTheKeyAndTheBodyAreLookedAt(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "api", "1 per minute", "chat", "1 per minute")
	f.get(t, "/api/leads").wantProblem(t, http.StatusUnauthorized)
	f.admin(t, "GET", "/api/leads", "").wantProblem(t, http.StatusTooManyRequests)
	f.post(t, `{`).wantProblem(t, http.StatusBadRequest)
	f.post(t, `{"message":"a"}`).wantProblem(t, http.StatusTooManyRequests)
	if n := len(f.chat.requests()); n != 0 {
		t.Errorf("the chat was asked %d times", n)
	}
}

func TestLimit_LeadsStandOnTopOfTheAPIsAndTheNearestIsShown(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "leads", "50 per hour;2 per minute")
	for i := range 2 {
		r := f.form(t, "198.51.100.1:5")
		if r.StatusCode != http.StatusCreated || r.Header.Get("Ratelimit") != fmt.Sprintf(`"leads-60";r=%d;t=%d`, 1-i, 60-10*i) ||
			r.Header.Get("X-Ratelimit-Remaining") != fmt.Sprint(1-i) {
			t.Errorf("lead %d: status %d, %v", i, r.StatusCode, r.Header)
		}
		if got := r.Header.Get("Ratelimit-Policy"); got != `"api-3600";q=200;w=3600, "api-60";q=50;w=60, "leads-3600";q=50;w=3600, "leads-60";q=2;w=60` {
			t.Errorf("policy %s", got)
		}
		f.now = f.now.Add(10*time.Second + 500*time.Millisecond*time.Duration(i))
	}
	for _, header := range [][]string{
		nil, {"X-Session-ID", "other"}, {"X-Forwarded-For", "203.0.113.9"}, {"Forwarded", "for=203.0.113.9"}, {"X-Real-IP", "203.0.113.9"},
		{"Authorization", "Bearer " + testKey}, {"Idempotency-Key", "new"}, {"Content-Type", "text/plain"},
	} {
		r := f.form(t, "198.51.100.1:5", header...)
		r.wantProblem(t, http.StatusTooManyRequests)
		// 39.5 seconds remain: whoever waits 40 is let in.
		if r.Header.Get("Retry-After") != "40" || r.decode(t)["retry_after"] != 40.0 || r.Header.Get("Ratelimit") != `"leads-60";r=0;t=40` ||
			r.Header.Get("X-Ratelimit-Limit") != "2" || r.Header.Get("X-Ratelimit-Reset") != fmt.Sprint(f.now.Unix()+40) {
			t.Errorf("%v: %v %s", header, r.Header, r.Body)
		}
	}
	if r := f.form(t, "198.51.100.2:5"); r.StatusCode != http.StatusCreated {
		t.Errorf("another client: status %d", r.StatusCode)
	}
	f.now = f.now.Add(40 * time.Second)
	if r := f.form(t, "198.51.100.1:5"); r.StatusCode != http.StatusCreated {
		t.Errorf("after waiting as told: status %d", r.StatusCode)
	}
}

func TestLimit_CountsAllAddressesOfAnIPv6NetworkAsOne(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "leads", "1 per minute")
	for _, remote := range []string{"[2001:db8:0:1::1]:5", "[2001:db8:0:2::1]:5", "[::ffff:198.51.100.1]:5"} {
		if r := f.form(t, remote); r.StatusCode != http.StatusCreated {
			t.Errorf("%s: status %d", remote, r.StatusCode)
		}
	}
	for _, remote := range []string{
		"[2001:db8:0:1::2]:6", "[2001:db8:0:1:ffff:ffff:ffff:ffff]:7", "[2001:db8:0:1::3%eth0]:8", "198.51.100.1:5", "[::ffff:c633:6401]:5",
	} {
		f.form(t, remote).wantProblem(t, http.StatusTooManyRequests)
	}
}

// A client behind a proxy that we trust is told apart from the next one,
// whatever it writes itself; one that comes directly is what its connection is.
func TestLimit_ForgedForwardingChangesNothing(t *testing.T) {
	t.Parallel()
	trust := func(o *Options) { o.TrustedProxies = networks(t, "10.0.0.0/8", "fd00::/8") }
	forged := []string{
		"203.0.113.1", strings.Repeat("203.0.113.1, ", 10) + "203.0.113.2", "junk", "::ffff:203.0.113.3", "fe80::1%eth0",
		"\x00", strings.Repeat(",", 5000), "10.0.0.1", "127.0.0.1", "[2001:db8::1]:9", "",
	}
	f := newLimited(t, trust, "health", "1 per minute")
	for i, remote := range []string{"198.51.100.7:1", "[2001:db8:5::1]:1"} {
		if r := f.from(t, remote, "GET", "/api/health", ""); r.StatusCode != http.StatusOK {
			t.Fatalf("%d: status %d", i, r.StatusCode)
		}
		for _, text := range forged {
			f.from(t, remote, "GET", "/api/health", "", "X-Forwarded-For", text).wantProblem(t, http.StatusTooManyRequests)
		}
	}
	for i, client := range []string{"198.51.100.8", "2001:db8:6::1", "::ffff:198.51.100.9", "198.51.100.10:4711"} {
		proxy := []string{"10.0.0.1:1", "[fd00::1%eth0]:1", "[::ffff:10.0.0.2]:1"}[i%3]
		if r := f.from(t, proxy, "GET", "/api/health", "", "X-Forwarded-For", client); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", client, r.StatusCode)
		}
		for _, text := range forged {
			r := f.from(t, proxy, "GET", "/api/health", "", "X-Forwarded-For", text+", "+client+", 10.0.0.9")
			r.wantProblem(t, http.StatusTooManyRequests)
		}
	}
}

func TestLimit_OfAWithdrawalHoldsForTheClientAndForTheAddress(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "consent", "3 per minute")
	opt := func(remote, path, email string) *answer {
		return f.from(t, remote, "POST", path, `{"email":"`+email+`"}`)
	}
	// One client, many addresses, both kinds.
	for i, path := range []string{"/api/unsubscribe", "/api/revoke-consent", "/api/unsubscribe"} {
		if r := opt("198.51.100.1:1", path, fmt.Sprintf("jan%d@x.pl", i)); r.StatusCode != http.StatusOK {
			t.Fatalf("status %d", r.StatusCode)
		}
	}
	opt("198.51.100.1:1", "/api/revoke-consent", "jan9@x.pl").wantProblem(t, http.StatusTooManyRequests)
	// One address in several spellings, many clients.
	for i, email := range []string{"anna@x.pl", " ANNA@X.PL", "Anna@x.pl"} {
		r := opt(fmt.Sprintf("198.51.100.%d:1", 10+i), "/api/unsubscribe", email)
		if r.StatusCode != http.StatusOK || r.Header.Get("Ratelimit") != `"consent";r=2;t=60` {
			t.Errorf("%s: status %d, %q: what others ask shows", email, r.StatusCode, r.Header.Get("Ratelimit"))
		}
	}
	r := opt("198.51.100.20:1", "/api/unsubscribe", "anna@x.pl")
	r.wantProblem(t, http.StatusTooManyRequests)
	if r.Header.Get("Retry-After") != "60" || r.Header.Get("Ratelimit") != `"consent";r=0;t=60` ||
		r.decode(t)["detail"] != "at most 3 per minute are accepted for one address" {
		t.Errorf("%v: %s", r.Header, r.Body)
	}
	conforms(t, f.fixture, operations(f.fixture)["unsubscribe"], r)
	if key := f.limits.lastChecks()[0].Key; strings.Contains(key, "anna") {
		t.Errorf("the key shows the address: %s", key)
	}
	if n := len(f.consent.withdrawals); n != 6 {
		t.Errorf("%d withdrawals are stored", n)
	}
	// Nobody can keep a person from withdrawing more than marketing.
	if r := opt("198.51.100.21:1", "/api/revoke-consent", "anna@x.pl"); r.StatusCode != http.StatusOK {
		t.Errorf("revoke: status %d", r.StatusCode)
	}
	// A withdrawal by number names no address.
	if r := f.from(t, "198.51.100.22:1", "POST", "/api/unsubscribe", `{"lead_id":7}`); r.StatusCode != http.StatusOK {
		t.Errorf("by number: status %d", r.StatusCode)
	}
}

func TestBlock_RefusesTheAPIOnlyAndNamesNoReason(t *testing.T) {
	t.Parallel()
	const origin = "https://firma.example"
	f := newLimited(t, func(o *Options) { o.CORSOrigins, o.TrustedProxies = []string{origin}, networks(t, "10.0.0.0/8") })
	f.limits.block("203.0.113.0/24")
	f.limits.block("2001:db8:bad::/48")
	for _, tc := range []struct{ remote, forwarded string }{
		{"203.0.113.5:1", ""}, {"[::ffff:203.0.113.6]:1", ""}, {"[2001:db8:bad:1::2%eth0]:1", ""}, {"10.0.0.1:1", "203.0.113.7"},
	} {
		for _, path := range []string{"/api/health", "/api/nothing", "/api//x", "/api/a%2fb", "/api/status", "/api/leads"} {
			r := f.from(t, tc.remote, "GET", path, "", "X-Forwarded-For", tc.forwarded, "X-API-KEY", testKey, "Origin", origin)
			if got := r.wantProblem(t, http.StatusForbidden); got != "Forbidden" || r.decode(t)["detail"] != "requests from this address are not accepted" {
				t.Errorf("%v %s: %s", tc, path, r.Body)
			}
			if r.Header.Get("Ratelimit") != "" || r.Header.Get("Access-Control-Allow-Origin") != origin && !strings.Contains(path, "%") {
				t.Errorf("%v %s: %v", tc, path, r.Header)
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/metrics", "/", "/static/chat.css", "/docs", "/openapi.json"} {
			if r := f.from(t, tc.remote, "GET", path, "", "X-Forwarded-For", tc.forwarded); r.StatusCode != http.StatusOK {
				t.Errorf("%v %s: status %d", tc, path, r.StatusCode)
			}
		}
	}
	if len(f.limits.asked) != 0 {
		t.Errorf("blocked requests are counted: %v", f.limits.asked)
	}
	for _, remote := range []string{"203.0.114.5:1", "[2001:db8:bae::1]:1"} {
		if r := f.from(t, remote, "GET", "/api/health", "", "X-Forwarded-For", "203.0.113.7"); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", remote, r.StatusCode)
		}
	}
}

func TestLimit_PreflightsAreNotCounted(t *testing.T) {
	t.Parallel()
	const origin = "https://firma.example"
	f := newLimited(t, func(o *Options) { o.CORSOrigins = []string{origin} }, "api", "1 per minute")
	for _, from := range []string{origin, "https://evil.example"} {
		for range 3 {
			r := f.do(t, "OPTIONS", "/api/chatbot/chat", "", "Origin", from, "Access-Control-Request-Method", "POST")
			if r.StatusCode != http.StatusNoContent && r.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s: status %d", from, r.StatusCode)
			}
		}
	}
	if len(f.limits.asked) != 0 {
		t.Errorf("counted: %v", f.limits.asked)
	}
}

func TestLimit_SwitchedOffRefusesNobodyAndSaysNothing(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "health", "1 per minute", "consent", "1 per minute", "api", "1 per minute")
	f.limits.off = true
	for range 3 {
		for _, r := range []*answer{
			f.get(t, "/api/health"), f.get(t, "/api/status"), f.do(t, "POST", "/api/unsubscribe", `{"email":"jan@x.pl"}`),
		} {
			if r.StatusCode != http.StatusOK || r.Header.Get("Ratelimit") != "" || r.Header.Get("X-Ratelimit-Limit") != "" || r.Header.Get("Ratelimit-Policy") != "" {
				t.Errorf("status %d, %v", r.StatusCode, r.Header)
			}
		}
		f.get(t, "/api/nothing").wantProblem(t, http.StatusNotFound)
	}
	f.limits.block("192.0.2.0/24")
	f.get(t, "/api/health").wantProblem(t, http.StatusForbidden)
}

func TestLimit_HoldsForHandlersThatPanicAndWhileTheDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	f := newLimited(t, nil, "chat", "1 per minute")
	f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { panic("kanarek") }
	r := f.post(t, `{"message":"a"}`)
	r.wantProblem(t, http.StatusInternalServerError)
	if r.Header.Get("Ratelimit") != `"chat";r=0;t=60` {
		t.Errorf("headers %v", r.Header)
	}
	f.post(t, `{"message":"a"}`).wantProblem(t, http.StatusTooManyRequests)

	m := NewMigration(Options{
		Limits: newLimits(func() time.Time { return at }, "api", "2 per minute"), MigrationSecret: testSecret,
		MigrateFunc: func(context.Context) (*MigrationReport, error) { return &MigrationReport{}, nil },
	})
	waiting := &fixture{Server: m.s}
	for _, path := range []string{migrationPath, "/api/health"} {
		for range 2 {
			if r := waiting.get(t, path); r.StatusCode != http.StatusUnauthorized && r.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d", path, r.StatusCode)
			}
		}
		waiting.get(t, path).wantProblem(t, http.StatusTooManyRequests)
	}
	if r := waiting.get(t, "/livez"); r.StatusCode != http.StatusOK {
		t.Errorf("livez: status %d", r.StatusCode)
	}
}
