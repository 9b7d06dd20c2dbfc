package server

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"chatops/internal/ratelimit"
)

// form posts a lead from an address.
func (f *full) form(t *testing.T, remote string, header ...string) *answer {
	t.Helper()
	r := newRequest(t, "POST", "/api/leads/", `{"name":"Jan","email":"jan@x.pl"}`)
	r.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return f.serve(t, r)
}

func TestLeadLimit_StopsAClientAndSaysForHowLong(t *testing.T) {
	t.Parallel()
	now := at
	f := newFull(t, func(o *Options) {
		o.LeadLimit = ratelimit.Limit{{Count: 2, Window: time.Minute}}
		o.Now = func() time.Time { return now }
	})
	for i := range 2 {
		r := f.form(t, "198.51.100.1:5")
		if r.StatusCode != http.StatusCreated || r.Header.Get("Ratelimit") != fmt.Sprintf(`"leads";r=%d;t=%d`, 1-i, 60-10*i) ||
			r.Header.Get("Ratelimit-Policy") != `"leads";q=2;w=60` || r.Header.Get("X-Ratelimit-Remaining") != fmt.Sprint(1-i) {
			t.Errorf("lead %d: status %d, %v", i, r.StatusCode, r.Header)
		}
		now = now.Add(10*time.Second + 500*time.Millisecond*time.Duration(i))
	}
	for _, header := range [][]string{
		nil, {"X-Session-ID", "other"}, {"X-Forwarded-For", "203.0.113.9"}, {"Forwarded", "for=203.0.113.9"}, {"X-Real-IP", "203.0.113.9"},
		{"Authorization", "Bearer " + testKey}, {"Idempotency-Key", "new"}, {"Content-Type", "text/plain"},
	} {
		r := f.form(t, "198.51.100.1:5", header...)
		if got := r.wantProblem(t, http.StatusTooManyRequests); got != "Rate limit exceeded" {
			t.Errorf("%v: error %q", header, got)
		}
		// 39.5 seconds remain: whoever waits 40 is let in.
		if r.Header.Get("Retry-After") != "40" || r.decode(t)["retry_after"] != 40.0 || r.Header.Get("Ratelimit") != `"leads";r=0;t=40` ||
			r.Header.Get("X-Ratelimit-Limit") != "2" || r.Header.Get("X-Ratelimit-Remaining") != "0" ||
			r.Header.Get("X-Ratelimit-Reset") != fmt.Sprint(now.Unix()+40) {
			t.Errorf("%v: %v %s", header, r.Header, r.Body)
		}
	}
	if r := f.form(t, "198.51.100.2:5"); r.StatusCode != http.StatusCreated {
		t.Errorf("another client: status %d", r.StatusCode)
	}
	now = now.Add(40 * time.Second)
	if r := f.form(t, "198.51.100.1:5"); r.StatusCode != http.StatusCreated {
		t.Errorf("after waiting as told: status %d", r.StatusCode)
	}
}

func TestLeadLimit_CountsAllAddressesOfAnIPv6NetworkAsOne(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) { o.LeadLimit = ratelimit.Limit{{Count: 1, Window: time.Minute}} })
	for remote, status := range map[string]int{"[2001:db8:0:1::1]:5": 201, "[2001:db8:0:2::1]:5": 201, "[::ffff:198.51.100.1]:5": 201} {
		if r := f.form(t, remote); r.StatusCode != status {
			t.Errorf("%s: status %d", remote, r.StatusCode)
		}
	}
	for _, remote := range []string{"[2001:db8:0:1::2]:6", "[2001:db8:0:1:ffff:ffff:ffff:ffff]:7", "198.51.100.1:5"} {
		f.form(t, remote).wantProblem(t, http.StatusTooManyRequests)
	}
}

func TestLeadLimit_NamesEachOfItsRules(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) {
		o.LeadLimit = ratelimit.Limit{{Count: 50, Window: time.Hour}, {Count: 5, Window: time.Minute}}
	})
	r := f.form(t, "198.51.100.1:5")
	if got := r.Header.Get("Ratelimit-Policy"); got != `"leads-3600";q=50;w=3600, "leads-60";q=5;w=60` {
		t.Errorf("policy %s", got)
	}
	if got := r.Header.Get("Ratelimit"); got != `"leads-60";r=4;t=60` {
		t.Errorf("limit %s", got)
	}
}

func TestLeadLimit_TouchesNothingElse(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) { o.LeadLimit = ratelimit.Limit{{Count: 1, Window: time.Minute}} })
	f.postLead(t, `{}`)
	f.postLead(t, `{}`).wantProblem(t, http.StatusTooManyRequests)
	for _, r := range []*answer{f.admin(t, "GET", "/api/leads/", ""), f.post(t, `{"message":"a"}`), f.get(t, "/api/status")} {
		if r.StatusCode != http.StatusOK || r.Header.Get("Ratelimit") != "" {
			t.Errorf("status %d, %v", r.StatusCode, r.Header)
		}
	}
}
